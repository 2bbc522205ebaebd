//! Servers that open by themselves: initialising, starting, sealing, recovery keys, health.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;

use coffer_engine::Body;
use coffer_storage::{Batch, Memory, Store};
use coffer_wire::Verb;
use harness::keeper::{Keeper, Mood, Sealed, texts};
use serde_json::{Value, json};

fn three_two() -> Value {
    json!({ "recovery_shares": 3, "recovery_threshold": 2 })
}

fn store() -> Arc<dyn Store> {
    Arc::new(Memory::new())
}

/// A server opened by one keeper, its store and its recovery keys.
async fn one(keeper: &Arc<Keeper>) -> (Sealed, Arc<dyn Store>, Vec<String>) {
    let store = store();
    let mut server = Sealed::start(Arc::clone(&store), vec![keeper.stanza("test", 1)]).await;
    let made = server.init(three_two()).await;
    (server, store, texts(&made["recovery_keys"]))
}

#[tokio::test(start_paused = true)]
async fn a_new_server_is_open_at_once_and_opens_by_itself_ever_after() {
    let keeper = Keeper::new("test");
    let store = store();
    let mut server = Sealed::start(Arc::clone(&store), vec![keeper.stanza("test", 1)]).await;
    let before = server.get("sys/seal-status").await;
    assert_eq!(before.data()["type"], "test");
    assert_eq!(before.data()["recovery_seal"], true);
    assert_eq!(before.data()["initialized"], false);
    let made = server.init(three_two()).await;
    assert_eq!(texts(&made["keys"]).len(), 0);
    assert_eq!(texts(&made["recovery_keys"]).len(), 3);
    assert!(server.is_open());
    let nothing = "path \"none\" { capabilities = [\"deny\"] }";
    server.server.policy("kept", nothing).await;
    let root = server.server.root.clone();
    drop(server);
    let again = Sealed::opened(store, vec![keeper.stanza("test", 1)], &root).await;
    let kept = again.by_root(Verb::Read, "sys/policies/acl/kept", Value::Null);
    assert_eq!(kept.await.status, 200);
    let status = again.get("sys/seal-status").await;
    let status = status.data();
    assert_eq!((&status["t"], &status["n"]), (&json!(2), &json!(3)));
    assert_eq!(status["recovery_seal_type"], "shamir");
    assert_eq!(status["sealed"], false);
    assert!(status.get("break_glass").is_none(), "off unless asked for");
}

