//! Quotas of leases and tokens: they are never passed, and what they count is exact, whatever happens.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Class, Kind};
use coffer_kernel::Settings;
use coffer_kernel::leases::LeaseRecord;
use coffer_kernel::tokens::TokenRecord;
use coffer_storage::{Memory, Store};
use coffer_wire::Verb;
use futures_util::future::join_all;
use harness::faulty::Faulty;
use harness::gates::Gate;
use harness::shelves::{Cubbyhole, Shelf};
use harness::tickets::Tickets;
use harness::{Answer, Harness, Restless};
use proptest::prelude::*;
use serde_json::{Value, json};

const LEASES: &str = "sys/quotas/lease-count";
const TOKENS: &str = "sys/quotas/token-count";

fn settings() -> Settings {
    Settings::new(vec![
        Kind::new::<Tickets>(Class::Secret),
        Kind::new::<Shelf>(Class::Secret),
        Kind::new::<Cubbyhole>(Class::Secret),
        Kind::new::<Gate>(Class::Auth),
    ])
}

/// A server with `tickets/` and `auth/gate/`.
async fn server_over(store: Arc<dyn Store>) -> Harness {
    let h = Harness::with(settings(), store).await;
    h.mount_tickets().await;
    let gate = json!({ "type": "gate" });
    assert_eq!(h.write("sys/auth/gate", &h.root, gate).await.status, 204);
    h
}

async fn server() -> Harness {
    server_over(Arc::new(Memory::new())).await
}

async fn quota(h: &Harness, name: &str, most: u64, path: &str) {
    let wish = json!({ "max_leases": most, "path": path });
    let done = h.write(&format!("{LEASES}/{name}"), &h.root, wish).await;
    assert_eq!(done.status, 204, "{done:?}");
}

async fn cap(h: &Harness, name: &str, most: u64, path: &str) {
    let wish = json!({ "max_tokens": most, "path": path });
    let done = h.write(&format!("{TOKENS}/{name}"), &h.root, wish).await;
    assert_eq!(done.status, 204, "{done:?}");
}

async fn counter(h: &Harness, name: &str) -> u64 {
    let read = h.read(&format!("{LEASES}/{name}"), &h.root).await;
    read.data()["counter"].as_u64().unwrap()
}

async fn ticket(h: &Harness, name: &str, ttl: &str) -> Answer {
    let path = format!("tickets/issue/{name}");
    h.write(&path, &h.root, json!({ "ttl": ttl })).await
}

async fn revoke(h: &Harness, lease: &Answer) {
    let id = json!({ "lease_id": lease.json["lease_id"] });
    assert_eq!(h.write("sys/leases/revoke", &h.root, id).await.status, 204);
}

async fn log_in(h: &Harness, wish: Value) -> Answer {
    h.write("auth/gate/login", "", wish).await
}

/// How many leases and tokens say that a quota counts them, by looking at each.
async fn really(h: &Harness, name: &str) -> u64 {
    let id = id_of(h, name).await;
    let barrier = &h.kernel.barrier;
    let mut count = 0;
    for folder in ["id/", "in/"] {
        let leases = barrier.view("sys/lease/");
        let leases = leases
            .scan::<LeaseRecord>(folder, None, 1_000)
            .await
            .unwrap();
        count += leases.iter().filter(|(_, lease)| lease.quota == id).count();
        let tokens = barrier.view("sys/token/");
        let tokens = tokens
            .scan::<TokenRecord>(folder, None, 1_000)
            .await
            .unwrap();
        count += tokens.iter().filter(|(_, token)| token.quota == id).count();
    }
    count as u64
}

async fn id_of(h: &Harness, name: &str) -> String {
    let view = h.kernel.barrier.view("sys/quotas/rule/lease-count/");
    let quota: coffer_kernel::quotas::Quota = view.get(name).await.unwrap().unwrap();
    quota.id
}

