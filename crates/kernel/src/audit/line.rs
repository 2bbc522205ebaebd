//! One line of the log, in the schema that Vault's tools read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::{WipingBuffer, Zeroizing};
use coffer_engine::{Body, Fault, TokenKind};
use coffer_wire::{Auth, Timestamp, Wiped, write_json};
use serde_json::{Map, Value};

use super::entry::{RequestFacts, ResponseFacts, class};
use super::filter::Exclude;
use super::hash::{Hasher, Object, Shown, Veil};
use super::options::Options;
use super::schema::{
    AuthLine, GrantingLine, Headers, Line, NamespaceLine, PolicyLine, RequestLine, ResponseLine,
    SecretLine, WrapLine,
};

/// What most lines fit into, in bytes.
const LINE_BYTES_USUAL: usize = 2_048;

/// How one device writes.
pub(super) struct Format {
    pub hasher: Hasher,
    pub log_raw: bool,
    pub hmac_accessor: bool,
    pub elide_list_responses: bool,
    pub prefix: String,
    pub exclude: Exclude,
}

/// The data of an answer, parsed once for all devices and wiped after.
#[derive(Default)]
pub(super) struct Data(Option<Wiped<Map<String, Value>>>);

impl Data {
    /// Of an answer: what its body says, or why there is none.
    pub fn of(response: &ResponseFacts<'_>) -> Self {
        if let Some(text) = response.fault.and_then(client_text) {
            return Self(Some(Wiped(Map::from_iter([("error".into(), text.into())]))));
        }
        Self(match response.body {
            None | Some(Body::Empty) => None,
            Some(Body::Json(text) | Body::JsonAlsoAtTop(text) | Body::JsonBare(text)) => {
                Some(Wiped(parsed(text)))
            }
            Some(Body::Raw { media_type, bytes }) => {
                Some(Wiped(raw(media_type, bytes, response.status)))
            }
            // What is sent piece by piece begins when this was written down.
            Some(Body::Stream(stream)) => stream.media_type.map(|media_type| {
                let kind = ("http_content_type".into(), media_type.into());
                let status = ("http_status_code".into(), response.status.into());
                Wiped(Map::from_iter([kind, status]))
            }),
        })
    }
}

/// What the client reads about a fault; nothing where the reference records an empty answer.
fn client_text(fault: &Fault) -> Option<String> {
    match fault {
        Fault::NotFound | Fault::Gone(_) => None,
        Fault::Internal(_) => Some("internal error".into()),
        other => Some(other.to_string()),
    }
}

/// What is no object after all (or nests too deeply to be read) is one leaf, so that it is hashed as
/// a whole.
fn parsed(text: &[u8]) -> Map<String, Value> {
    let leaf = match serde_json::from_slice(text) {
        Ok(Value::Object(map)) => return map,
        Ok(Value::Null) => return Map::new(),
        Ok(other) => other,
        Err(_) => String::from_utf8_lossy(text).into_owned().into(),
    };
    Map::from_iter([("value".into(), leaf)])
}

fn raw(media_type: &str, bytes: &[u8], status: u16) -> Map<String, Value> {
    let body = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => STANDARD.encode(bytes),
    };
    Map::from_iter([
        ("http_content_type".into(), media_type.into()),
        ("http_raw_body".into(), body.into()),
        ("http_status_code".into(), status.into()),
    ])
}

impl Format {
    pub fn new(hasher: Hasher, options: &Options) -> Self {
        Self {
            hasher,
            log_raw: options.log_raw,
            hmac_accessor: options.hmac_accessor,
            elide_list_responses: options.elide_list_responses,
            prefix: options.prefix.clone(),
            exclude: options.exclude.clone(),
        }
    }

    /// The most careful format.
    pub fn hashing(hasher: Hasher) -> Self {
        Self {
            hasher,
            log_raw: false,
            hmac_accessor: true,
            elide_list_responses: false,
            prefix: String::new(),
            exclude: Exclude::default(),
        }
    }

    /// The line of a request, line break included.
    pub fn request(
        &self,
        facts: &RequestFacts<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
        self.finish(&Line {
            time: facts.time,
            kind: "request",
            auth: self.caller(facts),
            request: self.asked(facts),
            response: None,
            error: facts.refusal.and_then(class),
        })
    }

