//! Logins that share one stored token.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::time::Duration;

use harness::{Answer, Harness};
use serde_json::{Value, json};

async fn server() -> Harness {
    let h = Harness::new().await;
    h.enable_passport().await;
    h
}

async fn login(h: &Harness, wish: Value) -> Answer {
    let answer = h.write("auth/passport/login", "", wish).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn controller() -> Value {
    json!({ "name": "controller", "policies": "app", "ttl": "1h", "share": "60s" })
}

/// How many tokens are stored beside the root token.
async fn stored(h: &Harness) -> usize {
    h.list("auth/token/accessors", &h.root).await.keys().len() - 1
}

async fn lookup(h: &Harness, token: &str) -> Answer {
    h.read("auth/token/lookup-self", token).await
}

#[tokio::test(start_paused = true)]
async fn many_logins_store_one_token_and_all_work() {
    let h = server().await;
    let first = login(&h, controller()).await;
    assert_eq!(first.auth()["token_type"], "service");
    assert_eq!(first.auth()["renewable"], true);
    h.clock.advance(Duration::from_secs(30));
    for _ in 0..20 {
        let next = login(&h, controller()).await;
        let auth = next.auth();
        assert_eq!(
            (&auth["token_type"], &auth["renewable"]),
            (&json!("batch"), &json!(false))
        );
        assert_eq!(auth["policies"], first.auth()["policies"]);
        assert_eq!(auth["entity_id"], first.auth()["entity_id"]);
        assert_eq!(auth["lease_duration"], 3570, "it ends with the first");
        assert!(
            next.warnings()
                .iter()
                .any(|said| said.contains("token_coalesce_window"))
        );
        assert_eq!(lookup(&h, &next.token()).await.data()["creation_ttl"], 3570);
    }
    assert_eq!(stored(&h).await, 1);
    h.clock.advance(Duration::from_secs(30));
    assert_eq!(
        login(&h, controller()).await.auth()["token_type"],
        "service",
        "a new window"
    );
    assert_eq!(stored(&h).await, 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_shares_a_token_that_is_nearly_over() {
    let h = server().await;
    let wish = json!({ "name": "controller", "policies": "app", "ttl": "60s", "share": "60s" });
    login(&h, wish.clone()).await;
    h.clock.advance(Duration::from_secs(29));
    let shared = login(&h, wish.clone()).await;
    assert_eq!(shared.auth()["lease_duration"], 31);
    h.clock.advance(Duration::from_secs(2));
    let own = login(&h, wish).await;
    assert_eq!(own.auth()["token_type"], "service");
    assert_eq!(own.auth()["lease_duration"], 60);
}

#[tokio::test(start_paused = true)]
async fn at_once_is_within_the_window() {
    let h = server().await;
    let logins = (0..50).map(|_| login(&h, controller()));
    let all = futures_util::future::join_all(logins).await;
    let service = all
        .iter()
        .filter(|answer| answer.auth()["token_type"] == "service");
    assert_eq!(service.count(), 1);
    assert_eq!(stored(&h).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_would_be_another_token_is_another_token() {
    let h = server().await;
    login(&h, controller()).await;
    for (field, value) in [
        ("name", json!("other")),
        ("policies", json!("app,more")),
        ("ttl", json!("2h")),
        ("share", json!("0s")),
    ] {
        let mut wish = controller();
        wish[field] = value;
        assert_eq!(
            login(&h, wish).await.auth()["token_type"],
            "service",
            "{field}"
        );
    }
    h.write("sys/auth/elsewhere", &h.root, json!({ "type": "passport" }))
        .await;
    let elsewhere = h.write("auth/elsewhere/login", "", controller()).await;
    assert_eq!(elsewhere.auth()["token_type"], "service");
    assert_eq!(stored(&h).await, 6);
}

#[tokio::test(start_paused = true)]
async fn they_end_with_the_stored_one_and_the_next_login_begins_anew() {
    let h = server().await;
    let first = login(&h, controller()).await;
    let second = login(&h, controller()).await;
    assert_eq!(lookup(&h, &second.token()).await.status, 200);
    let own = h
        .write("auth/token/revoke-self", &second.token(), json!({}))
        .await;
    assert_eq!(
        own.status, 400,
        "none of those who share ends it for the others"
    );
    h.write(
        "auth/token/revoke",
        &h.root,
        json!({ "token": first.token() }),
    )
    .await;
    assert_eq!(lookup(&h, &second.token()).await.status, 403);
    let third = login(&h, controller()).await;
    assert_eq!(third.auth()["token_type"], "service");
    assert_eq!(lookup(&h, &third.token()).await.status, 200);
    assert_eq!(login(&h, controller()).await.auth()["token_type"], "batch");
}

#[tokio::test(start_paused = true)]
async fn leases_of_those_who_share_belong_to_the_stored_token() {
    let h = server().await;
    h.mount_tickets().await;
    h.policy("app", r#"path "tickets/*" { capabilities = ["read"] }"#)
        .await;
    let first = login(&h, controller()).await;
    let second = login(&h, controller()).await;
    let issued = h.read("tickets/issue/one", &second.token()).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    assert_eq!(h.tickets().await.len(), 1);
    h.write(
        "auth/token/revoke",
        &h.root,
        json!({ "token": first.token() }),
    )
    .await;
    h.settle().await;
    assert_eq!(h.tickets().await.len(), 0);
}
