//! An engine whose secrets live in a world outside, which outlives the server and has moods.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{
    Class, Ctx, Engine, Fault, Handle, Kind, Lease, Leased, MountInfo, Renewal, Routes, path,
};
use coffer_kernel::Settings;
use coffer_kernel::observe::{Meters, Telemetry};
use coffer_storage::{Memory, Store};
use coffer_wire::{Timestamp, Ttl};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{Answer, Harness};

thread_local! {
    /// Each test has its thread, so each has its world.
    static WORLD: RefCell<Arc<World>> = RefCell::default();
}

/// What is outside.
pub struct World {
    facts: Mutex<Facts>,
    /// Requests that wait before or after they made their secret go on one by one.
    pub gate: Semaphore,
    /// Requests that came to the gate.
    pub waiting: Semaphore,
}

#[derive(Default)]
struct Facts {
    /// The secrets that are there.
    live: BTreeSet<String>,
    /// When secrets were undone first.
    ended: BTreeMap<String, Instant>,
    moods: HashMap<String, Mood>,
    poisoned: BTreeSet<String>,
    /// How often somebody tried to undo a secret, by target.
    tries: HashMap<String, u64>,
}

/// How a target takes revocations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Works,
    Refuses,
    Hangs,
    /// Works, but takes so many milliseconds.
    Slow(u64),
}

impl Default for World {
    fn default() -> Self {
        Self {
            facts: Mutex::default(),
            gate: Semaphore::new(0),
            waiting: Semaphore::new(0),
        }
    }
}

impl World {
    /// The world of this test.
    pub fn here() -> Arc<Self> {
        WORLD.with(|world| Arc::clone(&world.borrow()))
    }

    /// A new world for this test.
    pub fn anew() -> Arc<Self> {
        WORLD.with(|world| *world.borrow_mut() = Arc::default());
        Self::here()
    }

    /// The secrets that are there.
    pub fn live(&self) -> Vec<String> {
        self.facts.lock().live.iter().cloned().collect()
    }

    /// When a secret was undone.
    pub fn ended(&self, name: &str) -> Option<Instant> {
        self.facts.lock().ended.get(name).copied()
    }

    /// From now on the target is like this.
    pub fn mood(&self, target: &str, mood: Mood) {
        self.facts.lock().moods.insert(target.to_owned(), mood);
    }

    /// This secret can not be undone, until it is healed.
    pub fn poison(&self, name: &str) {
        self.facts.lock().poisoned.insert(name.to_owned());
    }

    /// It can be undone again.
    pub fn heal(&self, name: &str) {
        self.facts.lock().poisoned.remove(name);
    }

    /// How often somebody tried to undo a secret of the target.
    pub fn tries(&self, target: &str) -> u64 {
        self.facts
            .lock()
            .tries
            .get(target)
            .copied()
            .unwrap_or_default()
    }

    async fn pass_gate(&self) {
        self.waiting.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
    }
}

/// Only this engine.
pub fn settings() -> Settings {
    Settings::new(vec![Kind::new::<Outside>(Class::Secret)])
}

/// As [`settings`], and nothing is counted in the background: for tests that count what the server does of itself.
pub fn quiet_settings() -> Settings {
    let telemetry = Telemetry {
        usage_gauge_period: None,
        ..Telemetry::default()
    };
    Settings {
        meters: Arc::new(Meters::new(telemetry)),
        ..settings()
    }
}

/// A server with this engine at `outside/`.
pub async fn server_over(store: Arc<dyn Store>) -> Harness {
    server_with(settings(), store).await
}

/// A server with these settings and this engine at `outside/`.
pub async fn server_with(settings: Settings, store: Arc<dyn Store>) -> Harness {
    let h = Harness::with(settings, store).await;
    let mounted = h
        .write("sys/mounts/outside", &h.root, json!({ "type": "outside" }))
        .await;
    assert_eq!(mounted.status, 204, "{mounted:?}");
    h
}

/// As [`server_over`], over memory.
pub async fn server() -> Harness {
    server_over(Arc::new(Memory::new())).await
}

/// Asks for a secret of a target.
pub async fn make(h: &Harness, target: &str, name: &str, wish: Value) -> Answer {
    h.write(&format!("outside/creds/{target}/{name}"), &h.root, wish)
        .await
}

/// Makes a secret; its lease id.
pub async fn lease(h: &Harness, target: &str, name: &str, ttl: &str) -> String {
    let made = make(h, target, name, json!({ "ttl": ttl })).await;
    assert_eq!(made.status, 200, "{made:?}");
    made.json["lease_id"].as_str().unwrap().to_owned()
}

