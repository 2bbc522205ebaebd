//! `identity/mfa/method`: how codes are made.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Int, Text, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

use super::super::enforcement::Enforcement;
use super::super::method::{self, HashName, Method, Terms};
use super::{check_id, listed};
use crate::identity::edit::{Draft, Edit};
use crate::open::Open;

/// The shortest and the longest secret, in bytes. RFC 4226 section 4 wants 128 bits at least.
const KEY_BYTES: std::ops::RangeInclusive<i64> = 16..=128;
/// The widest picture, in pixels.
const MAX_QR_PIXELS: i64 = 1_000;
/// The longest name and issuer, in bytes.
const MAX_NAME_BYTES: usize = 128;
/// The longest time that a code is shown.
const MAX_PERIOD: Duration = Duration::from_secs(60 * 60);
/// The most wrong codes in a row that lock nobody out.
const MAX_ATTEMPTS: i64 = 100;
/// The same where nobody says otherwise.
const DEFAULT_ATTEMPTS: i64 = 5;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("mfa/method", "Lists the methods of second factors.").list::<ListMethods>(),
        path("mfa/method/{method_id}", "One method.").read::<ReadMethod>(),
        path("mfa/method/totp", "Methods with codes by time.")
            .list::<ListTotp>()
            .write::<CreateTotp>(),
        path(
            "mfa/method/totp/{method_id}",
            "A method with codes by time.",
        )
        .read::<ReadTotp>()
        .write::<UpdateTotp>()
        .delete::<DeleteTotp>(),
    ])
}

/// Lists the methods of this namespace and those above it.
#[derive(Deserialize, JsonSchema)]
struct ListMethods {}

impl Handle<Open> for ListMethods {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        list(open).await
    }
}

/// Lists the methods with codes by time.
#[derive(Deserialize, JsonSchema)]
struct ListTotp {}

impl Handle<Open> for ListTotp {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        list(open).await
    }
}

async fn list(open: &Open) -> Result<Reply, Fault> {
    let methods = method::all(open).await?.into_iter();
    listed(
        methods
            .map(|(method, home)| (method.id.clone(), shown(&method, &home)))
            .collect::<Map<String, Value>>(),
    )
}

/// Shows a method.
#[derive(Deserialize, JsonSchema)]
struct ReadMethod {
    /// Its id.
    method_id: String,
}

impl Handle<Open> for ReadMethod {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        read(open, &self.method_id).await
    }
}

/// Shows a method with codes by time.
#[derive(Deserialize, JsonSchema)]
struct ReadTotp {
    /// Its id.
    method_id: String,
}

impl Handle<Open> for ReadTotp {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        read(open, &self.method_id).await
    }
}

async fn read(open: &Open, id: &str) -> Result<Reply, Fault> {
    check_id(id)?;
    let (method, home) = method::find(open, id).await?.ok_or(Fault::NotFound)?;
    Reply::data(&shown(&method, &home))
}

fn shown(method: &Method, home: &Open) -> Value {
    json!({
        "type": "totp",
        "id": method.id,
        "name": method.name,
        "issuer": method.issuer,
        "period": method.terms.period.as_secs(),
        "algorithm": method.terms.hash.name(),
        "digits": method.terms.digits,
        "skew": method.terms.skew,
        "key_size": method.key_size,
        "qr_size": method.qr_size,
        "max_validation_attempts": method.max_attempts,
        "namespace_id": home.space.record().shown_id(),
        "namespace_path": home.space.path,
    })
}

/// What a client says about a method with codes by time. What it does not say is as it is for a new one, also in an
/// update.
#[derive(Deserialize, JsonSchema)]
struct Totp {
    /// Its id, which the path tells; a new method is given one.
    #[serde(default)]
    method_id: String,
    /// What people call it.
    #[serde(default)]
    method_name: Option<Text>,
    /// Who people see in their authenticator.
    #[serde(default)]
    issuer: Text,
    /// How long a code is shown.
    #[serde(default)]
    period: Option<Ttl>,
    /// How many bytes a secret has, 16 to 128.
    #[serde(default)]
    key_size: Option<Int>,
    /// How many pixels wide the picture of a secret is; 0 for no picture.
    #[serde(default)]
    qr_size: Option<Int>,
    /// SHA1, SHA256 or SHA512.
    #[serde(default)]
    algorithm: Option<Text>,
    /// How many digits a code has, 6 or 8.
    #[serde(default)]
    digits: Option<Int>,
    /// How many periods a device's clock may be off, 0 or 1.
    #[serde(default)]
    skew: Option<Int>,
    /// How many wrong codes in a row lock somebody out for a while.
    #[serde(default)]
    max_validation_attempts: Option<Int>,
}

