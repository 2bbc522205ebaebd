//! The log of events: what a crash, a failing storage, time and seals do to it.

#![expect(clippy::unwrap_used, reason = "what fails in a test is a failed test")]

mod harness;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Class, Fault, Kind};
use coffer_kernel::Settings;
use coffer_storage::{Memory, Store};
use coffer_wire::Verb;
use harness::Harness;
use harness::bells::Bells;
use harness::faulty::Faulty;
use harness::streams::{Stream, id, kind, said};
use proptest::prelude::*;
use serde_json::{Value, json};

const GAP: &str = "sys/events-gap";
const STANZA: &str = "seal \"shamir\" {\n  shares    = 1\n  threshold = 1\n}";

fn settings() -> Settings {
    Settings::new(vec![Kind::new::<Bells>(Class::Secret)])
}

async fn server(store: Arc<dyn Store>) -> Harness {
    let h = Harness::with(settings(), store).await;
    let wish = json!({ "type": "bells" });
    assert_eq!(h.write("sys/mounts/bells", &h.root, wish).await.status, 204);
    h
}

async fn ring(h: &Harness, name: impl ToString) {
    let path = format!("bells/ring/{}", name.to_string());
    assert_eq!(h.write(&path, &h.root, json!({})).await.status, 204);
}

/// Until everything is stored.
async fn stored() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}

async fn listen(h: &Harness, since: &str) -> Result<Stream, Fault> {
    h.subscribe(&h.root, "bells/*", json!({ "since": since }))
        .await
}

