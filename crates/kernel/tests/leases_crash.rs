//! Whatever stops a request or the server: no secret stays that no lease knows of, and what was
//! acknowledged is not lost.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_kernel::audit::Allow;
use coffer_kernel::leases::Which;
use harness::faulty::Faulty;
use harness::outside::{
    World, lease, lookup, make, quiet_settings, renew, revoke, server, server_over, settings,
    stored,
};
use harness::{Answer, Harness};
use serde_json::{Value, json};

/// Longer than intents wait for their request.
const GRACE: Duration = Duration::from_secs(700);

const POLICY: &str = r#"path "outside/*" { capabilities = ["update"] }"#;

#[tokio::test(start_paused = true)]
async fn what_a_failed_request_made_is_undone_at_once() {
    let h = server().await;
    let failed = make(&h, "db", "a", json!({ "then": "fail" })).await;
    assert_eq!(failed.status, 500);
    h.pass(2).await;
    assert!(World::here().live().is_empty() && stored(&h).await.is_empty());

    assert_eq!(
        make(&h, "db", "b", json!({ "then": "twice" })).await.status,
        200
    );
    h.pass(2).await;
    assert_eq!(
        World::here().live(),
        ["b"],
        "only one of the two was granted"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_bug_left_is_undone_after_a_while() {
    let h = Arc::new(server().await);
    let other = Arc::clone(&h);
    let bug =
        tokio::spawn(async move { make(&other, "db", "a", json!({ "then": "panic" })).await });
    assert!(bug.await.unwrap_err().is_panic());
    assert_eq!(World::here().live(), ["a"]);
    h.advance(GRACE).await;
    assert!(World::here().live().is_empty() && stored(&h).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_long_request_keeps_its_intent() {
    let h = Arc::new(server().await);
    let world = World::here();
    let other = Arc::clone(&h);
    let slow = tokio::spawn(async move {
        make(&other, "db", "a", json!({ "then": "linger", "ttl": "2h" })).await
    });
    world.waiting.acquire().await.unwrap().forget();
    h.advance(GRACE).await;
    assert_eq!(world.live(), ["a"], "not undone under the request's hands");
    world.gate.add_permits(1);
    let made = slow.await.unwrap();
    assert_eq!(made.status, 200);
    assert_eq!(
        lookup(&h, made.json["lease_id"].as_str().unwrap())
            .await
            .status,
        200
    );
    h.advance(Duration::from_secs(7200)).await;
    assert!(world.live().is_empty() && stored(&h).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_token_revoked_while_its_request_runs_leaves_no_lease() {
    for then in ["wait", "linger"] {
        let h = Arc::new(server().await);
        let world = World::here();
        h.policy("p", POLICY).await;
        let token = h
            .create(&h.root, json!({ "policies": ["p"] }))
            .await
            .token();
        let (other, by) = (Arc::clone(&h), token.clone());
        let making = tokio::spawn(async move {
            other
                .write("outside/creds/db/a", &by, json!({ "then": then }))
                .await
        });
        world.waiting.acquire().await.unwrap().forget();
        let revoked = h
            .write("auth/token/revoke", &h.root, json!({ "token": token }))
            .await;
        assert_eq!(revoked.status, 204);
        world.gate.add_permits(1);
        assert_eq!(making.await.unwrap().status, 403);
        h.pass(2).await;
        assert!(world.live().is_empty() && stored(&h).await.is_empty());
    }
}

/// Time is real here: the device's thread does not wait for a paused one.
#[tokio::test]
async fn an_answer_that_audit_can_not_record_leaves_no_lease() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let mut wishes = settings();
    wishes.audit_allow = Allow::paths(|_| true);
    wishes.unsafe_allow_api_audit_creation = true;
    let h = Arc::new(Harness::with(wishes, Arc::new(coffer_storage::Memory::new())).await);
    h.write("sys/mounts/outside", &h.root, json!({ "type": "outside" }))
        .await;
    let device = json!({ "type": "file", "options": { "file_path": file.to_str().unwrap() } });
    assert_eq!(h.write("sys/audit/file", &h.root, device).await.status, 204);
    let world = World::here();
    let other = Arc::clone(&h);
    let making =
        tokio::spawn(async move { make(&other, "db", "a", json!({ "then": "linger" })).await });
    world.waiting.acquire().await.unwrap().forget();
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap(); // Opening it again fails from here on.
    h.open().audit.reopen(h.clock.now()).await;
    world.gate.add_permits(1);
    let made = making.await.unwrap();
    assert_eq!(
        (made.status, &made.json["lease_id"]),
        (500, &Value::Null),
        "{made:?}"
    );
    let gone = async {
        while !stored(&h).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .unwrap();
    assert!(world.live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_refused_write_leaves_no_orphan() {
    for number in 0..12 {
        let store = Faulty::new();
        let h = server_over(store.clone()).await;
        store.refuse_one_after(number);
        let made = make(&h, "db", "a", json!({ "ttl": "1h" })).await;
        h.advance(GRACE).await;
        if made.status == 200 {
            let id = made.json["lease_id"].as_str().unwrap();
            assert_eq!(lookup(&h, id).await.status, 200, "acknowledged");
            store.refuse_one_after(number);
            let revoked = revoke(&h, id).await;
            h.advance(GRACE).await;
            assert!(
                revoked.status == 204
                    || lookup(&h, id).await.status == 400
                    || World::here().live() == ["a"]
            );
        }
        h.advance(Duration::from_secs(3_600)).await;
        assert!(World::here().live().is_empty(), "write {number}");
        assert_eq!(stored(&h).await, Vec::<String>::new(), "write {number}");
    }
}

/// A server with one living lease and one token that has three.
struct Scene {
    h: Arc<Harness>,
    store: Arc<Faulty>,
    lease: String,
    token: String,
}

async fn scene() -> Scene {
    let store = Faulty::new();
    let h = Arc::new(server_over(store.clone()).await);
    h.policy("p", POLICY).await;
    let lease = lease(&h, "db", "first", "1h").await;
    let token = h
        .create(&h.root, json!({ "policies": ["p"], "ttl": "2h" }))
        .await
        .token();
    for name in ["a", "b", "c"] {
        let made = h
            .write(
                &format!("outside/creds/{name}/{name}"),
                &token,
                json!({ "ttl": "2h" }),
            )
            .await;
        assert_eq!(made.status, 200);
    }
    Scene {
        h,
        store,
        lease,
        token,
    }
}

/// What the client asks for in the moment of the crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Issue,
    Renew,
    Revoke,
    RevokeToken,
    Disable,
    Expire,
}

impl Step {
    async fn take(self, scene: &Scene) -> Option<Answer> {
        let h = &scene.h;
        Some(match self {
            Self::Issue => make(h, "db", "new", json!({ "ttl": "3h" })).await,
            Self::Renew => renew(h, &scene.lease, "3h").await,
            Self::Revoke => revoke(h, &scene.lease).await,
            Self::RevokeToken => {
                h.write(
                    "auth/token/revoke",
                    &h.root,
                    json!({ "token": scene.token }),
                )
                .await
            }
            Self::Disable => h.delete("sys/mounts/outside", &h.root).await,
            Self::Expire => {
                h.advance(Duration::from_secs(7200)).await;
                return None;
            }
        })
    }

    /// What holds after the crash if the step was acknowledged.
    async fn is_kept(self, h: &Harness, scene: &Scene, answer: &Answer) {
        let live = World::here().live();
        match self {
            Self::Issue => {
                let id = answer.json["lease_id"].as_str().unwrap();
                assert_eq!(lookup(h, id).await.status, 200);
                assert!(live.contains(&"new".to_owned()));
            }
            Self::Renew => assert_eq!(
                lookup(h, &scene.lease).await.data()["ttl"],
                json!(3 * 3600 - 700)
            ),
            Self::Revoke => assert!(!live.contains(&"first".to_owned())),
            Self::RevokeToken => assert_eq!(live, ["first"]),
            Self::Disable => assert!(live.is_empty()),
            Self::Expire => {}
        }
    }
}

/// Crashes after each number of commits until the step gets through, and starts again.
async fn crash_at_every_commit(step: Step) {
    for commits in 0.. {
        let scene = scene().await;
        scene.store.crash_after(commits);
        let answer = step.take(&scene).await;
        let through = !scene.store.is_down();
        scene.store.crash_after(0);
        let survivor = Faulty::over(scene.store.survivor());
        let h = scene.h.restarted(settings(), survivor).await;
        h.advance(GRACE).await;
        let where_ = format!("{step:?} after {commits} commits");
        let acknowledged = answer.filter(|answer| answer.status < 300);
        if let Some(answer) = &acknowledged {
            step.is_kept(&h, &scene, answer).await;
        }
        let known = known_names(&h).await;
        for name in World::here().live() {
            assert!(known.contains(&name), "{where_}: nobody knows of {name}");
        }
        h.advance(Duration::from_secs(4 * 3600)).await;
        assert_eq!(World::here().live(), Vec::<String>::new(), "{where_}");
        assert_eq!(stored(&h).await, Vec::<String>::new(), "{where_}");
        if through {
            assert!(
                commits > 0 && (acknowledged.is_some() || step == Step::Expire),
                "{where_}"
            );
            return;
        }
    }
}

/// The names in the ids of all leases.
async fn known_names(h: &Harness) -> Vec<String> {
    let ids = h
        .open()
        .leases
        .ids(
            Which::Below {
                namespace: "",
                prefix: "",
            },
            None,
            1_000,
        )
        .await
        .unwrap();
    ids.iter()
        .map(|id| id.split('/').nth(3).unwrap().to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_a_secret_is_issued() {
    crash_at_every_commit(Step::Issue).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_a_lease_is_renewed() {
    crash_at_every_commit(Step::Renew).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_a_lease_is_revoked() {
    crash_at_every_commit(Step::Revoke).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_a_token_is_revoked() {
    crash_at_every_commit(Step::RevokeToken).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_a_mount_is_disabled() {
    crash_at_every_commit(Step::Disable).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_leases_and_tokens_expire() {
    crash_at_every_commit(Step::Expire).await;
}

#[tokio::test(start_paused = true)]
async fn opening_costs_the_same_with_many_leases() {
    let mut costs = Vec::new();
    for leases in [10, 20_000] {
        let store = Faulty::new();
        let h = server_over(store.clone()).await;
        for number in 0..leases {
            lease(&h, "db", &format!("n{number}"), "10h").await;
        }
        store.crash_after(0);
        let survivor = Faulty::over(store.survivor());
        let again = h.restarted(quiet_settings(), survivor.clone()).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        costs.push(survivor.reads());
        drop(again);
    }
    assert_eq!(costs[0], costs[1], "reads with 10 and with 20,000 leases");
}
