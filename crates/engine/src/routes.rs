//! The table of paths that an engine offers.

use std::collections::BTreeMap;

use coffer_wire::{Timestamp, Verb, Wiped};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::time::Duration;

use crate::lease::{NewLease, Renewal};
use crate::router::{Found, Miss, Router};
use crate::{Answer, Ctx, Engine, Event, Fault, Handle, Lease, Replies, Reply, Session, Stay};

/// How many fields are looked at to name the wrong one, and of how large a body: it is read anew for each.
const MAX_SUSPECTS: usize = 64;
const MAX_SUSPECT_BYTES: usize = 16 * 1024;

/// Everything an engine offers, in the order a reader should meet it.
pub struct Routes<E> {
    paths: Vec<Path<E>>,
    leases: Vec<LeaseKind<E>>,
    session: Option<StayCall<E>>,
    router: Router,
    faults: Vec<String>,
}

/// One path of an engine with its attributes and verbs.
pub struct Path<E> {
    /// Segments; `{name}` captures one, `{name*}` the rest, before one last literal if that follows.
    pub pattern: &'static str,
    /// One line for help.
    pub about: &'static str,
    /// Who may come here.
    pub flags: Flags,
    /// The verbs.
    pub endpoints: Vec<Endpoint<E>>,
    exists: Option<ExistsCall<E>>,
    role: Option<RoleCall<E>>,
    faults: Vec<String>,
}

/// Who may come to a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Needs the `sudo` capability.
    pub sudo: bool,
    /// Needs no token; one that is sent is looked at but not required.
    pub unauthenticated: bool,
    /// Names here are compared in lower case, so policy is asked about them in lower case.
    pub caseless: bool,
    /// Is about the server as a whole, so it is there in the root namespace alone.
    pub root_only: bool,
    /// Is about the token that asks, so it is answered in the namespace of that, wherever it was asked.
    pub at_home: bool,
    /// Works in a locked namespace, too.
    pub while_locked: bool,
    /// Takes bodies as they come; how long they or its answers are, and how long that takes, has no limit.
    pub streamed: bool,
}

/// One verb on one path, its types erased.
pub struct Endpoint<E> {
    /// The verb.
    pub verb: Verb,
    /// Makes the request type's schema: fields and help. Made when a document asks for it, because
    /// the documents of all paths together are larger than an idle server.
    pub request: fn() -> Value,
    /// Makes the reply's schema.
    pub reply: fn() -> Option<Value>,
    /// See [`Path::tells`].
    pub tells: Option<&'static str>,
    /// The fields, and whether null is a value of theirs.
    known: BTreeMap<String, bool>,
    sudo: bool,
    open: bool,
    whole_body: Option<String>,
    call: Call<E>,
}

type Input = Map<String, Value>;
type Call<E> = for<'a> fn(&'a E, &'a Ctx, Input) -> Answer<'a, Reply>;
type ExistsCall<E> = for<'a> fn(&'a E, &'a Ctx, Input) -> Answer<'a, bool>;
type RoleCall<E> = for<'a> fn(&'a E, &'a Ctx, Input) -> Answer<'a, Option<String>>;
type RenewCall<E> = for<'a> fn(&'a E, &'a Ctx, Value, &'a Renewal) -> Answer<'a, Timestamp>;
type StayCall<E> = for<'a> fn(&'a E, &'a Ctx, Value) -> Answer<'a, Stay>;
type RevokeCall<E> = for<'a> fn(&'a E, &'a Ctx, Value) -> Answer<'a, ()>;

struct LeaseKind<E> {
    kind: &'static str,
    renew: RenewCall<E>,
    revoke: RevokeCall<E>,
}

/// Starts one path.
pub fn path<E>(pattern: &'static str, about: &'static str) -> Path<E> {
    Path {
        pattern,
        about,
        flags: Flags::default(),
        endpoints: Vec::new(),
        exists: None,
        role: None,
        faults: Vec::new(),
    }
}

