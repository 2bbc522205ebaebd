//! A keeper against a server that is made up, in time that passes only when everybody waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::lessor::Lessor;
use super::*;
use crate::Secret;
use crate::responder::Responder;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[derive(Clone)]
struct Server(Arc<Mutex<State>>);

struct State {
    ttl: Duration,
    max: Duration,
    latency: Duration,
    away_until: Instant,
    leases: BTreeMap<String, Lease>,
    issued: u64,
    calls: u64,
    renewals: u64,
    /// Leases that their keeper gave back, in order.
    returned: Vec<String>,
}

#[derive(Clone, Copy)]
struct Lease {
    ends: Instant,
    last: Instant,
}

impl Server {
    fn new(ttl: Duration, max: Duration) -> Self {
        Self(Arc::new(Mutex::new(State {
            ttl,
            max,
            latency: Duration::from_millis(20),
            away_until: Instant::now(),
            leases: BTreeMap::new(),
            issued: 0,
            calls: 0,
            renewals: 0,
            returned: Vec::new(),
        })))
    }

    fn keep(&self) -> LeaseKeeper {
        start(Arc::new(self.clone()), Box::new(|_| {}))
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    fn go_away(&self, how_long: Duration) {
        self.with(|state| state.away_until = Instant::now() + how_long);
    }

    fn revoke_all(&self) {
        self.with(|state| state.leases.clear());
    }

    fn is_good(&self, credential: &Credential) -> bool {
        let id = credential.lease_id();
        self.with(|state| {
            state
                .leases
                .get(id)
                .is_some_and(|lease| lease.ends > Instant::now())
        })
    }

    fn live(&self) -> usize {
        let now = Instant::now();
        self.with(|state| {
            state
                .leases
                .values()
                .filter(|lease| lease.ends > now)
                .count()
        })
    }

    async fn call<T>(&self, what: impl FnOnce(&mut State) -> Result<T, Error>) -> Result<T, Error> {
        sleep(self.with(|state| state.latency)).await;
        self.with(|state| {
            state.calls += 1;
            if state.away_until > Instant::now() {
                return Err(Error::Connect {
                    address: "http://127.0.0.1:1".to_owned(),
                    reason: "refused".to_owned(),
                });
            }
            what(state)
        })
    }
}

fn unknown_lease() -> Error {
    Error::Api {
        status: 400,
        method: Method::Put,
        url: "sys/leases/renew".to_owned(),
        errors: vec!["lease not found".to_owned()],
        warnings: Vec::new(),
    }
}

fn answer(id: &str, ttl: Duration) -> Secret {
    Secret {
        lease_id: id.to_owned(),
        lease_duration: ttl.as_secs(),
        renewable: true,
        data: Some(json!({ "username": format!("v-{id}"), "password": "secret" })),
        ..Secret::default()
    }
}

impl Lessor for Server {
    async fn issue(&self) -> Result<Secret, Error> {
        self.call(|state| {
            state.issued += 1;
            let id = format!("lease-{}", state.issued);
            let now = Instant::now();
            let lease = Lease {
                ends: now + state.ttl,
                last: now + state.max,
            };
            state.leases.insert(id.clone(), lease);
            Ok(answer(&id, state.ttl))
        })
        .await
    }

    async fn renew(&self, lease_id: &str) -> Result<Secret, Error> {
        self.call(|state| {
            state.renewals += 1;
            let now = Instant::now();
            let ttl = state.ttl;
            let lease = state.leases.get_mut(lease_id);
            let Some(lease) = lease.filter(|lease| lease.ends > now) else {
                return Err(unknown_lease());
            };
            // Whole seconds, as servers answer.
            let given = secs(ttl.min(lease.last - now).as_secs());
            lease.ends = now + given;
            Ok(answer(lease_id, given))
        })
        .await
    }