impl Totp {
    fn read(self, id: String, old_name: &str) -> Result<Method, Fault> {
        let refuse = |text: &str| Err(Fault::invalid(text));
        let number = |given: Option<Int>, default: i64| given.map_or(default, |Int(number)| number);
        let issuer = self.issuer.0;
        if issuer.is_empty() {
            return refuse("issuer must be set");
        }
        let name = self
            .method_name
            .map_or_else(|| old_name.to_owned(), |Text(name)| name);
        if issuer.len().max(name.len()) > MAX_NAME_BYTES {
            return Err(Fault::Invalid(format!(
                "issuer and method_name have at most {MAX_NAME_BYTES} bytes"
            )));
        }
        let period = self
            .period
            .map_or(Duration::from_secs(30), |Ttl(period)| period);
        if period < Duration::from_secs(1) {
            return refuse("period must be greater than zero");
        }
        if period > MAX_PERIOD {
            return refuse("period must be an hour at most");
        }
        let digits = match number(self.digits, 6) {
            6 => 6,
            8 => 8,
            _ => return refuse("digits can only be 6 or 8"),
        };
        let skew = match number(self.skew, 1) {
            0 => 0,
            1 => 1,
            _ => return refuse("skew must be 0 or 1"),
        };
        let hash = match self.algorithm {
            None => HashName::Sha1,
            Some(Text(name)) => {
                HashName::parse(&name).ok_or_else(|| Fault::invalid("unrecognized algorithm"))?
            }
        };
        let key_size = number(self.key_size, 20);
        if key_size <= 0 {
            return refuse("key_size must be greater than zero");
        }
        if !KEY_BYTES.contains(&key_size) {
            return refuse("key_size must be 16 to 128 bytes");
        }
        let qr_size = number(self.qr_size, 200);
        if !(0..=MAX_QR_PIXELS).contains(&qr_size) {
            return refuse("qr_size must be 0 to 1000 pixels");
        }
        let attempts = match number(self.max_validation_attempts, DEFAULT_ATTEMPTS) {
            0 => DEFAULT_ATTEMPTS,
            attempts if attempts < 0 => {
                return refuse("max_validation_attempts must be greater than zero");
            }
            attempts => attempts.min(MAX_ATTEMPTS),
        };
        Ok(Method {
            id,
            name,
            issuer,
            terms: Terms {
                hash,
                digits,
                period: Duration::from_secs(period.as_secs()),
                skew,
            },
            key_size: u16::try_from(key_size).unwrap_or(u16::MAX),
            qr_size: u16::try_from(qr_size).unwrap_or_default(),
            max_attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        })
    }
}

/// Makes a method with codes by time, or changes the one of that name.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct CreateTotp(Totp);

impl Handle<Open> for CreateTotp {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let method = self.0.read(cx.random.uuid_v4(), "")?;
        let id = open.space.mfa.edit(&Create(method), cx.now).await?;
        Reply::data(&json!({ "method_id": id }))
    }
}

/// Changes a method. Secrets that were handed out go on as they are.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct UpdateTotp(Totp);

impl Handle<Open> for UpdateTotp {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        let id = self.0.method_id.clone();
        check_id(&id)?;
        let old = own(open, &id).await?.ok_or(Fault::NotFound)?;
        let method = self.0.read(id, &old.name)?;
        open.space.mfa.edit(&Update(method), cx.now).await?;
        Ok(Empty)
    }
}

/// The method with an id, if it is of this very namespace; one of a namespace above is not changed from here.
async fn own(open: &Open, id: &str) -> Result<Option<Method>, Fault> {
    match method::find(open, id).await? {
        Some((_, home)) if home.space.id != open.space.id => Err(Fault::invalid(
            "request namespace does not match method namespace",
        )),
        found => Ok(found.map(|(method, _)| method)),
    }
}

struct Create(Method);

impl Edit for Create {
    type Done = String;

    async fn decide(&self, draft: &mut Draft) -> Result<String, Fault> {
        let mut method = self.0.clone();
        if let Some(known) = named(draft, &method.name).await? {
            method.id = known;
        }
        draft.put(&method.id, &method)?;
        Ok(method.id)
    }
}

struct Update(Method);

impl Edit for Update {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        let method = &self.0;
        let known = named(draft, &method.name).await?;
        if known.is_some_and(|known| known != method.id) {
            return Err(Fault::Invalid(format!(
                "a login MFA method configuration with the method name {} already exists",
                method.name
            )));
        }
        draft
            .get::<Method>(&method.id)
            .await?
            .ok_or(Fault::NotFound)?;
        draft.put(&method.id, method)
    }
}

/// The id of the method of a name; no name is nobody's.
async fn named(draft: &Draft, name: &str) -> Result<Option<String>, Fault> {
    if name.is_empty() {
        return Ok(None);
    }
    let methods = draft.all::<Method>().await?.into_iter();
    let mut named = methods.filter(|(_, method)| method.name == name);
    Ok(named.next().map(|(id, _)| id))
}

/// Takes a method away that no enforcement names, with all its secrets.
#[derive(Deserialize, JsonSchema)]
struct DeleteTotp {
    /// Its id.
    method_id: String,
}

impl Handle<Open> for DeleteTotp {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_id(&self.method_id)?;
        if own(open, &self.method_id).await?.is_none() {
            return Ok(Empty);
        }
        let mfa = &open.space.mfa;
        mfa.edit(&self, cx.now).await?;
        mfa.free_seats(&self.method_id).await?;
        Ok(Empty)
    }
}

impl Edit for DeleteTotp {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        let enforcements = draft.all::<Enforcement>().await?;
        let mut using = enforcements.iter();
        let using = using.find(|(_, enforcement)| enforcement.methods.contains(&self.method_id));
        if let Some((_, enforcement)) = using {
            return Err(Fault::Invalid(format!(
                "methodID is still used by an enforcement configuration with ID: {}",
                enforcement.id
            )));
        }
        draft.delete::<Method>(&self.method_id)
    }
}