impl<E: Send + Sync + 'static> Routes<E> {
    /// A table of these paths.
    pub fn new(paths: impl IntoIterator<Item = Path<E>>) -> Self {
        let paths: Vec<_> = paths.into_iter().collect();
        let mut faults: Vec<_> = paths
            .iter()
            .flat_map(|path| path.faults.iter().cloned())
            .collect();
        let mut router = Router::default();
        for (at, path) in paths.iter().enumerate() {
            faults.extend(router.insert(path.pattern, at).err());
        }
        Self {
            paths,
            leases: Vec::new(),
            session: None,
            router,
            faults,
        }
    }

    /// Joins the tables of several topics into one.
    pub fn merge(tables: impl IntoIterator<Item = Self>) -> Self {
        let (mut paths, mut leases, mut session) = (Vec::new(), Vec::new(), None);
        for table in tables {
            paths.extend(table.paths);
            leases.extend(table.leases);
            session = session.or(table.session);
        }
        Self {
            leases,
            session,
            ..Self::new(paths)
        }
    }

    /// All of these are there in the root namespace alone.
    pub fn root_only(mut self) -> Self {
        for path in &mut self.paths {
            path.flags.root_only = true;
        }
        self
    }

    /// Adds a kind of lease that this engine's answers carry.
    pub fn leases<L: Lease<E>>(mut self) -> Self {
        self.leases.push(LeaseKind {
            kind: L::KIND,
            renew: renew::<E, L>,
            revoke: revoke::<E, L>,
        });
        self
    }

    /// Says what this auth method keeps of its logins, to be asked again when a token is renewed.
    pub fn sessions<S: Session<E>>(self) -> Self {
        Self {
            session: Some(stay::<E, S>),
            ..self
        }
    }

    /// Faults of the table itself (two names for one place, a capture without a field). A server
    /// with such a table refuses to start.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// All paths, for documents and tests.
    pub fn paths(&self) -> &[Path<E>] {
        &self.paths
    }

    /// The endpoint for `verb` at `tail`, the part of the path after the mount.
    pub fn find(&self, verb: Verb, tail: &str) -> Result<Found, Miss> {
        let has = |at: usize| {
            let path = self.paths.get(at);
            path.is_some_and(|path| path.endpoints.iter().any(|e| e.verb == verb))
        };
        let (at, captures) = self.router.find(verb, tail, has).ok_or(Miss::Path)?;
        let path = self.paths.get(at).ok_or(Miss::Path)?;
        let endpoint = path
            .endpoints
            .iter()
            .position(|e| e.verb == verb)
            .ok_or(Miss::Verb)?;
        Ok(Found {
            path: at,
            endpoint,
            captures,
            flags: path.flags_of(path.endpoints.get(endpoint)),
            tells_existence: verb == Verb::Write && path.exists.is_some(),
            pattern: path.pattern,
        })
    }

    /// Whether what a write is about is there already, where the path can tell.
    pub fn exists<'a>(
        &self,
        engine: &'a E,
        found: &Found,
        cx: &'a Ctx,
    ) -> Option<Answer<'a, bool>> {
        let exists = self.paths.get(found.path)?.exists?;
        Some(exists(engine, cx, captured(found)))
    }

    /// Whether somebody can log in here by a role.
    pub fn has_roles(&self) -> bool {
        self.paths.iter().any(|path| path.role.is_some())
    }

    /// The role that a login is for, where the path can tell.
    pub fn role<'a>(
        &self,
        engine: &'a E,
        found: &Found,
        cx: &'a Ctx,
        mut input: Input,
    ) -> Option<Answer<'a, Option<String>>> {
        let role = self.paths.get(found.path)?.role?;
        input.extend(captured(found));
        Some(role(engine, cx, input))
    }

    /// Runs the endpoint with the body's fields and the path's captures, which override them.
    pub fn call<'a>(
        &self,
        engine: &'a E,
        found: &Found,
        cx: &'a Ctx,
        mut input: Input,
    ) -> Answer<'a, Reply> {
        let path = self.paths.get(found.path);
        let endpoint = path.and_then(|path| Some((path, path.endpoints.get(found.endpoint)?)));
        let Some((path, endpoint)) = endpoint else {
            return Box::pin(std::future::ready(Err(Fault::UnsupportedPath)));
        };
        let warnings = endpoint.settle_input(found, &mut input);
        let event = path.event(endpoint, found);
        let answer = (endpoint.call)(engine, cx, input);
        Box::pin(async move {
            let mut reply = answer.await?;
            event.into_iter().for_each(|event| cx.emit(event));
            reply.warnings.splice(0..0, warnings);
            Ok(reply)
        })
    }

    /// Extends a lease of one of the engine's kinds.
    pub fn renew<'a>(
        &self,
        engine: &'a E,
        cx: &'a Ctx,
        lease: NewLease,
        ask: &'a Renewal,
    ) -> Answer<'a, Timestamp> {
        match self.leases.iter().find(|l| l.kind == lease.kind) {
            Some(kind) => (kind.renew)(engine, cx, lease.payload, ask),
            None => Box::pin(std::future::ready(Err(unknown_kind(&lease)))),
        }
    }

    /// What holds now of a login whose token is renewed; none where the method keeps nothing of logins.
    pub fn stay<'a>(&self, engine: &'a E, cx: &'a Ctx, payload: Value) -> Option<Answer<'a, Stay>> {
        Some(self.session?(engine, cx, payload))
    }

    /// Undoes a lease of one of the engine's kinds.
    pub fn revoke<'a>(&self, engine: &'a E, cx: &'a Ctx, lease: NewLease) -> Answer<'a, ()> {
        match self.leases.iter().find(|l| l.kind == lease.kind) {
            Some(kind) => (kind.revoke)(engine, cx, lease.payload),
            None => Box::pin(std::future::ready(Err(unknown_kind(&lease)))),
        }
    }
}

