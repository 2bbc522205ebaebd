//! An engine in memory, for tests that speak to it by path.
//!
//! No kernel: no policies, no audit, no tokens. Leases are kept in a list that the test can renew and
//! revoke; time stands still until the test moves it.

#![expect(
    clippy::expect_used,
    reason = "a bench that can not be built is a failed test"
)]

mod everything;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use coffer_barrier::{Barrier, View};
use coffer_crypto::{Aes256Key, Random, Secret};
use coffer_storage::{Batch, Memory};
use coffer_wire::{Timestamp, Verb};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::lease::{NewLease, Renewal};
use crate::outbound::{self, Nowhere, Outbound};
use crate::{
    Answer, Body, Caller, Ctx, Engine, Event, Fault, Intent, Live, Miss, MountInfo, Mounted,
    Nesting, Reply, RequestInfo, Services, Stay, Upload,
};

/// One mounted engine over memory.
pub struct Bench<E> {
    live: Live<E>,
    view: View,
    mount: Arc<MountInfo>,
    book: Arc<Book>,
    /// The time that the next request sees.
    pub now: Timestamp,
    /// Who asks.
    pub caller: Caller,
    /// Where requests come from.
    pub client: Option<std::net::IpAddr>,
    /// What clients show in the TLS handshake.
    pub certificates: Arc<[Vec<u8>]>,
}

/// The leases and intents of a bench, and whom its engine can ask.
struct Book {
    leases: Mutex<BTreeMap<String, NewLease>>,
    outbound: std::sync::RwLock<Arc<dyn Outbound>>,
    events: std::sync::Mutex<Vec<Event>>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            leases: Mutex::default(),
            outbound: std::sync::RwLock::new(Arc::new(Nowhere)),
            events: std::sync::Mutex::default(),
        }
    }
}

/// What a request on the bench answered.
#[derive(Debug)]
pub struct Answered {
    /// The data, null where there was none.
    pub data: Value,
    /// The whole reply.
    pub reply: Reply,
    /// The lease, where one was granted.
    pub lease_id: Option<String>,
}

impl<E: Engine> Bench<E> {
    /// Mounts an engine at `test/` with TTLs of 768 hours.
    pub async fn new() -> Self {
        Self::with_options(&[]).await
    }

    /// Mounts an engine with these mount options.
    pub async fn with_options(options: &[(&str, &str)]) -> Self {
        let random = Random::system();
        let barrier = Arc::new(Barrier::new(Arc::new(Memory::new()), random.clone()));
        let root = Aes256Key::generate(&random).expect("a key");
        barrier
            .initialise(&root, 0, Batch::new())
            .await
            .expect("a fresh barrier");
        barrier.unseal(root).await.expect("the right key");
        let hours = Duration::from_secs(768 * 3600);
        let options = options
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mount = MountInfo {
            path: "test/".into(),
            accessor: "test_accessor".into(),
            default_lease_ttl: hours,
            max_lease_ttl: hours,
            options,
        };
        let view = barrier.view("logical/test/");
        let caller = Caller {
            token_hash: "hash".into(),
            display_name: "token".into(),
            ..Caller::default()
        };
        let now = Timestamp::from_secs(1_800_000_000);
        let bench = Self {
            live: Live::new(E::new(&mount)),
            view,
            mount: Arc::new(mount),
            book: Arc::default(),
            now,
            caller,
            client: None,
            certificates: Arc::default(),
        };
        bench
            .live
            .begin(&bench.cx(Verb::Write, ""), None)
            .await
            .expect("the engine begins");
        bench
    }

    /// Lets the engine's requests to other servers go this way.
    pub fn reach(&self, outbound: impl Outbound + 'static) {
        *self.book.outbound.write().expect("nobody panicked") = Arc::new(outbound);
    }