#[tokio::test(start_paused = true)]
async fn leases_above_the_maximum_are_refused_before_the_secret_is_made() {
    let h = server().await;
    quota(&h, "few", 2, "tickets").await;
    let first = ticket(&h, "a", "1h").await;
    assert_eq!(ticket(&h, "b", "30s").await.status, 200);
    let refused = ticket(&h, "c", "1h").await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (
            429,
            "request path \"tickets/issue/c\": lease count quota exceeded"
        )
    );
    assert_eq!(h.tickets().await, ["a", "b"]);
    let read = h.read(&format!("{LEASES}/few"), &h.root).await;
    assert_eq!(
        *read.data(),
        json!({ "type": "lease-count", "name": "few", "path": "tickets/", "role": "", "max_leases": 2, "counter": 2, "inheritable": false })
    );
    revoke(&h, &first).await;
    assert_eq!(ticket(&h, "d", "1h").await.status, 200);
    assert_eq!(ticket(&h, "e", "1h").await.status, 429);
    h.advance(Duration::from_secs(31)).await;
    assert_eq!(counter(&h, "few").await, 1, "b has ended");
    assert_eq!(ticket(&h, "f", "1h").await.status, 200);
    assert_eq!(
        h.create(&h.root, json!({ "ttl": "1h" })).await.status,
        200,
        "elsewhere"
    );
    assert_eq!(h.list(LEASES, &h.root).await.keys(), ["few"]);
    assert_eq!(
        h.delete(&format!("{LEASES}/few"), &h.root).await.status,
        204
    );
    assert_eq!(ticket(&h, "g", "1h").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_leases_too_but_for_those_that_are_not_stored_or_never_end() {
    let h = server().await;
    quota(&h, "logins", 2, "auth/gate").await;
    quota(&h, "all", 3, "").await;
    assert_eq!(
        log_in(&h, json!({ "name": "ann", "secs": 60 }))
            .await
            .status,
        200
    );
    assert_eq!(
        log_in(&h, json!({ "name": "ann", "batch": true }))
            .await
            .status,
        200
    );
    let bob = log_in(&h, json!({ "name": "bob" })).await;
    let refused = log_in(&h, json!({ "name": "bob" })).await;
    assert_eq!((refused.status, counter(&h, "logins").await), (429, 2));
    assert_eq!(log_in(&h, json!({ "name": "nobody" })).await.status, 403);
    assert_eq!(
        h.write("auth/token/revoke-self", &bob.token(), Value::Null)
            .await
            .status,
        204
    );
    h.advance(Duration::from_secs(61)).await;
    assert_eq!(counter(&h, "logins").await, 0);

    for _ in 0..2 {
        h.create(&h.root, json!({ "ttl": "1h" })).await;
    }
    h.create(&h.root, json!({ "policies": ["root"] })).await;
    assert_eq!(counter(&h, "all").await, 2, "a root token never ends");
    assert_eq!(ticket(&h, "a", "1h").await.status, 200);
    let child = h
        .write("auth/token/create", &h.root, json!({ "ttl": "1h" }))
        .await;
    assert_eq!(child.status, 429, "{child:?}");
    assert_eq!(really(&h, "all").await, 3);
    let wrapped = h
        .request_with(Verb::Read, "sys/mounts", &h.root, Value::Null, |request| {
            request.wrap_ttl = Some(Duration::from_secs(60));
        })
        .await;
    assert_eq!(wrapped.status, 200, "what wraps an answer is no lease");
}

#[tokio::test(start_paused = true)]
async fn the_nearest_quota_counts_and_what_was_there_before_is_counted_in_the_background() {
    let h = server().await;
    for name in ["a1", "a2", "b1"] {
        assert_eq!(ticket(&h, name, "1h").await.status, 200);
    }
    log_in(&h, json!({ "name": "ann" })).await;
    quota(&h, "all", 100, "").await;
    h.settle().await;
    assert_eq!(counter(&h, "all").await, 4);
    quota(&h, "tickets", 100, "tickets").await;
    quota(&h, "as", 100, "tickets/issue/a*").await;
    h.settle().await;
    let counters = |h| async move {
        (
            counter(h, "all").await,
            counter(h, "tickets").await,
            counter(h, "as").await,
        )
    };
    assert_eq!(counters(&h).await, (1, 1, 2));
    let wish = json!({ "max_leases": 1, "path": "tickets/issue/a*" });
    h.write(&format!("{LEASES}/as"), &h.root, wish).await;
    assert_eq!(
        ticket(&h, "a3", "1h").await.status,
        429,
        "what is there stays, above the maximum too"
    );
    assert_eq!(ticket(&h, "b2", "1h").await.status, 200);
    h.delete(&format!("{LEASES}/as"), &h.root).await;
    h.settle().await;
    assert_eq!(
        (counter(&h, "all").await, counter(&h, "tickets").await),
        (1, 4)
    );
    let moved = json!({ "max_leases": 9, "path": "auth/gate" });
    h.write(&format!("{LEASES}/tickets"), &h.root, moved).await;
    h.settle().await;
    assert_eq!(
        (counter(&h, "all").await, counter(&h, "tickets").await),
        (4, 1)
    );
    for name in ["all", "tickets"] {
        assert_eq!(really(&h, name).await, counter(&h, name).await, "{name}");
    }
    let view = h.kernel.barrier.view("sys/quotas/");
    for folder in ["recount/", "tally/"] {
        let left = view.scan_paths(folder, None, 100).await.unwrap();
        let known = [id_of(&h, "all").await, id_of(&h, "tickets").await];
        assert!(
            left.iter()
                .all(|path| known.iter().any(|id| path.contains(id))),
            "{left:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn namespaces_are_counted_by_their_own_quota_or_by_one_that_is_inherited() {
    let h = server().await;
    let within = |verb, path: &'static str, body: Value| {
        let h = &h;
        async move {
            h.request_with(verb, path, &h.root, body, |request| {
                request.namespace = "n1".into()
            })
            .await
        }
    };
    h.write("sys/namespaces/n1", &h.root, json!({})).await;
    within(
        Verb::Write,
        "sys/mounts/tickets",
        json!({ "type": "tickets" }),
    )
    .await;
    assert_eq!(
        within(Verb::Read, "tickets/issue/a", Value::Null)
            .await
            .status,
        200
    );
    quota(&h, "all", 9, "").await;
    h.settle().await;
    assert_eq!(counter(&h, "all").await, 1);
    quota(&h, "n1", 2, "n1").await;
    h.settle().await;
    assert_eq!((counter(&h, "all").await, counter(&h, "n1").await), (0, 1));
    assert_eq!(
        within(Verb::Read, "tickets/issue/b", Value::Null)
            .await
            .status,
        200
    );
    assert_eq!(
        within(Verb::Read, "tickets/issue/c", Value::Null)
            .await
            .status,
        429
    );
    assert_eq!(ticket(&h, "d", "1h").await.status, 200);
    assert_eq!((really(&h, "all").await, really(&h, "n1").await), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn many_at_once_never_pass_the_maximum() {
    for seed in 0..12 {
        let h = server_over(Arc::new(Restless::new(seed))).await;
        quota(&h, "all", 7, "").await;
        cap(&h, "each", 3, "auth/gate").await;
        let tickets = (0..9).map(|n| {
            let h = &h;
            async move { ticket(h, &format!("t{n}"), "1h").await.status }
        });
        let logins = (0..6).map(|_| {
            let h = &h;
            async move { log_in(h, json!({ "name": "ann" })).await.status }
        });
        let (tickets, logins) = tokio::join!(join_all(tickets), join_all(logins));
        let granted = |all: &[u16]| all.iter().filter(|status| **status == 200).count() as u64;
        let (tickets, logins) = (granted(&tickets), granted(&logins));
        assert!(tickets + logins <= 7 && logins <= 3, "{tickets} + {logins}");
        assert_eq!(counter(&h, "all").await, tickets + logins, "seed {seed}");
        assert_eq!(really(&h, "all").await, tickets + logins, "seed {seed}");
        for n in tickets + logins..7 {
            assert_eq!(ticket(&h, &format!("more{n}"), "1h").await.status, 200);
        }
        assert_eq!(ticket(&h, "last", "1h").await.status, 429);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_made_while_leases_come_and_go_counts_each_once() {
    for seed in 0..12 {
        let h = Arc::new(server_over(Arc::new(Restless::new(seed))).await);
        let old = ticket(&h, "old", "1h").await;
        let busy = (0..10).map(|n| {
            let h = Arc::clone(&h);
            async move {
                let made = ticket(&h, &format!("t{n}"), "1h").await;
                if n % 3 == 0 {
                    revoke(&h, &made).await;
                }
            }
        });
        let changing = async {
            quota(&h, "all", 100, "").await;
            quota(&h, "tickets", 100, "tickets").await;
            revoke(&h, &old).await;
            h.delete(&format!("{LEASES}/tickets"), &h.root).await;
        };
        tokio::join!(join_all(busy), changing);
        h.settle().await;
        assert_eq!(
            (counter(&h, "all").await, really(&h, "all").await),
            (6, 6),
            "seed {seed}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_at_any_moment_the_count_is_what_is_there() {
    for commits in 0..40 {
        let store = Faulty::new();
        let h = server_over(Arc::clone(&store) as _).await;
        quota(&h, "all", 100, "").await;
        cap(&h, "each", 3, "auth/gate").await;
        h.settle().await;
        store.crash_after(commits);
        let kept = ticket(&h, "a", "10h").await;
        let ann = log_in(&h, json!({ "name": "ann", "secs": 36_000 })).await;
        ticket(&h, "b", "10h").await;
        if kept.status == 200 {
            let id = json!({ "lease_id": kept.json["lease_id"] });
            h.write("sys/leases/revoke", &h.root, id).await;
        }
        if ann.status == 200 {
            h.write("auth/token/revoke-self", &ann.token(), Value::Null)
                .await;
        }
        h.write(
            &format!("{LEASES}/tickets"),
            &h.root,
            json!({ "max_leases": 50, "path": "tickets" }),
        )
        .await;
        store.crash_after(0);
        let again = h.restarted(settings(), store.survivor()).await;
        again.advance(Duration::from_secs(700)).await; // What was left half done is undone.
        for name in again.list(LEASES, &again.root).await.keys() {
            let (counted, there) = (counter(&again, &name).await, really(&again, &name).await);
            assert_eq!(counted, there, "{name} after {commits} commits");
        }
        let holders = again.kernel.barrier.view("sys/quotas/holder/");
        let holders = holders.scan_paths("", None, 10).await.unwrap();
        let tokens = again.kernel.barrier.view("sys/token/");
        let tokens = tokens.scan::<TokenRecord>("id/", None, 10).await.unwrap();
        let held = tokens
            .iter()
            .filter(|(_, token)| !token.holder.is_empty())
            .count();
        assert_eq!(holders.len(), held, "after {commits} commits");
    }
}

#[tokio::test(start_paused = true)]
async fn opening_costs_the_same_however_many_leases_are_counted() {
    let reads_to_open = |leases: usize| async move {
        let store = Faulty::new();
        let h = server_over(Arc::clone(&store) as _).await;
        quota(&h, "all", 10_000, "").await;
        h.settle().await;
        for n in 0..leases {
            assert_eq!(ticket(&h, &format!("t{n}"), "10h").await.status, 200);
        }
        store.crash_after(0);
        let store = Faulty::over(store.survivor());
        let again = h.restarted(settings(), Arc::clone(&store) as _).await;
        let reads = store.reads();
        assert_eq!(counter(&again, "all").await, leases as u64);
        reads
    };
    assert_eq!(reads_to_open(3).await, reads_to_open(300).await);
}

#[tokio::test(start_paused = true)]
async fn an_identity_has_at_most_so_many_living_tokens() {
    let store = Arc::new(Memory::new());
    let h = server_over(Arc::clone(&store) as _).await;
    let before = log_in(&h, json!({ "name": "ann" })).await;
    cap(&h, "humans", 2, "auth/gate").await;
    h.settle().await;
    assert_eq!(
        log_in(&h, json!({ "name": "ann", "secs": 60 }))
            .await
            .status,
        200
    );
    let refused = log_in(&h, json!({ "name": "ann" })).await;
    assert_eq!(refused.status, 429);
    for word in ["2 living tokens", "\"humans\"", "revoke-self"] {
        assert!(refused.error().contains(word), "{refused:?}");
    }
    assert_eq!(
        log_in(&h, json!({ "name": "bob" })).await.status,
        200,
        "somebody else"
    );
    assert_eq!(
        log_in(&h, json!({ "name": "ann", "batch": true }))
            .await
            .status,
        200
    );
    for _ in 0..3 {
        h.create(&h.root, json!({ "display_name": "ann" })).await;
    }
    let h = h.restarted(settings(), store).await;
    assert_eq!(
        log_in(&h, json!({ "name": "ann" })).await.status,
        429,
        "after a restart, too"
    );
    h.advance(Duration::from_secs(61)).await;
    assert_eq!(
        log_in(&h, json!({ "name": "ann" })).await.status,
        200,
        "one has ended"
    );
    assert_eq!(log_in(&h, json!({ "name": "ann" })).await.status, 429);
    h.write("auth/token/revoke-self", &before.token(), Value::Null)
        .await;
    assert_eq!(
        log_in(&h, json!({ "name": "ann" })).await.status,
        200,
        "one was revoked"
    );
    let read = h.read(&format!("{TOKENS}/humans"), &h.root).await;
    assert_eq!(
        *read.data(),
        json!({ "type": "token-count", "name": "humans", "path": "auth/gate/", "role": "", "max_tokens": 2, "inheritable": false })
    );
    h.delete(&format!("{TOKENS}/humans"), &h.root).await;
    h.settle().await;
    assert_eq!(log_in(&h, json!({ "name": "ann" })).await.status, 200);
    let left = h.kernel.barrier.view("sys/quotas/holder/");
    assert_eq!(
        left.scan_paths("", None, 10).await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test(start_paused = true)]
async fn logins_of_a_role_are_counted_by_its_quota() {
    let h = server().await;
    let wish = json!({ "max_leases": 1, "path": "auth/gate", "role": "ops" });
    assert_eq!(
        h.write(&format!("{LEASES}/ops"), &h.root, wish)
            .await
            .status,
        204
    );
    quota(&h, "gate", 2, "auth/gate").await;
    let as_role = |role: &'static str| {
        let h = &h;
        async move {
            log_in(h, json!({ "name": "ann", "role": role }))
                .await
                .status
        }
    };
    assert_eq!([as_role("ops").await, as_role("ops").await], [200, 429]);
    assert_eq!(
        [
            as_role("dev").await,
            as_role("").await,
            as_role("dev").await
        ],
        [200, 200, 429]
    );
    h.delete(&format!("{LEASES}/gate"), &h.root).await;
    h.delete(&format!("{LEASES}/ops"), &h.root).await;
    quota(&h, "gate", 9, "auth/gate").await;
    let wish = json!({ "max_leases": 9, "path": "auth/gate", "role": "ops" });
    assert_eq!(
        h.write(&format!("{LEASES}/ops"), &h.root, wish)
            .await
            .status,
        204
    );
    h.settle().await;
    assert_eq!(
        (counter(&h, "ops").await, counter(&h, "gate").await),
        (1, 2),
        "the role is remembered"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_number_is_refused() {
    let h = server().await;
    for (path, field) in [(LEASES, "max_leases"), (TOKENS, "max_tokens")] {
        for wrong in [json!(0), json!(-1), json!(null), json!("many"), json!(1.5)] {
            let refused = h
                .write(&format!("{path}/a"), &h.root, json!({ field: wrong }))
                .await;
            assert_eq!(refused.status, 400, "{wrong}: {refused:?}");
        }
        assert_eq!(h.read(&format!("{path}/a"), &h.root).await.status, 404);
    }
}

/// What happens to a server with quotas.
#[derive(Clone, Debug)]
enum Happening {
    Issue(u8),
    LogIn(u8),
    Revoke(u8),
    LogOut(u8),
    Pass(u16),
    Put(u8, u8),
    Drop(u8),
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => any::<u8>().prop_map(Happening::Issue),
        3 => any::<u8>().prop_map(Happening::LogIn),
        2 => any::<u8>().prop_map(Happening::Revoke),
        2 => any::<u8>().prop_map(Happening::LogOut),
        2 => (0..90_u16).prop_map(Happening::Pass),
        3 => (0..3_u8, 0..5_u8).prop_map(|(name, place)| Happening::Put(name, place)),
        1 => (0..3_u8).prop_map(Happening::Drop),
        1 => Just(Happening::Restart),
    ]
}

async fn live_through(happenings: Vec<Happening>) {
    let mut store = Faulty::new();
    let mut h = server_over(Arc::clone(&store) as _).await;
    let (mut leases, mut tokens) = (Vec::new(), Vec::new());
    for (at, happening) in happenings.into_iter().enumerate() {
        match happening {
            Happening::Issue(kind) => {
                let ttl = if kind % 2 == 0 { "1h" } else { "40s" };
                let name = format!("{}{at}", ["a", "b"][usize::from(kind % 2)]);
                leases.extend(Some(ticket(&h, &name, ttl).await).filter(|made| made.status == 200));
            }
            Happening::LogIn(kind) => {
                let wish =
                    json!({ "name": format!("n{}", kind % 2), "secs": u64::from(kind % 3) * 30 });
                tokens.extend(Some(log_in(&h, wish).await).filter(|made| made.status == 200));
            }
            Happening::Revoke(which) if !leases.is_empty() => {
                let lease: Answer = leases.swap_remove(usize::from(which) % leases.len());
                revoke(&h, &lease).await;
            }
            Happening::LogOut(which) if !tokens.is_empty() => {
                let token: Answer = tokens.swap_remove(usize::from(which) % tokens.len());
                h.write("auth/token/revoke-self", &token.token(), Value::Null)
                    .await;
            }
            Happening::Pass(secs) => h.advance(Duration::from_secs(u64::from(secs))).await,
            Happening::Put(name, place) => {
                let place = [
                    "",
                    "tickets",
                    "tickets/issue/a*",
                    "auth/gate",
                    "auth/gate/login",
                ][usize::from(place)];
                let wish = json!({ "max_leases": 100, "max_tokens": 100, "path": place });
                for kind in [LEASES, TOKENS] {
                    h.write(&format!("{kind}/q{name}"), &h.root, wish.clone())
                        .await;
                }
            }
            Happening::Drop(name) => {
                for kind in [LEASES, TOKENS] {
                    h.delete(&format!("{kind}/q{name}"), &h.root).await;
                }
            }
            Happening::Restart => {
                store.crash_after(0);
                store = Faulty::over(store.survivor());
                h = h.restarted(settings(), Arc::clone(&store) as _).await;
            }
            Happening::Revoke(_) | Happening::LogOut(_) => {}
        }
    }
    h.settle().await;
    h.settle().await;
    agree(&h).await;
}

/// Every count is what a look at each lease and token finds, and each is counted where it belongs.
async fn agree(h: &Harness) {
    for name in h.list(LEASES, &h.root).await.keys() {
        assert_eq!(counter(h, &name).await, really(h, &name).await, "{name}");
    }
    let everything = h.list(LEASES, &h.root).await.keys();
    let mut whole = false;
    for name in &everything {
        let read = h.read(&format!("{LEASES}/{name}"), &h.root).await;
        whole |= read.data()["path"] == "";
    }
    let view = h.kernel.barrier.view("sys/lease/");
    let leases = view.scan::<LeaseRecord>("id/", None, 1_000).await.unwrap();
    assert!(!whole || leases.iter().all(|(_, lease)| !lease.quota.is_empty()));
    let view = h.kernel.barrier.view("sys/token/");
    let tokens = view.scan::<TokenRecord>("id/", None, 1_000).await.unwrap();
    let mut held = std::collections::BTreeMap::<String, u64>::new();
    for (_, token) in tokens.iter().filter(|(_, token)| !token.holder.is_empty()) {
        *held.entry(token.holder.clone()).or_default() += 1;
    }
    let view = h.kernel.barrier.view("sys/quotas/holder/");
    let paths = view.scan_paths("", None, 1_000).await.unwrap();
    assert_eq!(paths, held.keys().cloned().collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_agree_with_what_is_there(happenings in prop::collection::vec(happening(), 1..30)) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(live_through(happenings));
    }
}