impl<E: Send + Sync + 'static> Path<E> {
    /// Who may come here with this verb.
    pub fn flags_of(&self, endpoint: Option<&Endpoint<E>>) -> Flags {
        Flags {
            sudo: self.flags.sudo || endpoint.is_some_and(|endpoint| endpoint.sudo),
            ..self.flags
        }
    }

    /// Whether writes here tell creation from update.
    pub fn tells_existence(&self) -> bool {
        self.exists.is_some()
    }

    /// Answers reads.
    pub fn read<R: Handle<E>>(self) -> Self {
        self.on::<R>(Verb::Read)
    }

    /// Answers lists.
    pub fn list<R: Handle<E>>(self) -> Self {
        self.on::<R>(Verb::List)
    }

    /// Answers recursive lists.
    pub fn scan<R: Handle<E>>(self) -> Self {
        self.on::<R>(Verb::Scan)
    }

    /// Answers writes, creating and updating alike.
    pub fn write<R: Handle<E>>(self) -> Self {
        self.on::<R>(Verb::Write)
    }

    /// Answers merge patches.
    pub fn patch<R: Handle<E>>(self) -> Self {
        self.on::<R>(Verb::Patch)
    }

    /// Answers deletions.
    pub fn delete<R: Handle<E>>(self) -> Self {
        self.on::<R>(Verb::Delete)
    }

    /// Tells creation from update, so that policy can ask for `create` or `update`; without it every
    /// write is an update.
    pub fn exists<R: Exists<E>>(mut self) -> Self {
        self.exists = Some(exists::<E, R>);
        self
    }

    /// Tells which role a login is for, so that quotas can go by it.
    pub fn role<R: Role<E>>(mut self) -> Self {
        self.role = Some(role::<E, R>);
        self
    }

    /// Needs the `sudo` capability.
    pub fn sudo(mut self) -> Self {
        self.flags.sudo = true;
        self
    }

    /// The verb that was named last needs the `sudo` capability; the others do not.
    pub fn with_sudo(mut self) -> Self {
        if let Some(endpoint) = self.endpoints.last_mut() {
            endpoint.sudo = true;
        }
        self
    }

    /// Where the verb that was named last succeeds, an event of this kind tells so: for changes about which there is no
    /// more to say than where they happened. Handlers that know more emit their own.
    pub fn tells(mut self, kind: &'static str) -> Self {
        if let Some(endpoint) = self.endpoints.last_mut() {
            endpoint.tells = Some(kind);
        }
        self
    }

    /// What [`Path::tells`] promises: where, the name of the thing, and where it can be read now.
    fn event(&self, endpoint: &Endpoint<E>, found: &Found) -> Option<Event> {
        let kind = endpoint.tells?;
        let spelled = |held: &str| match self.flags.caseless {
            true => held.to_lowercase(),
            false => held.to_owned(),
        };
        let place = found.tail(spelled);
        let readable = self.endpoints.iter().any(|other| other.verb == Verb::Read);
        let event = Event::new(kind, place.clone()).with("modified", true);
        let event = match readable && endpoint.verb != Verb::Delete {
            true => event.modified(place),
            false => event,
        };
        Some(match found.captures.first() {
            Some((_, name)) => event.with("name", spelled(name)),
            None => event,
        })
    }

    /// Takes bodies as they come ([`Ctx::upload`]), however long; nor have answers a limit of time.
    pub fn streamed(mut self) -> Self {
        self.flags.streamed = true;
        self
    }

    /// Needs no token.
    pub fn unauthenticated(mut self) -> Self {
        self.flags.unauthenticated = true;
        self
    }

    /// Compares names without looking at upper and lower case; policy is asked in lower case, so that
    /// no spelling passes a rule about another.
    pub fn caseless(mut self) -> Self {
        self.flags.caseless = true;
        self
    }

    /// Is there in the root namespace alone.
    pub fn root_only(mut self) -> Self {
        self.flags.root_only = true;
        self
    }

    /// Is answered in the namespace of the token that asks.
    pub fn at_home(mut self) -> Self {
        self.flags.at_home = true;
        self
    }

    /// Works in a locked namespace, too.
    pub fn while_locked(mut self) -> Self {
        self.flags.while_locked = true;
        self
    }

    fn on<R: Handle<E>>(mut self, verb: Verb) -> Self {
        let request = request_schema::<R>();
        let known: BTreeMap<String, bool> = request
            .get("properties")
            .and_then(Value::as_object)
            .map(|fields| {
                let each = fields.iter();
                each.map(|(name, schema)| (name.clone(), takes_null(schema)))
                    .collect()
            })
            .unwrap_or_default();
        let open = request
            .get("additionalProperties")
            .is_some_and(|more| more != &Value::Bool(false));
        let whole_body = whole_body_field(&request);
        for name in self.pattern.split('/').filter_map(capture_name) {
            if !known.contains_key(name) {
                self.faults.push(format!(
                    "{} {}: the request type has no field for {{{name}}}",
                    verb, self.pattern
                ));
            }
        }
        self.endpoints.push(Endpoint {
            verb,
            request: request_schema::<R>,
            reply: reply_schema::<R::Reply>,
            known,
            sudo: false,
            tells: None,
            open,
            whole_body,
            call: call::<E, R>,
        });
        self
    }
}