    /// What the engine has emitted since this was last asked, in order.
    pub fn events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.book.events.lock().expect("nobody panicked"))
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    /// The mount's storage.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// A context as a handler would get it.
    pub fn cx(&self, verb: Verb, path: &str) -> Ctx {
        Ctx {
            view: self.view.clone(),
            now: self.now,
            random: Random::system(),
            request: Arc::new(RequestInfo {
                id: "test".into(),
                verb,
                path: format!("test/{path}"),
                client: self.client,
                certificates: Arc::clone(&self.certificates),
                headers: BTreeMap::new(),
                nesting: Nesting::default(),
            }),
            caller: Some(Arc::new(self.caller.clone())),
            token: None,
            upload: Upload::default(),
            mount: Arc::clone(&self.mount),
            services: Arc::clone(&self.book) as Arc<dyn Services>,
        }
    }

    /// A write without a look at leases, and its answer as it is: for measuring.
    pub async fn answer(&self, path: &str, input: Map<String, Value>) -> Result<Reply, Fault> {
        let found = self.live.find(Verb::Write, path);
        let found = found.map_err(|_| Fault::UnsupportedPath)?;
        let cx = self.cx(Verb::Write, path);
        self.live.call(&found, &cx, input).await
    }

    /// Any request.
    pub async fn request(&self, verb: Verb, path: &str, input: Value) -> Result<Answered, Fault> {
        let found = self.live.find(verb, path).map_err(|miss| match miss {
            Miss::Path => Fault::UnsupportedPath,
            Miss::Verb => Fault::UnsupportedVerb,
        })?;
        let cx = self.cx(verb, path);
        let input: Map<String, Value> = match input {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let before: Vec<String> = self.book.leases.lock().await.keys().cloned().collect();
        let reply = self.live.call(&found, &cx, input).await;
        let granted = reply
            .as_ref()
            .ok()
            .and_then(|reply| reply.lease.as_ref())
            .map(|grant| grant.intent.lease_id.clone());
        self.roll_back_unless_granted(&cx, &before, granted.as_deref())
            .await;
        let reply = reply?;
        Ok(Answered {
            data: data_of(&reply),
            lease_id: granted,
            reply,
        })
    }

    /// A read.
    pub async fn read(&self, path: &str) -> Result<Answered, Fault> {
        self.request(Verb::Read, path, Value::Null).await
    }

    /// A write.
    pub async fn write(&self, path: &str, input: Value) -> Result<Answered, Fault> {
        self.request(Verb::Write, path, input).await
    }

    /// A patch.
    pub async fn patch(&self, path: &str, input: Value) -> Result<Answered, Fault> {
        self.request(Verb::Patch, path, input).await
    }

    /// A deletion.
    pub async fn delete(&self, path: &str) -> Result<Answered, Fault> {
        self.request(Verb::Delete, path, Value::Null).await
    }

    /// The keys of a list.
    pub async fn list(&self, path: &str) -> Result<Vec<String>, Fault> {
        let answered = self.request(Verb::List, path, Value::Null).await?;
        Ok(answered
            .data
            .get("keys")
            .and_then(|keys| serde_json::from_value(keys.clone()).ok())
            .unwrap_or_default())
    }

    /// Whether the path says that its object is there; none where it can not tell.
    pub async fn exists(&self, path: &str) -> Option<bool> {
        let found = self.live.find(Verb::Write, path).ok()?;
        let cx = self.cx(Verb::Write, path);
        self.live.exists(&found, &cx)?.await.ok()
    }

    /// Renews a lease that was issued at `issued`.
    pub async fn renew(
        &self,
        lease_id: &str,
        issued: Timestamp,
        increment: Option<Duration>,
    ) -> Result<Timestamp, Fault> {
        let lease = self
            .book
            .leases
            .lock()
            .await
            .get(lease_id)
            .cloned()
            .ok_or(Fault::NotFound)?;
        let (default_ttl, max_ttl) = (self.mount.default_lease_ttl, self.mount.max_lease_ttl);
        let ask = Renewal {
            increment,
            issued,
            now: self.now,
            default_ttl,
            max_ttl,
        };
        self.live
            .renew(&self.cx(Verb::Write, ""), lease, &ask)
            .await
    }

    /// What the auth method says when the token of a login is renewed whose [`crate::Login::payload`] this is; none where
    /// it keeps nothing of logins.
    pub async fn stay(&self, payload: Value) -> Option<Result<Stay, Fault>> {
        let cx = self.cx(Verb::Write, "");
        Some(self.live.stay(&cx, payload)?.await)
    }

    /// Revokes a lease; it stays in the book when that fails.
    pub async fn revoke(&self, lease_id: &str) -> Result<(), Fault> {
        let lease = self
            .book
            .leases
            .lock()
            .await
            .get(lease_id)
            .cloned()
            .ok_or(Fault::NotFound)?;
        self.live.revoke(&self.cx(Verb::Write, ""), lease).await?;
        self.book.leases.lock().await.remove(lease_id);
        Ok(())
    }

    /// The ids of all leases and of intents that could not be rolled back.
    pub async fn lease_ids(&self) -> Vec<String> {
        self.book.leases.lock().await.keys().cloned().collect()
    }

    /// Runs the engine's periodic work once.
    pub async fn tick(&self) -> Result<(), Fault> {
        self.live.tick(&self.cx(Verb::Write, "")).await
    }

    /// What the kernel's worker does with intents whose request failed.
    async fn roll_back_unless_granted(&self, cx: &Ctx, before: &[String], granted: Option<&str>) {
        let intents: Vec<(String, NewLease)> =
            self.book.leases.lock().await.clone().into_iter().collect();
        for (id, lease) in intents {
            let fresh = !before.contains(&id) && granted != Some(&id);
            if fresh && self.live.revoke(cx, lease).await.is_ok() {
                self.book.leases.lock().await.remove(&id);
            }
        }
    }
}

fn data_of(reply: &Reply) -> Value {
    match &reply.body {
        Body::Json(text) | Body::JsonAlsoAtTop(text) | Body::JsonBare(text) => {
            serde_json::from_slice(text).unwrap_or_default()
        }
        Body::Empty | Body::Raw { .. } | Body::Stream(_) => Value::Null,
    }
}

impl Services for Book {
    fn emit(&self, _: &Ctx, event: Event) {
        self.events.lock().expect("nobody panicked").push(event);
    }

    fn intend<'a>(&'a self, cx: &'a Ctx, lease: NewLease) -> Answer<'a, Intent> {
        Box::pin(async move {
            let lease_id = format!("{}/{}", cx.request.path, cx.random.base62(24));
            self.leases.lock().await.insert(lease_id.clone(), lease);
            Ok(Intent { lease_id })
        })
    }

    fn attempt<'a>(&'a self, _: &'a Ctx, _: &'a str) -> Answer<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn password<'a>(&'a self, policy: &'a str) -> Answer<'a, Secret<String>> {
        Box::pin(async move { Ok(Secret::new(format!("password-by-{policy}"))) })
    }

    fn fetch<'a>(
        &'a self,
        cx: &'a Ctx,
        request: outbound::Request,
    ) -> Answer<'a, outbound::Response> {
        let outbound = Arc::clone(&*self.outbound.read().expect("nobody panicked"));
        Box::pin(async move { outbound.fetch(&cx.mount.accessor, request).await })
    }
}
