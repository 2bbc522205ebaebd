//! What a lease does from its issue to its end, as clients see it.

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_wire::Verb;
use harness::outside::{
    Mood, World, lease, lookup, make, renew, revoke, server, server_over, stored,
};
use harness::{Answer, Harness};
use serde_json::{Value, json};

async fn irrevocable(h: &Harness) -> Answer {
    h.request(
        Verb::Read,
        "sys/leases",
        &h.root,
        json!({ "type": "irrevocable" }),
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn a_lease_from_issue_to_end() {
    let h = server().await;
    let made = make(&h, "db", "a", json!({ "ttl": "100s", "max_ttl": "300s" })).await;
    assert_eq!(
        (
            made.status,
            &made.json["lease_duration"],
            &made.json["renewable"]
        ),
        (200, &json!(100), &json!(true))
    );
    let id = made.json["lease_id"].as_str().unwrap().to_owned();
    let secret = id.strip_prefix("outside/creds/db/a/").unwrap();
    assert!(secret.len() >= 24 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let shown = lookup(&h, &id).await;
    assert_eq!(
        (&shown.data()["ttl"], &shown.data()["renewable"]),
        (&json!(100), &json!(true))
    );
    assert_eq!(shown.data()["last_renewal"], Value::Null);

    h.clock.advance(Duration::from_secs(50));
    assert_eq!(renew(&h, &id, "200s").await.json["lease_duration"], 200);
    h.clock.advance(Duration::from_secs(100));
    let capped = renew(&h, &id, "900s").await;
    assert_eq!(
        capped.json["lease_duration"], 150,
        "300 s from the issue, 150 s ago"
    );
    assert_eq!(capped.warnings().len(), 1);
    assert_eq!(
        renew(&h, &id, "10s").await.json["lease_duration"],
        10,
        "it can be shortened"
    );

    assert_eq!(revoke(&h, &id).await.status, 204);
    assert!(World::here().live().is_empty());
    assert_eq!(lookup(&h, &id).await.status, 400);
    assert_eq!(renew(&h, &id, "10s").await.status, 400);
    assert_eq!(revoke(&h, &id).await.status, 204, "again is fine");
    assert!(stored(&h).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_expired_lease_is_not_renewed_and_ends() {
    let h = server().await;
    let id = lease(&h, "db", "a", "10s").await;
    h.clock.advance(Duration::from_secs(10));
    let late = renew(&h, &id, "100s").await;
    assert_eq!((late.status, late.error().as_str()), (400, "lease expired"));
    h.settle().await;
    assert!(World::here().live().is_empty() && stored(&h).await.is_empty());
    for path in ["sys/leases/lookup", "sys/leases/renew"] {
        assert_eq!(
            h.write(
                path,
                &h.root,
                json!({ "lease_id": "outside/creds/db/a/none" })
            )
            .await
            .status,
            400
        );
        assert_eq!(h.write(path, &h.root, json!({})).await.status, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn a_prefix_means_whole_segments() {
    let h = server().await;
    for (target, name) in [("app", "a"), ("app", "b"), ("application", "c")] {
        lease(&h, target, name, "1h").await;
    }
    let listed = h.list("sys/leases/lookup/outside/creds", &h.root).await;
    assert_eq!(listed.keys(), ["app/", "application/"]);
    let path = "sys/leases/revoke-prefix/outside/creds/app";
    assert_eq!(h.write(path, &h.root, json!({})).await.status, 204);
    assert_eq!(World::here().live(), ["c"]);
    assert_eq!(
        h.list("sys/leases/lookup/outside/creds", &h.root)
            .await
            .keys(),
        ["application/"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_revoked_says_so_and_can_be_forgotten() {
    let h = server().await;
    World::here().mood("db", Mood::Refuses);
    let id = lease(&h, "db", "a", "1h").await;
    let refused = revoke(&h, &id).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.error().contains("connection refused"),
        "{refused:?}"
    );
    let shown = lookup(&h, &id).await;
    assert_eq!(shown.data()["revocation_error"], "connection refused");
    assert_eq!(
        (
            &shown.data()["revocation_attempts"],
            &shown.data()["renewable"]
        ),
        (&json!(1), &json!(false))
    );
    assert_eq!(renew(&h, &id, "1h").await.error(), "lease expired");
    assert_eq!(irrevocable(&h).await.data()["lease_count"], 0);

    h.settle().await;
    let listed = irrevocable(&h).await;
    assert_eq!(
        listed.data()["leases"],
        json!([{ "lease_id": id, "error": "connection refused" }])
    );
    let count = h
        .request(
            Verb::Read,
            "sys/leases/count",
            &h.root,
            json!({ "type": "irrevocable" }),
        )
        .await;
    assert_eq!(count.data()["counts"], json!({ "outside/": 1 }));
    let tries = World::here().tries("db");
    h.settle().await;
    assert!(
        (5..30).contains(&(World::here().tries("db") - tries)),
        "slowly, for ever"
    );

    let forced = h
        .write(
            "sys/leases/revoke-force/outside/creds/db",
            &h.root,
            json!({}),
        )
        .await;
    assert_eq!(forced.status, 204, "{forced:?}");
    assert_eq!(lookup(&h, &id).await.status, 400);
    assert_eq!(World::here().live(), ["a"], "an operator's business now");
    h.settle().await;
    assert!(stored(&h).await.is_empty(), "{:?}", stored(&h).await);
    let tries = World::here().tries("db");
    h.settle().await;
    assert_eq!(World::here().tries("db"), tries);
}

#[tokio::test(start_paused = true)]
async fn the_last_use_of_a_token_gets_no_secret_that_is_dead() {
    let h = server().await;
    h.policy("p", r#"path "outside/*" { capabilities = ["update"] }"#)
        .await;
    let token = h
        .create(&h.root, json!({ "policies": ["p"], "num_uses": 2 }))
        .await
        .token();
    assert_eq!(
        h.write("outside/creds/db/a", &token, json!({}))
            .await
            .status,
        200
    );
    assert_eq!(
        h.write("outside/creds/db/b", &token, json!({}))
            .await
            .status,
        400
    );
    h.settle().await;
    assert!(World::here().live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn leases_of_a_batch_token_end_with_it_or_with_its_parent() {
    let h = server().await;
    h.policy("p", r#"path "outside/*" { capabilities = ["update"] } path "auth/token/create" { capabilities = ["update"] }"#).await;
    let parent = h
        .create(&h.root, json!({ "policies": ["p"], "ttl": "10h" }))
        .await
        .token();
    let batch = h
        .create(&parent, json!({ "type": "batch", "ttl": "100s" }))
        .await
        .token();
    let made = h
        .write("outside/creds/db/a", &batch, json!({ "ttl": "1h" }))
        .await;
    assert_eq!(made.json["lease_duration"], 100, "{made:?}");
    let id = made.json["lease_id"].as_str().unwrap();
    assert_eq!(
        renew(&h, id, "1h").await.json["lease_duration"],
        100,
        "renewals do not outlive the token either"
    );
    let revoked = h
        .write("auth/token/revoke", &h.root, json!({ "token": parent }))
        .await;
    assert_eq!(revoked.status, 204);
    assert!(World::here().live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn renewing_and_revoking_at_once_leaves_nothing_behind() {
    for seed in 0..40 {
        let h = server_over(Arc::new(harness::Restless::new(seed))).await;
        let id = lease(&h, "db", "a", "1h").await;
        let wishes = ["30m", "2h", "10s", "3h"];
        let renewals =
            futures_util::future::join_all(wishes.iter().map(|wish| renew(&h, &id, wish)));
        let (_, revoked) = tokio::join!(renewals, revoke(&h, &id));
        assert_eq!(revoked.status, 204, "{revoked:?}");
        assert!(World::here().live().is_empty());
        assert_eq!(stored(&h).await, Vec::<String>::new(), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_revocations_of_one_lease_are_one() {
    for mood in [Mood::Works, Mood::Slow(10)] {
        let h = server_over(Arc::new(harness::Restless::new(7))).await;
        World::here().mood("db", mood);
        let id = lease(&h, "db", "a", "1h").await;
        let all = futures_util::future::join_all((0..50).map(|_| revoke(&h, &id))).await;
        assert!(all.iter().all(|answer| answer.status == 204), "{all:?}");
        assert!(World::here().live().is_empty() && stored(&h).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_was_acknowledged_counts() {
    for seed in 0..60 {
        let h = server_over(Arc::new(harness::Restless::new(seed))).await;
        let id = lease(&h, "db", "a", "10s").await;
        h.clock.advance(Duration::from_millis(9_990));
        let renewed = async {
            tokio::task::yield_now().await;
            renew(&h, &id, "1h").await.status
        };
        let expiry = async {
            for _ in 0..seed % 7 {
                tokio::task::yield_now().await;
            }
            h.advance(Duration::from_millis(20)).await;
        };
        let (status, ()) = tokio::join!(renewed, expiry);
        assert_eq!(
            World::here().live().len(),
            usize::from(status == 200),
            "seed {seed}"
        );
        revoke(&h, &id).await;
        assert!(stored(&h).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_path_too_long_for_its_records_is_refused_before_a_secret_is_made() {
    let h = server().await;
    let refused = make(&h, &"t".repeat(1_500), &"n".repeat(1_000), json!({})).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.error().contains("too long"), "{refused:?}");
    assert!(World::here().live().is_empty() && stored(&h).await.is_empty());
}
