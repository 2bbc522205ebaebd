//! Tokens end when they should, with all that hangs on them, whatever happens at the same time.

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_kernel::leases::Which;
use futures_util::future::join_all;
use harness::Harness;
use serde_json::json;

const HOUR: Duration = Duration::from_secs(3600);

const WORKER: &str = r#"
path "auth/token/create" { capabilities = ["update"] }
path "tickets/*" { capabilities = ["read", "update"] }
"#;

async fn furnished(h: Harness) -> Harness {
    h.mount_tickets().await;
    h.policy("worker", WORKER).await;
    h
}

async fn server() -> Harness {
    furnished(Harness::new().await).await
}

fn worker() -> serde_json::Value {
    json!({ "policies": ["worker"], "ttl": "1h" })
}

async fn revoke(h: &Harness, token: &str) -> u16 {
    h.write("auth/token/revoke", &h.root, json!({ "token": token }))
        .await
        .status
}

#[tokio::test(start_paused = true)]
async fn everything_that_hangs_on_a_token_ends_with_it() {
    let h = server().await;
    let other = h.create(&h.root, worker()).await.token();
    let parent = h.create(&h.root, worker()).await.token();
    let child = h.create(&parent, json!({})).await.token();
    let grandchild = h.create(&child, json!({})).await.token();
    for (token, name) in [
        (&other, "other"),
        (&parent, "a"),
        (&parent, "b"),
        (&child, "c"),
        (&grandchild, "d"),
    ] {
        assert_eq!(
            h.read(&format!("tickets/issue/{name}"), token).await.status,
            200
        );
    }
    assert_eq!(h.tickets().await.len(), 5);
    assert_eq!(revoke(&h, &parent).await, 204);
    for token in [&parent, &child, &grandchild] {
        assert!(!h.lives(token).await);
    }
    assert_eq!(h.tickets().await, ["other"]);
    assert!(h.lives(&other).await);
    assert_eq!(revoke(&h, &parent).await, 204, "again is fine");
    assert_eq!(
        h.open().leases.due.first(100).await.unwrap().len(),
        2,
        "nothing of the family is left in the index"
    );
}