    /// The line of an answer, line break included.
    pub fn response(
        &self,
        facts: &RequestFacts<'_>,
        answer: &ResponseFacts<'_>,
        data: &Data,
    ) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
        // A login's answer is made in the name of the token that it issues.
        let auth = match answer.auth.filter(|_| facts.token.is_none()) {
            Some(auth) => AuthLine {
                entity_created: answer.entity_created,
                ..self.issued(answer, auth)
            },
            None => self.caller(facts),
        };
        self.finish(&Line {
            time: answer.time,
            kind: "response",
            auth,
            request: self.asked(facts),
            response: Some(self.answered(facts, answer, data)),
            error: answer.fault.and_then(class),
        })
    }

    fn finish(&self, line: &Line<'_>) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
        let mut buffer = WipingBuffer::with_capacity(LINE_BYTES_USUAL);
        buffer.extend(self.prefix.as_bytes());
        if self.exclude.is_empty() {
            write_json(&mut buffer, line)?;
        } else {
            let mut whole = WipingBuffer::with_capacity(LINE_BYTES_USUAL);
            write_json(&mut whole, line)?;
            self.exclude.apply(whole.as_slice(), &mut buffer)?;
        }
        buffer.extend(b"\n");
        Ok(buffer.into_inner())
    }

    fn veil<'a>(&'a self, plain_keys: &'a [String]) -> Veil<'a> {
        let hasher = (!self.log_raw).then_some(&self.hasher);
        Veil { hasher, plain_keys }
    }

    fn token<'a>(&self, token: &'a str) -> Option<Shown<'a>> {
        (!token.is_empty()).then(|| self.veil(&[]).text(token))
    }

    fn accessor<'a>(&self, accessor: &'a str) -> Option<Shown<'a>> {
        match self.hmac_accessor {
            true => self.token(accessor),
            false => (!accessor.is_empty()).then_some(Shown::Plain(accessor)),
        }
    }

    fn caller<'a>(&self, facts: &RequestFacts<'a>) -> AuthLine<'a> {
        let token = facts.token.unwrap_or_default();
        let secret = facts.client_token.filter(|_| facts.token.is_some());
        AuthLine {
            client_token: secret.and_then(|secret| self.token(secret.expose())),
            accessor: self.accessor(token.accessor),
            display_name: token.display_name,
            policies: token.policies,
            token_policies: token.token_policies,
            identity_policies: token.identity_policies,
            no_default_policy: token.no_default_policy,
            policy_results: facts.policy_results.map(|results| PolicyLine {
                allowed: results.allowed,
                granting_policies: results.granting.iter().map(GrantingLine::of).collect(),
            }),
            metadata: token.metadata.filter(|metadata| !metadata.is_empty()),
            num_uses: token.num_uses,
            remaining_uses: token.remaining_uses,
            entity_id: token.entity_id,
            entity_created: false,
            token_type: match (facts.token.is_some(), token.kind) {
                (false, _) => "default",
                (true, TokenKind::Service) => "service",
                (true, TokenKind::Batch) => "batch",
            },
            token_ttl: token.ttl.as_secs(),
            token_issue_time: token.issued.map(Timestamp::whole_seconds),
        }
    }

    fn issued<'a>(&self, answer: &ResponseFacts<'a>, auth: &'a Auth) -> AuthLine<'a> {
        let metadata = auth.metadata.as_ref();
        AuthLine {
            client_token: self.token(&auth.client_token),
            accessor: self.accessor(&auth.accessor),
            display_name: answer.display_name,
            policies: &auth.policies,
            token_policies: &auth.token_policies,
            identity_policies: &auth.identity_policies,
            metadata: metadata.filter(|metadata| !metadata.is_empty()),
            num_uses: auth.num_uses,
            entity_id: &auth.entity_id,
            token_type: &auth.token_type,
            token_ttl: auth.lease_duration,
            token_issue_time: answer.issued.map(Timestamp::whole_seconds),
            ..AuthLine::default()
        }
    }

    fn asked<'a>(&'a self, facts: &RequestFacts<'a>) -> RequestLine<'a> {
        let mount = facts.mount.unwrap_or_default();
        let token = facts.token.unwrap_or_default();
        let secret = facts.client_token;
        RequestLine {
            id: facts.id,
            client_id: facts.client_id,
            operation: facts.operation,
            mount_point: mount.point,
            mount_type: mount.kind,
            mount_accessor: mount.accessor,
            mount_running_version: mount.running_version,
            mount_class: mount.class,
            client_token: secret.and_then(|secret| self.token(secret.expose())),
            client_token_accessor: self.accessor(token.accessor),
            namespace: NamespaceLine::of(facts.namespace),
            path: facts.path,
            data: facts
                .data
                .filter(|data| !data.is_empty())
                .map(|map| Object {
                    map,
                    veil: self.veil(mount.plain_request_keys),
                    elided: false,
                }),
            remote_address: facts.remote_address,
            remote_port: facts.remote_port,
            client_certificate_serial_number: facts.client_certificate_serial_number,
            wrap_ttl: facts.wrap_ttl.as_secs(),
            headers: Headers {
                headers: facts.headers,
                hasher: &self.hasher,
            },
        }
    }

    fn answered<'a>(
        &'a self,
        facts: &RequestFacts<'a>,
        answer: &ResponseFacts<'a>,
        data: &'a Data,
    ) -> ResponseLine<'a> {
        let mount = facts.mount.unwrap_or_default();
        let lists = matches!(facts.operation, "list" | "scan");
        ResponseLine {
            auth: answer.auth.map(|auth| self.issued(answer, auth)),
            mount_point: mount.point,
            mount_type: mount.kind,
            mount_accessor: mount.accessor,
            mount_running_plugin_version: mount.running_version,
            mount_class: mount.class,
            secret: answer.lease_id.map(|lease_id| SecretLine { lease_id }),
            data: data.0.as_ref().map(|map| Object {
                map,
                veil: self.veil(mount.plain_response_keys),
                elided: self.elide_list_responses && lists,
            }),
            warnings: answer.warnings,
            wrap_info: answer.wrap_info.map(|info| WrapLine {
                ttl: info.ttl,
                token: self.token(&info.token),
                accessor: self.accessor(&info.accessor),
                creation_time: info.creation_time,
                creation_path: &info.creation_path,
                wrapped_accessor: self.accessor(&info.wrapped_accessor),
            }),
            redirect: answer.redirect,
            headers: answer.headers.filter(|headers| !headers.is_empty()),
        }
    }
}