#[tokio::test(start_paused = true)]
async fn counts_that_do_not_fit_are_refused_and_nothing_is_stored() {
    let keeper = Keeper::new("test");
    let store = store();
    let server = Sealed::start(Arc::clone(&store), vec![keeper.stanza("test", 1)]).await;
    for how in [
        json!({ "secret_shares": 1, "secret_threshold": 1 }),
        json!({ "recovery_shares": 3, "recovery_threshold": 1 }),
        json!({ "recovery_shares": 0, "recovery_threshold": 1 }),
        json!({ "recovery_shares": -1, "recovery_threshold": -1 }),
        json!({ "recovery_shares": 256, "recovery_threshold": 2 }),
        json!({ "recovery_shares": 3, "recovery_threshold": 2, "recovery_pgp_keys": ["x"] }),
        json!({ "recovery_shares": 1, "recovery_threshold": 1, "break_glass_shares": 3, "break_glass_threshold": 1 }),
    ] {
        let refused = server.put("sys/init", how.clone()).await;
        assert_eq!(refused.status, 400, "{how}: {refused:?}");
    }
    for mood in [Mood::Away, Mood::Refusing, Mood::Garbling, Mood::Hanging] {
        keeper.is(mood);
        let refused = server.put("sys/init", three_two()).await;
        assert_eq!(refused.status, 503, "{mood:?}: {refused:?}");
    }
    assert!(store.scan("", None, 10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn while_the_keeper_is_away_the_server_answers_and_tries_again_with_growing_waits() {
    let keeper = Keeper::new("test");
    let (server, store, _) = one(&keeper).await;
    drop(server);
    keeper.is(Mood::Away);
    let asked = keeper.asked();
    let again = Sealed::start(store, vec![keeper.stanza("test", 1)]).await;
    assert!(!again.opens_within(600).await);
    assert_eq!(again.get("sys/health").await.status, 503);
    let tries = keeper.asked() - asked;
    assert!((10..60).contains(&tries), "{tries} in ten minutes");
    for mood in [Mood::Refusing, Mood::Garbling, Mood::Hanging] {
        keeper.is(mood);
        assert!(!again.opens_within(120).await, "{mood:?}");
    }
    keeper.is(Mood::Well);
    assert!(again.opens_within(90).await);
}

#[tokio::test(start_paused = true)]
async fn sealed_by_an_operator_it_stays_sealed_until_recovery_keys_are_handed_in() {
    let keeper = Keeper::new("test");
    let (server, store, keys) = one(&keeper).await;
    let root = server.server.root.clone();
    server.seal().await;
    assert!(!server.opens_within(600).await);
    let migrating = json!({ "key": keys[0], "migrate": true });
    assert_eq!(server.put("sys/unseal", migrating).await.status, 400);
    let wrong = [keys[0].clone(), format!("{}07", "ab".repeat(32))];
    let refused = server.unseal(&wrong, json!({})).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(!server.is_open());
    keeper.is(Mood::Away);
    let refused = server.unseal(&keys[..2], json!({})).await;
    assert_eq!(refused.status, 503, "recovery keys open nothing alone");
    keeper.is(Mood::Well);
    assert_eq!(server.unseal(&keys[..2], json!({})).await.status, 200);
    assert!(server.is_open());
    server.seal().await;
    drop(server);
    Sealed::opened(store, vec![keeper.stanza("test", 1)], &root).await;
}

#[tokio::test(start_paused = true)]
async fn any_one_of_several_opens_and_the_first_is_asked_first() {
    let (near, far) = (Keeper::new("near"), Keeper::new("far"));
    let seals = || vec![far.stanza("far", 2), near.stanza("near", 1)];
    let store = store();
    let mut server = Sealed::start(Arc::clone(&store), seals()).await;
    server.init(three_two()).await;
    let root = server.server.root.clone();
    drop(server);
    near.is(Mood::Away);
    drop(Sealed::opened(Arc::clone(&store), seals(), &root).await);
    near.is(Mood::Hanging);
    drop(Sealed::opened(Arc::clone(&store), seals(), &root).await);
    near.is(Mood::Garbling);
    drop(Sealed::opened(Arc::clone(&store), seals(), &root).await);
    near.is(Mood::Well);
    far.is(Mood::Away);
    let server = Sealed::opened(store, seals(), &root).await;
    let status = server.get("sys/seal-status").await;
    assert_eq!(status.data()["type"], "near");
    server.opens_within(1).await;
    tokio::time::sleep(std::time::Duration::from_secs(40)).await;
    let seals = server.get("sys/seal-backend-status").await;
    assert_eq!(seals.data()["healthy"], false);
    assert_eq!(seals.data()["fully_wrapped"], true);
    let far = &seals.data()["backends"][1];
    assert_eq!(
        (&far["name"], &far["healthy"]),
        (&json!("far"), &json!(false))
    );
    assert!(far["unhealthy_since"].is_string());
}

#[tokio::test(start_paused = true)]
async fn recovery_keys_make_a_root_token_and_a_new_root_key() {
    let keeper = Keeper::new("test");
    let (server, store, keys) = one(&keeper).await;
    let root = server.server.root.clone();
    let attempt = server.put("sys/generate-root/attempt", json!({})).await;
    let nonce = attempt.data()["nonce"].clone();
    let hand_in = async |path: &str, key: &str, nonce: &Value| {
        server
            .put(path, json!({ "key": key, "nonce": nonce }))
            .await
    };
    let path = "sys/generate-root/update";
    hand_in(path, &format!("{}07", "ab".repeat(32)), &nonce).await;
    assert_eq!(hand_in(path, &keys[0], &nonce).await.status, 400);
    hand_in(path, &keys[0], &nonce).await;
    let done = hand_in(path, &keys[2], &nonce).await;
    assert_eq!(done.data()["complete"], true, "{done:?}");

    let before = copies(&store).await;
    let verified = json!({ "require_verification": true });
    assert_eq!(server.put("sys/rekey/init", verified).await.status, 400);
    let begun = server.put("sys/rekey/init", json!({})).await;
    let nonce = begun.data()["nonce"].clone();
    hand_in("sys/rekey/update", &keys[1], &nonce).await;
    let done = hand_in("sys/rekey/update", &keys[2], &nonce).await;
    assert_eq!(done.data()["complete"], true, "{done:?}");
    assert_eq!(done.data()["keys"], json!([]));
    assert_ne!(copies(&store).await, before);
    let rotated = server.by_root(Verb::Write, "sys/rotate/root", json!({}));
    assert_eq!(rotated.await.status, 204);
    server.seal().await;
    assert_eq!(server.unseal(&keys[1..], json!({})).await.status, 200);
    keeper.is(Mood::Away);
    let refused = server.by_root(Verb::Write, "sys/rotate/root", json!({}));
    assert_eq!(refused.await.status, 503);
    keeper.is(Mood::Well);
    drop(server);
    Sealed::opened(store, vec![keeper.stanza("test", 1)], &root).await;
}

async fn copies(store: &Arc<dyn Store>) -> Vec<(String, Vec<u8>)> {
    store.scan("core/seals/", None, 10).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn new_recovery_keys_take_the_place_of_the_former_ones_once_they_were_handed_back() {
    let keeper = Keeper::new("test");
    let (server, _, keys) = one(&keeper).await;
    let at = "sys/rekey-recovery-key";
    let wish = json!({ "secret_shares": 2, "secret_threshold": 2, "require_verification": true });
    let begun = server.put(&format!("{at}/init"), wish).await;
    let nonce = begun.data()["nonce"].clone();
    let hand_in = async |path: &str, key: &str, nonce: &Value| {
        let body = json!({ "key": key, "nonce": nonce });
        server.put(&format!("{at}/{path}"), body).await
    };
    hand_in("update", &keys[0], &nonce).await;
    let made = hand_in("update", &keys[1], &nonce).await;
    assert_eq!(made.data()["complete"], true, "{made:?}");
    let new = texts(&made.data()["keys"]);
    let nonce = made.data()["verification_nonce"].clone();
    // The root key is replaced meanwhile: what waits must follow it.
    let rotated = server.by_root(Verb::Write, "sys/rotate/root", json!({}));
    assert_eq!(rotated.await.status, 204);
    hand_in("verify", &new[0], &nonce).await;
    assert_eq!(hand_in("verify", &keys[0], &nonce).await.status, 400);
    hand_in("verify", &new[0], &nonce).await;
    let held = hand_in("verify", &new[1], &nonce).await;
    assert_eq!(held.data()["complete"], true, "{held:?}");
    server.seal().await;
    assert_eq!(server.unseal(&keys[..2], json!({})).await.status, 400);
    assert_eq!(server.unseal(&new, json!({})).await.status, 200);
    assert!(server.is_open());
}

#[tokio::test(start_paused = true)]
async fn without_recovery_keys_policy_alone_makes_the_first_ones() {
    let keeper = Keeper::new("test");
    let store = store();
    let mut server = Sealed::start(store, vec![keeper.stanza("test", 1)]).await;
    let made = server.init(json!({})).await;
    assert!(made.get("recovery_keys").is_none());
    let wish = json!({ "secret_shares": 3, "secret_threshold": 2 });
    for path in ["sys/rekey-recovery-key/init", "sys/rekey/init"] {
        let stranger = server.put(path, wish.clone()).await;
        assert_eq!(stranger.status, 400, "{path}: {stranger:?}");
    }
    let glass = server.by_root(Verb::Write, "sys/break-glass/init", wish.clone());
    assert_eq!(glass.await.status, 400, "not by policy alone");
    server.seal().await;
    let key = "ab".repeat(32);
    assert_eq!(
        server.put("sys/unseal", json!({ "key": key })).await.status,
        400
    );
    server
        .server
        .kernel
        .settings
        .seals
        .replace(vec![keeper.stanza("test", 1)]);
    assert!(!server.opens_within(60).await, "an operator sealed it");
}

#[tokio::test(start_paused = true)]
async fn the_first_recovery_keys_work() {
    let keeper = Keeper::new("test");
    let mut server = Sealed::start(store(), vec![keeper.stanza("test", 1)]).await;
    server.init(json!({})).await;
    let wish = json!({ "secret_shares": 3, "secret_threshold": 2 });
    let made = server.by_root(Verb::Write, "sys/rotate/recovery/init", wish);
    let made = made.await;
    assert_eq!(made.data()["complete"], true, "{made:?}");
    let keys = texts(&made.data()["keys"]);
    server.seal().await;
    assert_eq!(server.unseal(&keys[1..], json!({})).await.status, 200);
    assert!(server.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_keeper_that_fails_is_told_of_and_one_that_is_back_too() {
    let keeper = Keeper::new("test");
    let (server, ..) = one(&keeper).await;
    let healthy = async || {
        let status = server.get("sys/seal-backend-status").await;
        status.data()["healthy"].clone()
    };
    let measured = |value: u8| {
        let shown = server.server.kernel.scrape("prometheus").unwrap().body;
        let Body::Raw { bytes, .. } = shown else {
            return false;
        };
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut lines = text.lines();
        lines.any(|line| {
            line.starts_with("vault_seal_healthy{") && line.ends_with(&format!(" {value}"))
        })
    };
    for mood in [Mood::Garbling, Mood::Refusing, Mood::Away, Mood::Hanging] {
        keeper.is(mood);
        server.server.pass(700).await;
        assert_eq!(healthy().await, false, "{mood:?}");
        assert!(measured(0), "{mood:?}");
        keeper.is(Mood::Well);
        server.server.pass(120).await;
        assert_eq!(healthy().await, true, "{mood:?}");
        assert!(measured(1), "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn key_material_is_out_of_reach_of_raw() {
    let keeper = Keeper::new("test");
    let (server, ..) = one(&keeper).await;
    for path in ["core/seals/test", "core/recovery-check", "core/break-glass"] {
        for verb in [Verb::Read, Verb::Write, Verb::Delete] {
            let path = format!("sys/raw/{path}");
            let asked = server.by_root(verb, &path, json!({ "value": "x" }));
            assert_eq!(asked.await.status, 400, "{path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_writes_to_the_storage_can_not_take_the_recovery_keys_away() {
    let keeper = Keeper::new("test");
    let (server, store, keys) = one(&keeper).await;
    let wish = json!({ "secret_shares": 1, "secret_threshold": 1 });
    let none = br#"{"type":"auto","secret_shares":0,"secret_threshold":0}"#;
    let lower = br#"{"type":"auto","secret_shares":1,"secret_threshold":1}"#;
    let check = store.get("core/recovery-check").await.unwrap().unwrap();
    for (config, keep_check) in [(none, true), (none, false), (lower, true)] {
        let batch = Batch::new().put("core/seal-config", config.to_vec());
        let batch = match keep_check {
            true => batch.put("core/recovery-check", check.clone()),
            false => batch.delete("core/recovery-check"),
        };
        store.commit(batch).await.unwrap();
        let begun = server.by_root(Verb::Write, "sys/rotate/recovery/init", wish.clone());
        let begun = begun.await;
        assert_ne!(begun.data()["complete"], true, "{begun:?}");
        let attempt = server.put("sys/generate-root/attempt", json!({})).await;
        let hand_in = json!({ "key": keys[0], "nonce": attempt.data()["nonce"] });
        let made = server.put("sys/generate-root/update", hand_in).await;
        assert_ne!(made.data()["complete"], true, "{made:?}");
    }
}