fn names(events: &[Value]) -> Vec<&str> {
    let name = |event| match kind(event) {
        GAP => GAP,
        _ => said(event, "path").rsplit('/').next().unwrap(),
    };
    events.iter().map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_stopped_in_order_goes_on_without_a_gap() {
    assert_eq!(told_after_a_stop(true).await, ["two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_stopped_while_requests_were_running_goes_on_with_a_gap() {
    assert_eq!(told_after_a_stop(false).await, ["two", GAP, "three"]);
}

/// What somebody is told who comes back after the server was stopped, with or without requests that were still running.
async fn told_after_a_stop(all_ended: bool) -> Vec<String> {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let h = server(Arc::clone(&store)).await;
    let mut stream = listen(&h, "").await.unwrap();
    ring(&h, "one").await;
    let first = stream.event().await;
    ring(&h, "two").await;
    h.kernel.keep_events(all_ended).await;
    h.kernel.seal();
    assert!(matches!(stream.cut().await, Fault::Sealed));
    let again = h.restarted(settings(), store).await;
    ring(&again, "three").await;
    let mut stream = listen(&again, id(&first)).await.unwrap();
    let told = stream.events().await;
    names(&told).into_iter().map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_told_and_no_id_is_used_twice() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let h = server(Arc::clone(&store)).await;
    let mut stream = listen(&h, "").await.unwrap();
    ring(&h, "one").await;
    stored().await;
    let one = stream.event().await;
    ring(&h, "lost").await;
    let lost = stream.event().await; // Sent, and never stored.
    h.kernel.seal();
    let again = h.restarted(settings(), store).await;
    ring(&again, "two").await;
    for since in [id(&one), id(&lost)] {
        let mut stream = listen(&again, since).await.unwrap();
        let told = stream.events().await;
        assert_eq!(names(&told), [GAP, "two"]);
        assert_eq!(said(&told[0], "reason"), "crash");
        assert!(id(&told[0]) > id(&lost));
    }
    let mut all = listen(&again, "oldest").await.unwrap();
    assert_eq!(names(&all.events().await), ["one", GAP, "two"]);
}

#[tokio::test(start_paused = true)]
async fn events_go_on_while_storage_refuses_and_what_it_never_got_is_told() {
    let store = Faulty::new();
    let mut small = settings();
    small.events.memory_bytes = 16 << 10;
    let h = Harness::with(small, Arc::clone(&store) as Arc<dyn Store>).await;
    let wish = json!({ "type": "bells" });
    assert_eq!(h.write("sys/mounts/bells", &h.root, wish).await.status, 204);
    let mut stream = listen(&h, "").await.unwrap();
    ring(&h, "before").await;
    stored().await;
    let before = stream.event().await;
    store.crash_after(0);
    // The engine stores nothing, so the request needs no storage: but reads of the token do.
    let open = h.open();
    let mount = open.space.mounts.exactly("bells/").unwrap();
    let cx = open.background(&mount);
    for time in 0..200 {
        let path = format!("ring/{time}");
        cx.emit(coffer_engine::Event::new("bells/ring", path));
        if time % 10 == 9 {
            for _ in 0..10 {
                stream.event().await;
            }
        }
    }
    store.crash_after(i64::MAX);
    stored().await;
    ring(&h, "after").await;
    stored().await;
    let mut late = listen(&h, id(&before)).await.unwrap();
    let told = late.events().await;
    let names = names(&told);
    assert_eq!(names[0], GAP, "{names:?}");
    assert_eq!(said(&told[0], "reason"), "storage");
    assert_eq!(*names.last().unwrap(), "after");
    let numbers: Vec<i32> = names[1..names.len() - 1]
        .iter()
        .map(|name| name.parse().unwrap())
        .collect();
    let first = numbers[0];
    assert!(first > 0, "nothing was lost");
    assert_eq!(numbers, (first..200).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_dropped_and_whoever_wants_it_is_told() {
    let h = server(Arc::new(Memory::new())).await;
    let mut stream = listen(&h, "").await.unwrap();
    let mut small = Vec::new();
    for day in 0..3 {
        let body = json!({ "times": 300, "how": "x".repeat(300) });
        let rung = h.write(&format!("bells/ring/{day}"), &h.root, body).await;
        assert_eq!(rung.status, 204);
        stored().await;
        for _ in 0..300 {
            small.push(id(&stream.event().await).to_owned());
        }
        h.clock.advance(Duration::from_secs(20 * 3_600));
    }
    drop(stream);
    let mut settings = settings();
    settings.events.memory_bytes = 8 << 10; // Nothing but the last are in memory.
    let store = Arc::clone(h.kernel.barrier.store());
    h.kernel.keep_events(true).await;
    h.kernel.seal();
    let again = h.restarted(settings, store).await;
    ring(&again, "today").await;
    stored().await;
    tokio::time::sleep(Duration::from_secs(70)).await;
    let Err(Fault::Expired(text)) = listen(&again, &small[0]).await else {
        unreachable!("it was dropped");
    };
    let oldest = text.rsplit(' ').next().unwrap();
    let mut all = listen(&again, "oldest").await.unwrap();
    let all = all.events().await;
    assert!(id(&all[0]) >= oldest, "{text}");
    let names = names(&all);
    assert_eq!((names[0], *names.last().unwrap()), ("2", "today"));
    assert_eq!(names.len(), 301);
    assert!(listen(&again, &small[650]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_bytes() {
    let mut settings = settings();
    settings.events.max_bytes = 100 << 10;
    settings.events.memory_bytes = 64 << 10;
    let h = Harness::with(settings, Arc::new(Memory::new())).await;
    let wish = json!({ "type": "bells" });
    assert_eq!(h.write("sys/mounts/bells", &h.root, wish).await.status, 204);
    for _ in 0..20 {
        let body = json!({ "times": 20, "how": "x".repeat(1_000) });
        assert_eq!(h.write("bells/ring/x", &h.root, body).await.status, 204);
        stored().await;
    }
    let view = h.kernel.barrier.view("sys/events/");
    let records = view.list_all("log/").await.unwrap();
    let bytes = |name: &String| u64::from_str_radix(name.rsplit('-').next().unwrap(), 16).unwrap();
    let total: u64 = records.iter().map(bytes).sum();
    assert!(total <= 100 << 10, "{total}");
}

#[tokio::test(start_paused = true)]
async fn without_storage_there_is_what_memory_holds() {
    let mut settings = settings();
    settings.events.retention = Duration::ZERO;
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let h = Harness::with(settings, Arc::clone(&store)).await;
    let wish = json!({ "type": "bells" });
    assert_eq!(h.write("sys/mounts/bells", &h.root, wish).await.status, 204);
    let mut stream = listen(&h, "").await.unwrap();
    ring(&h, "one").await;
    let one = stream.event().await;
    ring(&h, "two").await;
    let mut stream = listen(&h, id(&one)).await.unwrap();
    assert_eq!(names(&stream.events().await), ["two"]);
    assert!(
        store
            .scan("sys/events/", None, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_sealed_namespace_tells_nothing_and_unsealed_everything() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let h = server(Arc::clone(&store)).await;
    let made = h
        .write("sys/namespaces/vault", &h.root, json!({ "seal": STANZA }))
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let share = made.data()["key_shares"].to_string();
    let share = share
        .split('"')
        .find(|part| part.len() > 30)
        .unwrap()
        .to_owned();
    let unseal = || {
        let key = json!({ "key": share });
        h.write("sys/namespaces/vault/unseal", &h.root, key)
    };
    assert_eq!(unseal().await.status, 200);
    let wish = json!({ "type": "bells" });
    let mounted = h.in_ns("vault", Verb::Write, "sys/mounts/bells", &h.root, wish);
    assert_eq!(mounted.await.status, 204);
    let secretly = |name: &str| {
        let path = format!("bells/ring/{name}");
        let h = &h;
        async move {
            h.in_ns("vault", Verb::Write, &path, &h.root, json!({}))
                .await
        }
    };
    let query = json!({ "since": "oldest", "namespaces": "*" });
    let oldest = || h.subscribe(&h.root, "bells/*", query.clone());
    let mut live = oldest().await.unwrap();
    ring(&h, "openly").await;
    assert_eq!(secretly("stored").await.status, 204);
    stored().await;
    assert_eq!(secretly("in-memory").await.status, 204);
    let whole = ["openly", "stored", "in-memory"];
    let told = live.events().await;
    assert_eq!(names(&told), whole);
    let first = told[0].clone();
    let parts = store.scan("sys/events/of/", None, 10).await.unwrap();
    assert!(!parts.is_empty());
    let sealed = h
        .write("sys/namespaces/vault/seal", &h.root, json!({}))
        .await;
    assert!(sealed.status < 300, "{sealed:?}");
    let mut all = oldest().await.unwrap();
    assert_eq!(names(&all.events().await), ["openly"]);
    for (path, _) in store.scan("sys/events/of/", None, 10).await.unwrap() {
        let below = path.strip_prefix("sys/events/").unwrap();
        let view = h.kernel.barrier.view("sys/events/");
        let value = store.get(&path).await.unwrap().unwrap();
        assert!(
            h.kernel.barrier.decrypt(&path, &value).is_err(),
            "{below} {view:?}"
        );
    }
    assert_eq!(unseal().await.status, 200);
    let mut all = oldest().await.unwrap();
    assert_eq!(names(&all.events().await), whole);
    // And whoever was cut off by it goes on where they were.
    let on = json!({ "since": id(&first), "namespaces": "*" });
    let mut rest = h.subscribe(&h.root, "bells/*", on).await.unwrap();
    assert_eq!(names(&rest.events().await), whole[1..]);
    h.kernel.keep_events(true).await;
    let mut again = settings();
    again.events.memory_bytes = 8 << 10;
    h.kernel.seal();
    let again = h.restarted(again, store).await;
    let key = json!({ "key": share });
    let unsealed = again.write("sys/namespaces/vault/unseal", &again.root, key);
    assert_eq!(unsealed.await.status, 200);
    stored().await;
    ring(&again, "again").await;
    let mut all = again
        .subscribe(&again.root, "bells/*", query)
        .await
        .unwrap();
    assert_eq!(
        names(&all.events().await),
        ["openly", "stored", "in-memory", "again"]
    );
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many events.
    Tell(u32),
    /// Everything is stored.
    Wait,
    /// So many events are read.
    Read(usize),
    /// The connection is lost; the next begins after the last event that came.
    Cut,
    /// The server dies.
    Crash,
    /// The server is stopped and started.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..15_u32).prop_map(Step::Tell),
        3 => Just(Step::Wait),
        4 => (1..60_usize).prop_map(Step::Read),
        2 => Just(Step::Cut),
        1 => Just(Step::Crash),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..30)
}

/// A subscriber over several servers, and what it must have got.
struct Story {
    h: Harness,
    store: Arc<dyn Store>,
    stream: Stream,
    last: String,
    /// The number that the next event has.
    next: u32,
    /// The first event that no crash can have taken yet.
    since_crash: u32,
    /// The events that are stored.
    stored: BTreeSet<u32>,
    /// What came, gaps as none.
    got: Vec<Option<u32>>,
}

impl Story {
    async fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let h = Harness::with(Self::settings(), Arc::clone(&store)).await;
        let wish = json!({ "type": "bells" });
        assert_eq!(h.write("sys/mounts/bells", &h.root, wish).await.status, 204);
        let mut stream = listen(&h, "").await.unwrap();
        ring(&h, 0).await;
        let last = id(&stream.event().await).to_owned();
        Self {
            h,
            store,
            stream,
            last,
            next: 1,
            since_crash: 0,
            stored: BTreeSet::new(),
            got: vec![Some(0)],
        }
    }

    /// So little memory that most is read from storage.
    fn settings() -> Settings {
        let mut settings = settings();
        settings.events.memory_bytes = 96 << 10;
        settings
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Tell(count) => {
                for _ in 0..count {
                    ring(&self.h, self.next).await;
                    self.next += 1;
                }
                tokio::time::sleep(Duration::from_millis(30)).await; // Some are stored meanwhile.
            }
            Step::Wait => {
                stored().await;
                self.stored.extend(self.since_crash..self.next);
            }
            Step::Read(count) => {
                for _ in 0..count {
                    match self.stream.next().await {
                        harness::streams::Next::Event(event) => self.took(&event),
                        _ => return,
                    }
                }
            }
            Step::Cut => self.stream = listen(&self.h, &self.last).await.unwrap(),
            Step::Crash => {
                self.h.kernel.seal(); // Nothing is stored first, and nothing later.
                self.since_crash = self.next;
            }
            Step::Restart => {
                self.h.kernel.keep_events(true).await;
                self.stored.extend(self.since_crash..self.next);
                self.h.kernel.seal();
            }
        }
        if matches!(step, Step::Crash | Step::Restart) {
            let store = Arc::clone(&self.store);
            self.h = self.h.restarted(Self::settings(), store).await;
            self.stream = listen(&self.h, &self.last).await.unwrap();
        }
    }

    fn took(&mut self, event: &Value) {
        assert!(id(event) > self.last.as_str(), "an event came again");
        self.last = id(event).to_owned();
        self.got.push(match kind(event) {
            GAP => None,
            _ => Some(
                said(event, "path")
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .parse()
                    .unwrap(),
            ),
        });
    }

    /// Reads to the end; then nothing that was stored may be missing, nothing twice, and nothing but behind a gap.
    async fn check(&mut self) {
        self.step(Step::Cut).await;
        for event in self.stream.events().await {
            self.took(&event);
        }
        let mut expected = 0;
        for got in &self.got {
            match got {
                None => expected = u32::MAX,
                Some(number) if expected == u32::MAX => expected = number + 1,
                Some(number) => {
                    assert_eq!(*number, expected, "{:?}", self.got);
                    expected += 1;
                }
            }
        }
        for number in &self.stored {
            assert!(
                self.got.contains(&Some(*number)),
                "{number} is missing: {:?}",
                self.got
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_was_stored_is_lost_and_nothing_comes_twice(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut story = Story::new().await;
            for step in steps {
                story.step(step).await;
            }
            story.check().await;
        });
    }
}