fn request_schema<R: JsonSchema>() -> Value {
    generator().into_root_schema_for::<R>().to_value()
}

fn reply_schema<R: Replies>() -> Option<Value> {
    R::schema(&mut generator()).map(Schema::to_value)
}

/// Schemas stand where they are used: a request type may be a wrapper around another.
fn generator() -> SchemaGenerator {
    let inline = |settings: &mut SchemaSettings| settings.inline_subschemas = true;
    SchemaSettings::draft2020_12().with(inline).into_generator()
}

/// Whether null is a value for a field. For others it is as good as absent: clients send null for
/// what they do not want to say.
fn takes_null(schema: &Value) -> bool {
    let null = |word: &Value| word == "null";
    let any = |key: &str| {
        schema
            .get(key)
            .and_then(Value::as_array)
            .map(|each| each.iter().any(takes_null))
    };
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(null),
        Some(only) => null(only),
        None => any("anyOf").or_else(|| any("oneOf")).unwrap_or(true),
    }
}

/// A request type that can say by which role somebody logs in. It runs before the login is checked, so it only looks:
/// a name that was sent, or the role that an identifier belongs to.
pub trait Role<E>: DeserializeOwned + Send + 'static {
    /// The role's name; none where the request names none that is there.
    fn role(
        self,
        engine: &E,
        cx: &Ctx,
    ) -> impl Future<Output = Result<Option<String>, Fault>> + Send;
}

/// A request type that can say whether its object is there. Its fields are the path's captures.
pub trait Exists<E>: DeserializeOwned + Send + 'static {
    /// Whether it is there.
    fn exists(self, engine: &E, cx: &Ctx) -> impl Future<Output = Result<bool, Fault>> + Send;
}

impl<E> Endpoint<E> {
    /// Puts captures over the body's fields; says what was replaced and what nobody knows.
    fn settle_input(&self, found: &Found, input: &mut Input) -> Vec<String> {
        if let Some(field) = &self.whole_body {
            let body = std::mem::take(input);
            input.insert(field.clone(), Value::Object(body));
            input.extend(captured(found));
            return Vec::new();
        }
        let mut warnings = Vec::new();
        let unknown: Vec<_> = input
            .keys()
            .filter(|key| !self.open && !self.known.contains_key(*key))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            warnings.push(format!(
                "Endpoint ignored these unrecognized parameters: [{}]",
                unknown.join(" ")
            ));
            unknown.iter().for_each(|key| drop(input.remove(key)));
        }
        input.retain(|key, value| !value.is_null() || self.known.get(key).copied().unwrap_or(true));
        let mut replaced = Vec::new();
        for (name, value) in &found.captures {
            let old = input.insert((*name).to_owned(), Value::String(value.clone()));
            if old.is_some_and(|old| old.as_str() != Some(value)) {
                replaced.push(*name);
            }
        }
        if !replaced.is_empty() {
            warnings.push(format!(
                "Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [{}]",
                replaced.join(" ")
            ));
        }
        warnings
    }
}

/// The field that takes the whole body, marked `#[schemars(extend("x-body" = true))]`. Where a client
/// may send any field, this keeps its fields apart from the captures.
fn whole_body_field(request: &Value) -> Option<String> {
    let fields = request.get("properties")?.as_object()?;
    let marked = |schema: &Value| schema.get("x-body") == Some(&Value::Bool(true));
    let found = fields.iter().find(|(_, schema)| marked(schema));
    found.map(|(name, _)| name.clone())
}