    async fn take_back(&self, lease_id: &str) -> Result<(), Error> {
        self.call(|state| {
            state.leases.remove(lease_id);
            state.returned.push(lease_id.to_owned());
            Ok(())
        })
        .await
    }
}

#[tokio::test(start_paused = true)]
async fn it_renews_at_seventy_percent_and_changes_over_before_the_maximum() {
    let server = Server::new(secs(100), secs(250));
    let keeper = server.keep();
    let first = keeper.ready().await.unwrap();
    assert_eq!(first.field("username"), Some("v-lease-1"));

    let mut watch = keeper.watch();
    watch.borrow_and_update();
    let begun = Instant::now();
    watch.changed().await.unwrap();
    let waited = begun.elapsed();
    // Twice 60 to 80 s, then the third renewal gives less than half of the whole: 180 to 240 s, or one before.
    assert!(waited >= secs(120) && waited < secs(245), "{waited:?}");
    assert!(server.is_good(&first), "both are good for a while");
    let second = keeper.ready().await.unwrap();
    assert_ne!(first, second);
    assert!(first.left() > secs(0) && second.left() > secs(90));
    let renewals = server.with(|state| state.renewals);
    assert!((2..=4).contains(&renewals), "{renewals}");
}

#[tokio::test(start_paused = true)]
async fn the_old_one_goes_when_its_last_user_has_gone() {
    let server = Server::new(secs(100), secs(100));
    let keeper = server.keep();
    let first = keeper.ready().await.unwrap();
    let also = first.clone();
    let mut watch = keeper.watch();
    watch
        .wait_for(|now| now.as_ref().is_some_and(|now| *now != first))
        .await
        .unwrap();
    drop(first);
    sleep(secs(1)).await;
    assert!(server.is_good(&also), "somebody uses it");
    let id = also.lease_id().to_owned();
    drop(also);
    sleep(secs(1)).await;
    assert_eq!(server.with(|state| state.returned.clone()), [id]);
    assert_eq!(server.live(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_held_for_ever_is_forgotten_at_its_end() {
    let server = Server::new(secs(100), secs(100));
    let keeper = server.keep();
    let held = keeper.ready().await.unwrap();
    sleep(secs(1000)).await;
    assert_eq!(held.left(), secs(0));
    assert!(!server.with(|state| state.returned.contains(&held.lease_id().to_owned())));
    assert!(server.is_good(&keeper.current().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_renewed_is_replaced_in_time() {
    struct NotRenewable(Server);
    impl Lessor for NotRenewable {
        async fn issue(&self) -> Result<Secret, Error> {
            let secret = self.0.issue().await?;
            Ok(Secret {
                renewable: false,
                ..secret
            })
        }
        async fn renew(&self, _: &str) -> Result<Secret, Error> {
            panic!("nobody asks that")
        }
        async fn take_back(&self, lease_id: &str) -> Result<(), Error> {
            self.0.take_back(lease_id).await
        }
    }
    let server = Server::new(secs(100), secs(100));
    let keeper = start(Arc::new(NotRenewable(server.clone())), Box::new(|_| {}));
    let first = keeper.ready().await.unwrap();
    keeper.refused(&first);
    sleep(secs(1)).await;
    let second = keeper.current().unwrap();
    assert_ne!(first, second, "a report counts here, too");
    sleep(secs(81)).await;
    assert_ne!(keeper.current().unwrap(), second);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_revoked_by_hand_is_replaced() {
    let server = Server::new(secs(100), secs(1000));
    let keeper = server.keep();
    let first = keeper.ready().await.unwrap();
    server.revoke_all();
    sleep(secs(81)).await;
    let second = keeper.current().unwrap();
    assert!(server.is_good(&second), "the failed renewal said it");

    server.revoke_all();
    keeper.refused(&second);
    keeper.refused(&second);
    sleep(secs(1)).await;
    let third = keeper.current().unwrap();
    assert!(server.is_good(&third), "its user said it");
    keeper.refused(&first);
    sleep(secs(1)).await;
    assert_eq!(
        keeper.current().unwrap(),
        third,
        "reports on former ones change nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn refusals_without_end_are_no_flood() {
    let server = Server::new(secs(3600), secs(36_000));
    let keeper = Arc::new(server.keep());
    let mut watch = keeper.watch();
    let user = keeper.clone();
    tokio::spawn(async move {
        while watch.changed().await.is_ok() {
            let current = watch.borrow_and_update().clone();
            if let Some(current) = current {
                user.refused(&current);
            }
        }
    });
    sleep(secs(600)).await;
    let issued = server.with(|state| state.issued);
    assert!((20..60).contains(&issued), "{issued}");
    assert!(server.live() <= 2, "they are handed back");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_is_waited_for_and_not_flooded() {
    let server = Server::new(secs(3600), secs(36_000));
    server.go_away(secs(600));
    let keeper = server.keep();
    assert!(keeper.current().is_none());
    let begun = Instant::now();
    assert!(keeper.ready().await.is_some());
    assert!(begun.elapsed() < secs(631));
    let calls = server.with(|state| state.calls);
    assert!((20..60).contains(&calls), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn what_there_is_stays_current_while_the_server_is_away() {
    let server = Server::new(secs(60), secs(600));
    let keeper = server.keep();
    let first = keeper.ready().await.unwrap();
    server.go_away(secs(300));
    sleep(secs(200)).await;
    assert_eq!(keeper.current().unwrap(), first);
    assert_eq!(first.left(), secs(0));
    sleep(secs(120)).await;
    assert!(server.is_good(&keeper.current().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn closing_hands_everything_back() {
    let server = Server::new(secs(100), secs(100));
    let keeper = server.keep();
    let held = keeper.ready().await.unwrap();
    sleep(secs(85)).await;
    assert_eq!(server.live(), 2);
    let watch = keeper.watch();
    keeper.close().await;
    assert_eq!(server.live(), 0);
    assert!(watch.borrow().is_none() && keeper.ready().await.is_none());
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn one_that_comes_while_closing_is_handed_back_too() {
    let server = Server::new(secs(100), secs(100));
    let keeper = server.keep();
    sleep(Duration::from_millis(10)).await;
    keeper.close().await;
    assert_eq!(
        server.with(|state| (state.issued, state.leases.len())),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_ever() {
    let server = Server::new(secs(100), secs(100));
    let keeper = server.keep();
    keeper.ready().await.unwrap();
    server.go_away(secs(1000));
    let begun = Instant::now();
    keeper.close().await;
    assert!(begun.elapsed() < secs(6));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_keeper_hands_everything_back() {
    let server = Server::new(secs(100), secs(100));
    let keeper = server.keep();
    keeper.ready().await.unwrap();
    drop(keeper);
    sleep(secs(1)).await;
    assert_eq!(server.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn former_ones_in_use_have_a_limit() {
    let server = Server::new(secs(3600), secs(36_000));
    let keeper = server.keep();
    let mut held = vec![keeper.ready().await.unwrap()];
    for _ in 0..30 {
        keeper.refused(held.last().unwrap());
        let last = held.last().unwrap().clone();
        let mut watch = keeper.watch();
        let next = watch.wait_for(|now| now.as_ref().is_some_and(|now| *now != last));
        held.push(next.await.unwrap().clone().unwrap());
    }
    sleep(secs(1)).await;
    assert_eq!(server.live(), 17);
}

#[tokio::test]
async fn a_token_that_ended_is_replaced_by_logging_in() {
    let issued = r#"{"lease_id":"l","lease_duration":60,"renewable":true,"data":{"username":"u"}}"#;
    let responder = Responder::start([
        (403, r#"{"errors":["permission denied"]}"#.to_owned()),
        (200, issued.to_owned()),
        (204, String::new()),
    ])
    .await;
    let client = responder.client();
    let again = client.clone();
    let builder = client.lease("database/creds/app-role").login(move || {
        let client = again.with_token(Some("new".into()));
        async move { Ok(client) }
    });
    let keeper = builder.keep();
    assert_eq!(keeper.ready().await.unwrap().field("username"), Some("u"));
    keeper.close().await;
    let requests = responder.requests();
    let heads: Vec<&str> = requests
        .iter()
        .map(|it| it.lines().next().unwrap())
        .collect();
    assert_eq!(
        heads,
        [
            "GET /v1/database/creds/app-role HTTP/1.1",
            "GET /v1/database/creds/app-role HTTP/1.1",
            "PUT /v1/sys/leases/revoke HTTP/1.1",
        ]
    );
    assert!(requests[0].contains("x-vault-token: tok"));
    assert!(
        requests[1..]
            .iter()
            .all(|it| it.contains("x-vault-token: new"))
    );
}

#[tokio::test]
async fn an_event_that_the_lease_was_revoked_brings_another() {
    let issued = |id: &str| {
        format!(r#"{{"lease_id":"{id}","lease_duration":3600,"renewable":true,"data":{{}}}}"#)
    };
    let event = |kind: &str, id: &str| {
        let json = json!({ "id": "e", "data": { "event_type": kind, "event": { "metadata": { "lease_id": id } } } });
        format!("data: {json}\n\n")
    };
    let events = [
        event("lease/renew", "a"),
        event("lease/revoke", "x"),
        event("lease/revoke", "a"),
    ];
    let responder = Responder::start([
        (200, issued("a")),
        (200, events.concat()),
        (200, issued("b")),
    ])
    .await;
    let keeper = responder
        .client()
        .lease("database/creds/app-role")
        .listen()
        .keep();
    let mut watch = keeper.watch();
    let second = watch.wait_for(|now| now.as_ref().is_some_and(|now| now.lease_id() == "b"));
    assert!(second.await.is_ok());
    assert!(responder.requests()[1].starts_with("GET /v1/sys/events/subscribe/lease/*"));
}

#[tokio::test(start_paused = true)]
async fn what_has_no_lease_is_told_and_debug_shows_no_secret() {
    let responder = Responder::start([(200, r#"{"data":{"a":"b"}}"#.to_owned())]).await;
    let told = Arc::new(Mutex::new(None));
    let hear = told.clone();
    let builder = responder.client().lease("secret/a").tell(move |news| {
        *hear.lock().unwrap() = Some(format!("{news:?}"));
    });
    let _keeper = builder.keep();
    let told = async {
        loop {
            if let Some(told) = told.lock().unwrap().take() {
                return told;
            }
            tokio::task::yield_now().await;
        }
    };
    assert!(told.await.contains("nothing that has a lease"));

    let server = Server::new(secs(100), secs(100));
    let credential = server.keep().ready().await.unwrap();
    let debug = format!("{credential:?}");
    assert!(
        debug.contains("lease-1") && !debug.contains("secret"),
        "{debug}"
    );
}

/// What may happen to a keeper in the middle of its life.
#[derive(Clone, Copy, Debug)]
enum Event {
    Wait(u64),
    Away(u64),
    RevokeAll,
    Slow(u64),
    Hold,
    Drop,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..200u64).prop_map(Event::Wait),
        1 => (1..200u64).prop_map(Event::Away),
        1 => Just(Event::RevokeAll),
        1 => (1..3000u64).prop_map(Event::Slow),
        2 => Just(Event::Hold),
        2 => Just(Event::Drop),
    ]
}

fn in_paused_time(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// With a server that answers, there is no moment without a good credential, whatever TTL and maximum are, and each is
    /// still good for a while when the next has taken its place.
    #[test]
    fn the_current_one_is_always_good(ttl in 10u64..4000, factor in 1.0f64..20.0, latency_ms in 1u64..200) {
        in_paused_time(async move {
            let server = Server::new(secs(ttl), secs(ttl).mul_f64(factor));
            server.with(|state| state.latency = Duration::from_millis(latency_ms));
            let keeper = server.keep();
            let mut last = keeper.ready().await.unwrap();
            let step = secs(ttl) / 50;
            for _ in 0..1000 {
                sleep(step).await;
                let current = keeper.current().unwrap();
                assert!(server.is_good(&current) && current.left() > Duration::ZERO);
                if current != last {
                    assert!(server.is_good(&last) && last.left() > step, "no overlap");
                    last = current;
                }
                assert!(server.live() <= 3);
            }
            // 20 lives: each is renewed once in 0.6 of its time at most, or replaced and handed back.
            let calls = server.with(|state| state.calls);
            assert!(calls < 20 * 5 * 3, "{calls}");
            drop(last);
            keeper.close().await;
            assert_eq!(server.live(), 0);
        });
    }

    /// Whatever has happened: soon after the last trouble all is well, what somebody holds was not taken from them before
    /// its end, and nothing is left in the end.
    #[test]
    fn it_gets_over_everything(ttl in 10u64..300, events in proptest::collection::vec(event(), 1..20)) {
        in_paused_time(async move {
            let server = Server::new(secs(ttl), secs(ttl * 3));
            let keeper = server.keep();
            let mut held: Vec<Credential> = Vec::new();
            for event in events {
                match event {
                    Event::Wait(how_long) => sleep(secs(how_long)).await,
                    Event::Away(how_long) => server.go_away(secs(how_long)),
                    Event::RevokeAll => server.revoke_all(),
                    Event::Slow(millis) => server.with(|state| state.latency = Duration::from_millis(millis)),
                    Event::Hold => held.extend(keeper.current()),
                    Event::Drop => held.clear(),
                }
                let taken = |credential: &Credential| server.with(|state| state.returned.contains(&credential.lease_id().to_owned()));
                assert!(!held.iter().any(taken), "taken from under its user");
            }
            sleep(secs(200 + 40 + ttl)).await;
            assert!(server.is_good(&keeper.current().unwrap()));
            held.clear();
            sleep(secs(20)).await;
            keeper.close().await;
            assert_eq!(server.live(), 0);
        });
    }
}
