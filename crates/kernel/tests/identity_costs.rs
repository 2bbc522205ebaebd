//! What identity costs: a login as much among many entities as among few, a decision nothing but memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::sync::Arc;

use harness::Harness;
use harness::counting::Counting;
use serde_json::json;

async fn server() -> (Harness, Arc<Counting>) {
    let store = Arc::new(Counting::default());
    let h = Harness::over(Arc::clone(&store) as _).await;
    h.enable_passport().await;
    (h, store)
}

#[tokio::test(start_paused = true)]
async fn a_login_among_many_costs_what_it_costs_among_few() {
    let (h, store) = server().await;
    let login = async |name: &str| {
        store.asked();
        let made = h
            .write("auth/passport/login", "", json!({ "name": name }))
            .await;
        assert_eq!(made.status, 200, "{made:?}");
        store.asked()
    };
    login("warm").await;
    let (first, second, again) = (
        login("alice").await,
        login("alice").await,
        login("alice").await,
    );
    assert!(
        second < first,
        "{second} of {first}: a login that tells nothing new writes less"
    );
    assert!(
        again < second,
        "{again} of {second}: who is known to tell nothing new is not looked up"
    );
    for n in 0..2_000 {
        login(&format!("user-{n}")).await;
    }
    assert_eq!(login("alice").await, again);
    assert_eq!(login("bob").await, first);
}

#[tokio::test(start_paused = true)]
async fn a_decision_for_an_entity_asks_memory_alone() {
    let (h, store) = server().await;
    let made = h
        .write("auth/passport/login", "", json!({ "name": "alice" }))
        .await;
    let id = made.auth()["entity_id"].clone();
    let mut inner = json!([]);
    for name in ["a", "b", "c"] {
        let wish = json!({
            "name": name, "policies": ["default"], "member_entity_ids": [id], "member_group_ids": inner,
        });
        let group = h.write("identity/group", &h.root, wish).await;
        inner = json!([group.data()["id"]]);
    }
    let plain = h
        .create(&h.root, json!({ "policies": ["default"] }))
        .await
        .token();
    let cost = async |token: &str| {
        h.read("auth/token/lookup-self", token).await;
        store.asked();
        assert_eq!(h.read("auth/token/lookup-self", token).await.status, 200);
        store.asked()
    };
    assert_eq!(cost(&made.token()).await, cost(&plain).await);
}
