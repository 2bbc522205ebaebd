//! A whole kernel over memory, driven by requests, with a clock that the test moves.
//!
//! Run tests with `#[tokio::test(start_paused = true)]`: the worker's waits then cost nothing, and
//! [`Harness::advance`] returns when everything that became due is done.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

pub mod bells;
pub mod counting;
pub mod faulty;
pub mod gates;
pub mod keeper;
pub mod otp;
pub mod outside;
mod passport;
mod restless;
pub mod shelves;
pub mod snapshots;
pub mod streams;
pub mod tickets;

use std::sync::Arc;
use std::time::Duration;

use coffer_barrier::seal::SealConfig;
use coffer_crypto::{Random, Secret};
use coffer_engine::{Body, Class, Fault, Kind};
use coffer_kernel::open::Open;
use coffer_kernel::{Clock, Kernel, Request, Response, Settings};
use coffer_storage::{Memory, Store};
use coffer_wire::{ApiPath, Timestamp, Verb};
use serde_json::{Map, Value, json};

use passport::Passport;
pub use restless::Restless;
use tickets::Tickets;

/// Longer than the worker's longest sleep and than its waits between retries.
const WORKER_ROUND: Duration = Duration::from_secs(61);

/// An initialised, open server.
pub struct Harness {
    /// The kernel.
    pub kernel: Arc<Kernel>,
    /// The time.
    pub clock: Clock,
    /// The first root token.
    pub root: String,
    /// The unseal key.
    pub key: String,
}

/// What a request was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status as the edge would give it.
    pub status: u16,
    /// The envelope: `data`, `auth`, `warnings`, `lease_id`, `lease_duration`, or `errors`.
    pub json: Value,
}

impl Answer {
    /// The data.
    pub fn data(&self) -> &Value {
        &self.json["data"]
    }

    /// The token that was issued or renewed.
    pub fn auth(&self) -> &Value {
        &self.json["auth"]
    }

    /// The issued token itself.
    pub fn token(&self) -> String {
        text(&self.auth()["client_token"])
    }

    /// The issued token's accessor.
    pub fn accessor(&self) -> String {
        text(&self.auth()["accessor"])
    }

    /// The first error.
    pub fn error(&self) -> String {
        text(&self.json["errors"][0])
    }

    /// The warnings.
    pub fn warnings(&self) -> Vec<String> {
        texts(&self.json["warnings"])
    }

    /// The keys of a list.
    pub fn keys(&self) -> Vec<String> {
        texts(&self.data()["keys"])
    }
}

impl Harness {
    /// A server over memory.
    pub async fn new() -> Self {
        Self::over(Arc::new(Memory::new())).await
    }

    /// A server over memory that lets other tasks run before every access; each seed another order.
    pub async fn restless(seed: u64) -> Self {
        Self::over(Arc::new(Restless::new(seed))).await
    }

    /// A server over this store, which is empty.
    pub async fn over(store: Arc<dyn Store>) -> Self {
        Self::with(Self::settings(), store).await
    }

    /// The settings of a server over nothing special: tickets and passports.
    pub fn settings() -> Settings {
        Settings::new(vec![
            Kind::new::<Tickets>(Class::Secret),
            Kind::new::<Passport>(Class::Auth),
        ])
    }

    /// A server with these settings.
    pub async fn with(settings: Settings, store: Arc<dyn Store>) -> Self {
        let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
        let kernel = Kernel::new(settings, store, Random::system(), clock.clone())
            .await
            .unwrap();
        let made = kernel
            .initialise(SealConfig::new(1, 1).unwrap())
            .await
            .unwrap();
        let harness = Self {
            kernel,
            clock,
            root: made.root_token.expose().clone(),
            key: hex::encode(&made.shares[0]),
        };
        harness.unseal().await;
        harness
    }

    async fn unseal(&self) {
        let unsealed = self
            .request(Verb::Write, "sys/unseal", "", json!({ "key": self.key }))
            .await;
        assert_eq!(unsealed.status, 200, "{unsealed:?}");
    }

    /// Another server over what this one stored, as after a crash: this one is not stopped in order.
    pub async fn restarted(&self, settings: Settings, store: Arc<dyn Store>) -> Self {
        let clock = self.clock.clone();
        let kernel = Kernel::new(settings, store, Random::system(), clock.clone())
            .await
            .unwrap();
        let harness = Self {
            kernel,
            clock,
            root: self.root.clone(),
            key: self.key.clone(),
        };
        harness.unseal().await;
        harness
    }