/// The name in `{name}` or `{name*}`.
pub(crate) fn capture_name(segment: &str) -> Option<&str> {
    let inner = segment.strip_prefix('{')?.strip_suffix('}')?;
    Some(inner.strip_suffix('*').unwrap_or(inner))
}

fn captured(found: &Found) -> Input {
    found
        .captures
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::String(value.clone())))
        .collect()
}

/// Reads the request from a tree that is wiped afterwards, also when it is refused.
fn decode<T: DeserializeOwned>(input: Input) -> Result<T, Fault> {
    let input = Wiped(Value::Object(input));
    serde_path_to_error::deserialize(&*input).map_err(|error| {
        let field = error.path().to_string();
        let reason = without_value(&error.into_inner().to_string());
        let field = match field.as_str() {
            "." | "?" => culprit::<T>(&input),
            _ => Some(field),
        };
        match field {
            Some(field) => Fault::Invalid(format!("field {field:?}: {reason}")),
            None => Fault::Invalid(reason),
        }
    })
}

/// The field that a request type would do without: of types that are put together of others the decoder can not say
/// which one it was.
fn culprit<T: DeserializeOwned>(input: &Value) -> Option<String> {
    let fields = input.as_object()?;
    serde_json::to_writer(Room(MAX_SUSPECT_BYTES), input).ok()?;
    let without = |name: &&String| {
        let rest: Input = fields
            .iter()
            .filter(|(other, _)| other != name)
            .map(|(other, value)| (other.clone(), value.clone()))
            .collect();
        T::deserialize(&*Wiped(Value::Object(rest))).is_ok()
    };
    fields.keys().take(MAX_SUSPECTS).find(without).cloned()
}

/// Takes so many bytes, keeps none, and refuses more.
struct Room(usize);

impl std::io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(std::io::ErrorKind::WriteZero)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The decoder's own words for a wrong type quote the value, which may be a secret: only what was
/// expected is told.
fn without_value(reason: &str) -> String {
    match reason.rsplit_once(", expected ") {
        Some((quoting, expected)) if quoting.starts_with("invalid ") => {
            format!("expected {expected}")
        }
        _ => reason.to_owned(),
    }
}

fn call<'a, E: Sync, R: Handle<E>>(engine: &'a E, cx: &'a Ctx, input: Input) -> Answer<'a, Reply> {
    Box::pin(async move {
        let request: R = decode(input)?;
        request.handle(engine, cx).await?.reply()
    })
}

fn exists<'a, E: Sync, R: Exists<E>>(engine: &'a E, cx: &'a Ctx, input: Input) -> Answer<'a, bool> {
    Box::pin(async move {
        let request: R = decode(input)?;
        request.exists(engine, cx).await
    })
}

fn role<'a, E: Sync, R: Role<E>>(
    engine: &'a E,
    cx: &'a Ctx,
    input: Input,
) -> Answer<'a, Option<String>> {
    Box::pin(async move {
        match decode::<R>(input) {
            Ok(request) => request.role(engine, cx).await,
            Err(_) => Ok(None), // What is wrong with it, the login will say.
        }
    })
}

fn renew<'a, E: Sync, L: Lease<E>>(
    engine: &'a E,
    cx: &'a Ctx,
    payload: Value,
    ask: &'a Renewal,
) -> Answer<'a, Timestamp> {
    Box::pin(async move {
        let lease: L = serde_json::from_value(payload).map_err(Fault::internal)?;
        lease.renew(engine, cx, ask).await
    })
}

fn stay<'a, E: Sync, S: Session<E>>(
    engine: &'a E,
    cx: &'a Ctx,
    payload: Value,
) -> Answer<'a, Stay> {
    Box::pin(async move {
        let session: S = serde_json::from_value(payload).map_err(Fault::internal)?;
        session.renew(engine, cx).await
    })
}

fn revoke<'a, E: Sync, L: Lease<E>>(engine: &'a E, cx: &'a Ctx, payload: Value) -> Answer<'a, ()> {
    Box::pin(async move {
        let lease: L = serde_json::from_value(payload).map_err(Fault::internal)?;
        lease.revoke(engine, cx).await
    })
}

fn unknown_kind(lease: &NewLease) -> Fault {
    Fault::internal(format!(
        "the engine knows no lease of kind {:?}",
        lease.kind
    ))
}

/// How often an engine wants its tick, for the kernel's clockwork.
pub(crate) fn tick_of<E: Engine>() -> Option<Duration> {
    E::TICK
}