/// Looks up a lease.
pub async fn lookup(h: &Harness, id: &str) -> Answer {
    h.write("sys/leases/lookup", &h.root, json!({ "lease_id": id }))
        .await
}

/// Renews a lease.
pub async fn renew(h: &Harness, id: &str, increment: &str) -> Answer {
    h.write(
        "sys/leases/renew",
        &h.root,
        json!({ "lease_id": id, "increment": increment }),
    )
    .await
}

/// Revokes a lease.
pub async fn revoke(h: &Harness, id: &str) -> Answer {
    h.write("sys/leases/revoke", &h.root, json!({ "lease_id": id }))
        .await
}

/// All that is stored about leases and what is due, by path.
pub async fn stored(h: &Harness) -> Vec<String> {
    let store = h.kernel.barrier.store();
    let mut all = Vec::new();
    for prefix in ["sys/lease/", "sys/due/"] {
        let page = store.scan(prefix, None, 10_000).await.unwrap();
        all.extend(page.into_iter().map(|(path, _)| path));
    }
    all
}

/// The engine.
pub struct Outside;

impl Engine for Outside {
    const NAME: &'static str = "outside";
    const HELP: &'static str = "Makes secrets in a world outside.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("creds/{target}/{name}", "Makes a secret.").write::<Make>()])
            .leases::<Made>()
    }
}

#[derive(Deserialize, JsonSchema)]
struct Make {
    target: String,
    name: String,
    #[serde(default)]
    ttl: Ttl,
    #[serde(default)]
    max_ttl: Ttl,
    /// `fail`, `panic`, `early` (wait at the gate before anything), `wait` (before the secret is made), `linger` (after), `twice`.
    #[serde(default)]
    then: String,
}

#[derive(Serialize, JsonSchema)]
struct Shown {
    name: String,
}

#[derive(Serialize, Deserialize)]
struct Made {
    target: String,
    name: String,
    max_ttl_secs: u64,
}

impl Handle<Outside> for Make {
    type Reply = Leased<Shown>;

    async fn handle(self, _: &Outside, cx: &Ctx) -> Result<Leased<Shown>, Fault> {
        let world = World::here();
        let made = |name: &str| Made {
            target: self.target.clone(),
            name: name.to_owned(),
            max_ttl_secs: self.max_ttl.0.as_secs(),
        };
        if self.then == "early" {
            world.pass_gate().await;
        }
        let intent = cx.intend(&made(&self.name)).await?;
        if self.then == "wait" {
            world.pass_gate().await;
        }
        world.facts.lock().live.insert(self.name.clone());
        match self.then.as_str() {
            "fail" => return Err(Fault::upstream("made, and then the connection broke")),
            "panic" => panic!("made, and then a bug"),
            "linger" => world.pass_gate().await,
            "twice" => {
                let second = format!("{}-second", self.name);
                let _abandoned = cx.intend(&made(&second)).await?;
                world.facts.lock().live.insert(second);
            }
            _ => {}
        }
        Ok(Leased::new(
            intent,
            Shown { name: self.name },
            self.ttl.0,
            self.max_ttl.0,
        ))
    }
}

impl Lease<Outside> for Made {
    const KIND: &'static str = "made";

    fn target(&self) -> String {
        self.target.clone()
    }

    async fn renew(&self, _: &Outside, _: &Ctx, ask: &Renewal) -> Result<Timestamp, Fault> {
        Ok(ask.until(Duration::ZERO, Duration::from_secs(self.max_ttl_secs)))
    }

    async fn revoke(&self, _: &Outside, _: &Ctx) -> Result<(), Fault> {
        let world = World::here();
        let (mood, poisoned) = {
            let mut facts = world.facts.lock();
            *facts.tries.entry(self.target.clone()).or_default() += 1;
            let mood = facts
                .moods
                .get(&self.target)
                .copied()
                .unwrap_or(Mood::Works);
            (mood, facts.poisoned.contains(&self.name))
        };
        match mood {
            Mood::Works => tokio::task::yield_now().await,
            Mood::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
            Mood::Refuses => return Err(Fault::upstream("connection refused")),
            Mood::Hangs => std::future::pending().await,
        }
        if poisoned {
            return Err(Fault::upstream("role owns objects"));
        }
        let mut facts = world.facts.lock();
        facts.live.remove(&self.name);
        facts
            .ended
            .entry(self.name.clone())
            .or_insert_with(Instant::now);
        Ok(())
    }
}