    /// Lets so many seconds pass, for the clock and for the worker alike. Only with paused time.
    pub async fn pass(&self, secs: u64) {
        for _ in 0..secs * 4 {
            self.clock.advance(Duration::from_millis(250));
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// The open parts, as seen from the root namespace.
    pub fn open(&self) -> Open {
        self.kernel.core().unwrap().root()
    }

    /// Any request; an empty token is none.
    pub async fn request(&self, verb: Verb, path: &str, token: &str, body: Value) -> Answer {
        self.request_from("127.0.0.1", verb, path, token, body)
            .await
    }

    /// As [`Harness::request`], from an address.
    pub async fn request_from(
        &self,
        address: &str,
        verb: Verb,
        path: &str,
        token: &str,
        body: Value,
    ) -> Answer {
        let client = (address.parse::<std::net::IpAddr>().unwrap(), 4711).into();
        self.request_with(verb, path, token, body, |request| {
            request.client = Some(client);
        })
        .await
    }

    /// As [`Harness::request`], with the header that names a namespace.
    pub async fn in_ns(
        &self,
        namespace: &str,
        verb: Verb,
        path: &str,
        token: &str,
        body: Value,
    ) -> Answer {
        self.request_with(verb, path, token, body, |request| {
            request.namespace = namespace.to_owned();
        })
        .await
    }

    /// As [`Harness::request`], changed before it is sent.
    pub async fn request_with(
        &self,
        verb: Verb,
        path: &str,
        token: &str,
        body: Value,
        change: impl FnOnce(&mut Request),
    ) -> Answer {
        let mut request =
            Request::internal("a-request".into(), verb, ApiPath::parse(path).unwrap());
        request.client = Some(([127, 0, 0, 1], 4711).into());
        request.token = (!token.is_empty()).then(|| Arc::new(Secret::new(token.to_owned())));
        request.body.0 = match body {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        change(&mut request);
        match self.kernel.handle(request).await {
            Ok(response) => answered(response),
            Err(refusal) => refused(&refusal.fault),
        }
    }

    /// A write.
    pub async fn write(&self, path: &str, token: &str, body: Value) -> Answer {
        self.request(Verb::Write, path, token, body).await
    }

    /// A read.
    pub async fn read(&self, path: &str, token: &str) -> Answer {
        self.request(Verb::Read, path, token, Value::Null).await
    }

    /// A list.
    pub async fn list(&self, path: &str, token: &str) -> Answer {
        self.request(Verb::List, path, token, Value::Null).await
    }

    /// A deletion.
    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        self.request(Verb::Delete, path, token, Value::Null).await
    }

    /// Writes a policy.
    pub async fn policy(&self, name: &str, text: &str) {
        let path = format!("sys/policies/acl/{name}");
        let written = self
            .write(&path, &self.root, json!({ "policy": text }))
            .await;
        assert_eq!(written.status, 204, "{written:?}");
    }

    /// Makes a token by `auth/token/create`.
    pub async fn create(&self, by: &str, wish: Value) -> Answer {
        let made = self.write("auth/token/create", by, wish).await;
        assert_eq!(made.status, 200, "{made:?}");
        made
    }

    /// Whether the token is taken.
    pub async fn lives(&self, token: &str) -> bool {
        match self.read("auth/token/lookup-self", token).await.status {
            200 => true,
            403 => false,
            other => panic!("lookup-self answered {other}"),
        }
    }

    /// Mounts the engine of tickets at `tickets/`: `issue/NAME` grants one with a lease, `config`
    /// `{"refuse": true}` makes its revocations fail, `live` lists the tickets that are not undone.
    pub async fn mount_tickets(&self) {
        let done = self
            .write(
                "sys/mounts/tickets",
                &self.root,
                json!({ "type": "tickets" }),
            )
            .await;
        assert_eq!(done.status, 204, "{done:?}");
    }

    /// Enables the auth method that believes everything at `auth/passport/`; its accessor. `login` takes `name`,
    /// `groups`, `metadata`, `policies`, `ttl`, `batch`, and `password`, which is `right` or wrong.
    pub async fn enable_passport(&self) -> String {
        self.enable_passport_in("").await
    }

    /// As [`Harness::enable_passport`], in a namespace.
    pub async fn enable_passport_in(&self, namespace: &str) -> String {
        let (path, root) = ("sys/auth/passport", self.root.as_str());
        let wish = json!({ "type": "passport" });
        let done = self.in_ns(namespace, Verb::Write, path, root, wish).await;
        assert_eq!(done.status, 204, "{done:?}");
        let mounts = self.in_ns(namespace, Verb::Read, "sys/auth", root, Value::Null);
        text(&mounts.await.data()["passport/"]["accessor"])
    }

    /// The tickets that are not undone.
    pub async fn tickets(&self) -> Vec<String> {
        self.list("tickets/live", &self.root).await.keys()
    }

    /// Moves the clock and waits until the worker has done what became due. Only with paused time.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.settle().await;
    }

    /// Waits until the worker has done what is due, retries included. Only with paused time.
    pub async fn settle(&self) {
        tokio::time::sleep(WORKER_ROUND).await;
    }
}

fn answered(response: Response) -> Answer {
    let data = match &response.body {
        Body::Json(text) | Body::JsonAlsoAtTop(text) | Body::JsonBare(text) => {
            serde_json::from_slice(text).unwrap()
        }
        Body::Empty | Body::Raw { .. } | Body::Stream(_) => Value::Null,
    };
    let empty = data.is_null()
        && response.auth.is_none()
        && response.warnings.is_empty()
        && response.lease_id.is_empty()
        && response.wrap_info.is_none();
    let json = json!({
        "data": data,
        "auth": response.auth,
        "warnings": response.warnings,
        "lease_id": response.lease_id,
        "lease_duration": response.lease_duration,
        "renewable": response.renewable,
        "wrap_info": response.wrap_info,
    });
    let status = response.status.unwrap_or(if empty { 204 } else { 200 });
    Answer { status, json }
}

fn refused(fault: &Fault) -> Answer {
    let status = match fault {
        Fault::Invalid(_) => 400,
        Fault::NotFound | Fault::Missing(_) | Fault::Gone(_) | Fault::UnsupportedPath => 404,
        Fault::Expired(_) => 410,
        Fault::UnsupportedVerb => 405,
        Fault::Denied | Fault::Forbidden(_) => 403,
        Fault::Conflict(_) => 409,
        Fault::TooLarge(_) => 413,
        Fault::TooMany(_) => 429,
        Fault::Unavailable(_) | Fault::Sealed => 503,
        _ => 500,
    };
    Answer {
        status,
        json: json!({ "errors": [fault.to_string()] }),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .map(|all| all.iter().map(text).collect())
        .unwrap_or_default()
}