#[tokio::test(start_paused = true)]
async fn leases_of_a_batch_token_end_with_it_and_with_its_parent() {
    let h = server().await;
    let parent = h.create(&h.root, worker()).await.token();
    let wish = json!({ "policies": ["worker"], "type": "batch", "ttl": "30m" });
    let child = h.create(&parent, wish.clone()).await.token();
    let orphan = h
        .write("auth/token/create-orphan", &h.root, wish)
        .await
        .token();
    let lease = h.read("tickets/issue/a", &child).await;
    assert_eq!(
        lease.json["lease_duration"],
        json!(1800),
        "no longer than its token"
    );
    h.read("tickets/issue/b", &orphan).await;
    assert_eq!(revoke(&h, &parent).await, 204);
    assert_eq!(h.tickets().await, ["b"]);
    h.advance(HOUR / 2).await;
    assert!(h.tickets().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn revoking_by_accessor_by_itself_and_without_children() {
    let h = server().await;
    let made = h.create(&h.root, worker()).await;
    let by_accessor = async || {
        h.write(
            "auth/token/revoke-accessor",
            &h.root,
            json!({ "accessor": made.accessor() }),
        )
        .await
    };
    assert_eq!(by_accessor().await.status, 204);
    assert!(!h.lives(&made.token()).await);
    let again = by_accessor().await;
    assert_eq!(
        (again.status, again.warnings()),
        (200, vec!["No token found with this accessor".to_owned()])
    );
    assert_eq!(
        h.write("auth/token/revoke-accessor", &h.root, json!({}))
            .await
            .error(),
        "missing accessor"
    );
    assert_eq!(
        h.write("auth/token/revoke", &h.root, json!({}))
            .await
            .error(),
        "missing token ID"
    );

    let own = h.create(&h.root, worker()).await.token();
    assert_eq!(
        h.write("auth/token/revoke-self", &own, json!({}))
            .await
            .status,
        204
    );
    assert!(!h.lives(&own).await);

    let parent = h.create(&h.root, worker()).await.token();
    let child = h.create(&parent, json!({})).await.token();
    let orphaning = h
        .write(
            "auth/token/revoke-orphan",
            &h.root,
            json!({ "token": parent }),
        )
        .await;
    assert_eq!(orphaning.status, 204);
    assert!(!h.lives(&parent).await && h.lives(&child).await);
    assert_eq!(
        h.read("auth/token/lookup-self", &child).await.data()["orphan"],
        true
    );
    let unknown = h
        .write(
            "auth/token/revoke-orphan",
            &h.root,
            json!({ "token": parent }),
        )
        .await;
    assert_eq!(
        (unknown.status, unknown.error().as_str()),
        (400, "token to revoke not found")
    );
    assert_eq!(
        h.write("auth/token/revoke-orphan", &child, json!({ "token": "x" }))
            .await
            .status,
        403
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_refused_before_the_worker_comes_and_cleared_by_it() {
    let h = server().await;
    let parent = h.create(&h.root, worker()).await;
    let child = h
        .create(&parent.token(), json!({ "ttl": "10h" }))
        .await
        .token();
    h.read("tickets/issue/a", &parent.token()).await;
    h.read("tickets/issue/b", &child).await;
    h.clock.advance(HOUR);
    assert!(!h.lives(&parent.token()).await);
    let looked = h
        .write(
            "auth/token/lookup-accessor",
            &h.root,
            json!({ "accessor": parent.accessor() }),
        )
        .await;
    assert_eq!(looked.status, 400);
    assert_eq!(h.tickets().await.len(), 2);
    h.settle().await;
    assert!(!h.lives(&child).await, "children end with their parent");
    assert!(h.tickets().await.is_empty());
    assert_eq!(
        h.list("auth/token/accessors", &h.root).await.keys().len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn renewals_keep_a_token_past_its_first_due_entry() {
    let h = server().await;
    let token = h.create(&h.root, worker()).await.token();
    for _ in 0..5 {
        h.advance(HOUR * 3 / 4).await;
        assert_eq!(
            h.write("auth/token/renew-self", &token, json!({}))
                .await
                .status,
            200
        );
    }
    h.advance(HOUR / 2).await;
    assert!(h.lives(&token).await);
    assert_eq!(h.open().leases.due.first(100).await.unwrap().len(), 1);
    let shorter = h
        .write("auth/token/renew-self", &token, json!({ "increment": 60 }))
        .await;
    assert_eq!(shorter.auth()["lease_duration"], json!(60));
    h.advance(Duration::from_secs(60)).await;
    assert!(!h.lives(&token).await);
    assert!(h.open().leases.due.first(100).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failing_target_does_not_keep_a_token_alive_and_is_retried() {
    let h = server().await;
    let token = h.create(&h.root, worker()).await.token();
    h.read("tickets/issue/a", &token).await;
    h.write("tickets/config", &h.root, json!({ "refuse": true }))
        .await;
    assert_eq!(revoke(&h, &token).await, 204);
    assert!(!h.lives(&token).await);
    h.settle().await;
    assert_eq!(h.tickets().await, ["a"], "its ticket could not be undone");
    h.write("tickets/config", &h.root, json!({ "refuse": false }))
        .await;
    h.settle().await;
    assert!(
        h.tickets().await.is_empty(),
        "and was, as soon as that was possible"
    );
    assert!(
        h.open()
            .leases
            .ids(
                Which::Below {
                    namespace: "",
                    prefix: ""
                },
                None,
                10
            )
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn uses_are_counted_and_the_last_is_the_end() {
    let h = server().await;
    let token = h
        .create(&h.root, json!({ "policies": ["worker"], "num_uses": 3 }))
        .await
        .token();
    assert_eq!(
        h.read("auth/token/lookup-self", &token).await.data()["num_uses"],
        json!(2)
    );
    assert_eq!(
        h.read("sys/mounts", &token).await.status,
        403,
        "a refusal is a use"
    );
    assert_eq!(
        h.read("auth/token/lookup-self", &token).await.data()["num_uses"],
        json!(-1)
    );
    assert!(!h.lives(&token).await);
    assert_eq!(
        h.list("auth/token/accessors", &h.root).await.keys().len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_single_use_is_spent_once_whoever_comes_at_the_same_time() {
    for seed in 0..20 {
        let h = furnished(Harness::restless(seed).await).await;
        let token = h
            .create(&h.root, json!({ "policies": ["worker"], "num_uses": 1 }))
            .await
            .token();
        let uses = (0..8).map(|_| h.read("auth/token/lookup-self", &token));
        let statuses: Vec<u16> = join_all(uses)
            .await
            .iter()
            .map(|answer| answer.status)
            .collect();
        assert_eq!(
            statuses.iter().filter(|status| **status == 200).count(),
            1,
            "seed {seed}: {statuses:?}"
        );
        assert_eq!(
            statuses.iter().filter(|status| **status == 403).count(),
            7,
            "seed {seed}: {statuses:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_is_revoked_with_its_parent_or_not_made() {
    for seed in 0..60 {
        let h = furnished(Harness::restless(seed).await).await;
        let parent = h.create(&h.root, worker()).await.token();
        let children = (0..6).map(|_| h.write("auth/token/create", &parent, json!({})));
        let tickets = ["a", "b", "c"].map(|name| h.read(name_of(name), &parent));
        let (made, _, revoked) =
            tokio::join!(join_all(children), join_all(tickets), revoke(&h, &parent));
        assert_eq!(revoked, 204);
        for child in made {
            assert!(matches!(child.status, 200 | 403), "{child:?}");
            assert!(
                child.status == 403 || !h.lives(&child.token()).await,
                "seed {seed}: a child outlived its parent"
            );
        }
        assert!(!h.lives(&parent).await);
        h.settle().await;
        assert!(
            h.tickets().await.is_empty(),
            "seed {seed}: a lease outlived its token"
        );
        assert_eq!(
            h.list("auth/token/accessors", &h.root).await.keys().len(),
            1,
            "seed {seed}"
        );
    }
}

fn name_of(name: &str) -> &'static str {
    match name {
        "a" => "tickets/issue/a",
        "b" => "tickets/issue/b",
        _ => "tickets/issue/c",
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_does_not_bring_back_what_is_being_revoked() {
    for seed in 0..30 {
        let h = furnished(Harness::restless(seed).await).await;
        let token = h.create(&h.root, worker()).await.token();
        let renewals = (0..4).map(|_| h.write("auth/token/renew-self", &token, json!({})));
        let (_, revoked) = tokio::join!(join_all(renewals), revoke(&h, &token));
        assert_eq!(revoked, 204);
        assert!(!h.lives(&token).await, "seed {seed}");
        assert_eq!(
            h.list("auth/token/accessors", &h.root).await.keys().len(),
            1,
            "seed {seed}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_chosen_token_is_made_once() {
    for seed in 0..20 {
        let h = Harness::restless(seed).await;
        let wishes = (0..4).map(|_| {
            h.write(
                "auth/token/create",
                &h.root,
                json!({ "id": "mine", "policies": ["a"] }),
            )
        });
        let made = join_all(wishes).await;
        assert_eq!(
            made.iter().filter(|answer| answer.status == 200).count(),
            1,
            "seed {seed}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn deep_and_wide_families() {
    let h = server().await;
    let top = h.create(&h.root, worker()).await.token();
    let mut deepest = top.clone();
    for _ in 0..5_000 {
        deepest = h.create(&deepest, json!({})).await.token();
    }
    for _ in 0..5_000 {
        h.create(&top, json!({})).await;
    }
    assert_eq!(revoke(&h, &top).await, 204);
    assert!(!h.lives(&deepest).await);
    assert_eq!(
        h.list("auth/token/accessors", &h.root).await.keys().len(),
        1
    );
    assert!(h.open().leases.due.first(10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_worker_finishes_a_revocation_that_a_crash_interrupted() {
    let mut finished_by_worker = 0;
    for steps in 0..80 {
        let h = furnished(Harness::restless(steps).await).await;
        let parent = h.create(&h.root, worker()).await.token();
        let child = h.create(&parent, json!({})).await.token();
        h.read("tickets/issue/a", &child).await;
        let died = async {
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = died => {}
            _ = revoke(&h, &parent) => {}
        }
        let begun = !h.lives(&parent).await;
        finished_by_worker +=
            u32::from(begun && h.list("auth/token/accessors", &h.root).await.keys().len() > 1);
        h.advance(Duration::from_secs(10)).await;
        assert_eq!(h.lives(&child).await, !begun, "after {steps} steps");
        assert_eq!(h.tickets().await.is_empty(), begun, "after {steps} steps");
        let left = h.list("auth/token/accessors", &h.root).await.keys().len();
        assert_eq!(left, if begun { 1 } else { 3 }, "after {steps} steps");
    }
    assert!(
        finished_by_worker > 10,
        "{finished_by_worker} of 80 interruptions came half-way"
    );
}

#[tokio::test(start_paused = true)]
async fn tidying_removes_what_leads_nowhere_one_at_a_time() {
    let h = server().await;
    let token = h.create(&h.root, worker()).await;
    let view = h.open().barrier.view("sys/token/");
    let tree = view.scan_paths("child/", None, 10).await.unwrap();
    assert_eq!(tree.len(), 1);
    view.delete(&format!("id/{}", token.accessor()))
        .await
        .unwrap();

    let sweep = h.open().tokens.begin_sweep().unwrap();
    let busy = h.write("auth/token/tidy", &h.root, json!({})).await;
    assert_eq!(
        (busy.status, busy.warnings()),
        (202, vec!["Tidy operation already in progress.".to_owned()])
    );
    drop(sweep);
    let begun = h.write("auth/token/tidy", &h.root, json!({})).await;
    assert_eq!(begun.status, 202);
    assert!(begun.warnings()[0].starts_with("Tidy operation successfully started."));
    h.settle().await;
    assert!(
        view.scan_paths("child/", None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(h.open().leases.due.first(10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn real_threads_spend_a_single_use_once() {
    let h = Arc::new(server().await);
    for _ in 0..20 {
        let token = h
            .create(&h.root, json!({ "policies": ["worker"], "num_uses": 1 }))
            .await
            .token();
        let uses = (0..8).map(|_| {
            let (h, token) = (Arc::clone(&h), token.clone());
            tokio::spawn(async move { h.read("auth/token/lookup-self", &token).await.status })
        });
        let statuses: Vec<u16> = join_all(uses)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            statuses.iter().filter(|status| **status == 200).count(),
            1,
            "{statuses:?}"
        );
    }
}
