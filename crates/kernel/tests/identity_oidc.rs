//! Identity tokens: who is told what about whom, by which key, and until when.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::jose::{Compact, KeySet};
use coffer_crypto::sign::Algorithm;
use coffer_storage::Memory;
use harness::{Answer, Harness};
use serde_json::{Map, Value, json};

const HOUR: u64 = 3600;

async fn server() -> Harness {
    prepared(Harness::new().await).await
}

async fn prepared(h: Harness) -> Harness {
    h.enable_passport().await;
    let own = r#"path "identity/oidc/token/*" { capabilities = ["read"] }"#;
    h.policy("own-token", own).await;
    h
}

/// A token of a person, and the person's entity.
async fn person(h: &Harness, name: &str) -> (String, String) {
    let wish = json!({ "name": name, "policies": ["own-token"] });
    let login = h.write("auth/passport/login", "", wish).await;
    assert_eq!(login.status, 200, "{login:?}");
    let entity = login.auth()["entity_id"].as_str().unwrap().to_owned();
    (login.token(), entity)
}

async fn put(h: &Harness, path: &str, wish: Value) {
    let done = h
        .write(&format!("identity/oidc/{path}"), &h.root, wish)
        .await;
    assert!(matches!(done.status, 200 | 204), "{path}: {done:?}");
}

async fn refused(h: &Harness, path: &str, wish: Value) -> String {
    let done = h
        .write(&format!("identity/oidc/{path}"), &h.root, wish)
        .await;
    assert_eq!(done.status, 400, "{path}: {done:?}");
    done.error()
}

/// A key and a role named alike.
async fn key_and_role(h: &Harness, name: &str) {
    let key = json!({ "algorithm": "EdDSA", "allowed_client_ids": "*", "rotation_period": "1h", "verification_ttl": "2h" });
    put(h, &format!("key/{name}"), key).await;
    let role = json!({ "key": name, "ttl": "2h", "client_id": "app" });
    put(h, &format!("role/{name}"), role).await;
}

async fn token(h: &Harness, role: &str, by: &str) -> String {
    let made = h.read(&format!("identity/oidc/token/{role}"), by).await;
    assert_eq!(made.status, 200, "{made:?}");
    made.data()["token"].as_str().unwrap().to_owned()
}

async fn published(h: &Harness) -> Value {
    let keys = h.read("identity/oidc/.well-known/keys", "").await;
    assert_eq!(keys.status, 200);
    keys.data().clone()
}

/// The claims of a token that everybody can verify by what is published.
async fn verified(h: &Harness, token: &str) -> Option<Map<String, Value>> {
    let set = KeySet::read(&published(h).await, &Algorithm::ALL).unwrap();
    let token = Compact::parse(token).unwrap();
    let payload = set.verify(&token).ok()?;
    Some(serde_json::from_slice(payload).unwrap())
}

async fn introspected(h: &Harness, token: &str, client: &str) -> Answer {
    let wish = json!({ "token": token, "client_id": client });
    h.write("identity/oidc/introspect", &h.root, wish).await
}

async fn is_active(h: &Harness, token: &str) -> bool {
    introspected(h, token, "").await.data()["active"] == json!(true)
}

#[tokio::test(start_paused = true)]
async fn a_token_tells_who_one_is_to_whoever_has_the_published_keys() {
    let h = server().await;
    let (ann, entity) = person(&h, "ann").await;
    key_and_role(&h, "k").await;
    let template = r#"{"who": {{identity.entity.aliases.X.name}}, "sub2": "x"}"#;
    let accessor = h.read("sys/auth", &h.root).await.data()["passport/"]["accessor"].clone();
    let template = template.replace('X', accessor.as_str().unwrap());
    put(&h, "role/k", json!({ "template": template })).await;
    put(&h, "config", json!({ "issuer": "https://id.example.com" })).await;

    let claims = verified(&h, &token(&h, "k", &ann).await).await.unwrap();
    let now = h.clock.now().secs();
    assert_eq!(
        Value::Object(claims),
        json!({
            "iss": "https://id.example.com/v1/identity/oidc", "sub": entity, "aud": "app", "namespace": "root",
            "iat": now, "exp": now + 2 * HOUR, "who": "ann", "sub2": "x",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn introspection_says_whether_a_token_holds_and_for_whom() {
    let h = server().await;
    let (ann, entity) = person(&h, "ann").await;
    key_and_role(&h, "k").await;
    let made = token(&h, "k", &ann).await;
    assert_eq!(
        introspected(&h, &made, "app").await.data(),
        &json!({ "active": true })
    );
    let reason = |answer: Answer| {
        answer.data()["error"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(reason(introspected(&h, &made, "other").await).contains("audience"));
    assert!(reason(introspected(&h, "a.b", "").await).contains("three parts"));
    let mut forged = made.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    assert!(reason(introspected(&h, &forged, "").await).contains("signature"));

    let disable = |on: bool| {
        let path = format!("identity/entity/id/{entity}");
        let h = &h;
        async move { h.write(&path, &h.root, json!({ "disabled": on })).await }
    };
    disable(true).await;
    assert_eq!(
        reason(introspected(&h, &made, "").await),
        "entity is disabled"
    );
    assert_eq!(h.read("identity/oidc/token/k", &ann).await.status, 403);
    disable(false).await;
    assert!(is_active(&h, &made).await);

    put(&h, "config", json!({ "issuer": "https://elsewhere" })).await;
    assert!(reason(introspected(&h, &made, "").await).contains("issuer"));
    put(&h, "config", json!({ "issuer": "" })).await;
    assert!(is_active(&h, &made).await);
    h.advance(Duration::from_secs(2 * HOUR + 1)).await;
    assert!(!is_active(&h, &made).await);
    assert_eq!(
        h.write("identity/oidc/introspect", "", json!({}))
            .await
            .status,
        403
    );
}

#[tokio::test(start_paused = true)]
async fn keys_rotate_by_themselves_and_old_ones_verify_for_their_time() {
    let h = server().await;
    let (ann, _) = person(&h, "ann").await;
    key_and_role(&h, "k").await;
    put(&h, "role/k", json!({ "ttl": "100m" })).await;
    let kids = async || -> Vec<Value> {
        let keys = published(&h).await["keys"].as_array().unwrap().clone();
        keys.iter().map(|key| key["kid"].clone()).collect()
    };
    let first = token(&h, "k", &ann).await;
    let before = kids().await;
    assert_eq!(
        before.len(),
        2,
        "the pair that signs, and the one that will"
    );
    h.advance(Duration::from_secs(HOUR)).await;
    let after = kids().await;
    assert_eq!(after[..2], before[..], "nobody asked for a token");
    assert_eq!(after.len(), 3);
    let second = token(&h, "k", &ann).await;
    let kid = Compact::parse(&second).unwrap().header().key_id.clone();
    assert_eq!(json!(kid), before[1], "known before it signed");
    assert!(verified(&h, &first).await.is_some() && verified(&h, &second).await.is_some());
    h.advance(Duration::from_secs(2 * HOUR)).await;
    assert!(verified(&h, &first).await.is_none());
    assert!(!kids().await.contains(&before[0]));
}

#[tokio::test(start_paused = true)]
async fn a_rotation_that_was_due_while_the_server_was_down_is_made_up_for() {
    let store = Arc::new(Memory::new());
    let h = prepared(Harness::over(Arc::clone(&store) as _).await).await;
    let (ann, _) = person(&h, "ann").await;
    key_and_role(&h, "k").await;
    let first = token(&h, "k", &ann).await;
    h.kernel.seal();
    h.clock.advance(Duration::from_secs(90 * 60));
    let h = h.restarted(Harness::settings(), store).await;
    h.settle().await;
    assert_eq!(published(&h).await["keys"].as_array().unwrap().len(), 3);
    let second = token(&h, "k", &ann).await;
    let kid = |token: &str| Compact::parse(token).unwrap().header().key_id.clone();
    assert_ne!(kid(&first), kid(&second));
    assert!(is_active(&h, &first).await && is_active(&h, &second).await);
}

#[tokio::test(start_paused = true)]
async fn an_operator_rotates_at_once_and_may_end_the_old_at_once() {
    let h = server().await;
    let (ann, _) = person(&h, "ann").await;
    key_and_role(&h, "k").await;
    let first = token(&h, "k", &ann).await;
    put(&h, "key/k/rotate", json!({})).await;
    assert!(is_active(&h, &first).await);
    let second = token(&h, "k", &ann).await;
    put(&h, "key/k/rotate", json!({ "verification_ttl": 0 })).await;
    assert!(is_active(&h, &first).await, "it has its own time");
    assert!(!is_active(&h, &second).await);
    assert!(
        refused(&h, "key/none/rotate", json!({}))
            .await
            .contains("no named key")
    );
}

#[tokio::test(start_paused = true)]
async fn another_algorithm_signs_at_once_and_the_old_tokens_still_verify() {
    let h = server().await;
    let (ann, _) = person(&h, "ann").await;
    key_and_role(&h, "k").await;
    let first = token(&h, "k", &ann).await;
    put(&h, "key/k", json!({ "algorithm": "ES384" })).await;
    let second = token(&h, "k", &ann).await;
    let algorithm = Compact::parse(&second).unwrap().header().algorithm;
    assert_eq!(algorithm, Algorithm::Es384);
    assert!(verified(&h, &first).await.is_some() && verified(&h, &second).await.is_some());
    for unknown in ["none", "HS256", "PS256", "es256", ""] {
        let said = refused(&h, "key/k", json!({ "algorithm": unknown })).await;
        assert!(said.contains("unknown signing algorithm"), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_hangs_on_something_is_looked_after() {
    let h = server().await;
    let (ann, _) = person(&h, "ann").await;
    key_and_role(&h, "k").await;
    assert!(
        refused(&h, "role/r", json!({}))
            .await
            .contains("key parameter")
    );
    assert!(
        refused(&h, "role/r", json!({ "key": "none" }))
            .await
            .contains("cannot find key")
    );
    assert!(
        refused(&h, "role/r", json!({ "key": "k", "ttl": "3h" }))
            .await
            .contains("longer")
    );
    assert!(
        refused(&h, "key/k", json!({ "verification_ttl": "1h" }))
            .await
            .contains("roles")
    );
    assert!(
        refused(&h, "key/k", json!({ "verification_ttl": "11h" }))
            .await
            .contains("10x")
    );
    assert!(
        refused(&h, "key/k", json!({ "rotation_period": "59s" }))
            .await
            .contains("one minute")
    );
    let used = h.delete("identity/oidc/key/k", &h.root).await;
    assert!(used.error().ends_with("these roles: k"), "{used:?}");
    assert_eq!(
        h.delete("identity/oidc/key/default", &h.root).await.status,
        400
    );

    let made = token(&h, "k", &ann).await;
    assert_eq!(h.delete("identity/oidc/role/k", &h.root).await.status, 204);
    assert!(is_active(&h, &made).await, "it holds without its role");
    assert_eq!(h.delete("identity/oidc/key/k", &h.root).await.status, 204);
    assert!(!is_active(&h, &made).await);
    assert_eq!(h.read("identity/oidc/key/k", &h.root).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_role_never_outlives_its_key_whoever_is_faster() {
    for seed in 0..20 {
        let h = prepared(Harness::restless(seed).await).await;
        put(&h, "key/k", json!({ "algorithm": "EdDSA" })).await;
        let role = json!({ "key": "k" });
        let (made, gone) = tokio::join!(
            h.write("identity/oidc/role/r", &h.root, role),
            h.delete("identity/oidc/key/k", &h.root),
        );
        assert_ne!(
            made.status == 204,
            gone.status == 204,
            "seed {seed}: {made:?} {gone:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_rotation_and_a_change_of_the_key_keep_each_others_work() {
    for seed in 0..10 {
        let h = prepared(Harness::restless(seed).await).await;
        key_and_role(&h, "k").await;
        let (rotated, changed) = tokio::join!(
            h.write("identity/oidc/key/k/rotate", &h.root, json!({})),
            h.write(
                "identity/oidc/key/k",
                &h.root,
                json!({ "allowed_client_ids": ["app"] })
            ),
        );
        assert_eq!((rotated.status, changed.status), (204, 204), "seed {seed}");
        let key = h.read("identity/oidc/key/k", &h.root).await;
        assert_eq!(key.data()["allowed_client_ids"], json!(["app"]));
        assert_eq!(published(&h).await["keys"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_signs_for_those_it_lists() {
    let h = server().await;
    let (ann, _) = person(&h, "ann").await;
    key_and_role(&h, "k").await;
    for (ids, status) in [
        (json!(["other"]), 400),
        (json!([]), 400),
        (json!(["app"]), 200),
    ] {
        put(&h, "key/k", json!({ "allowed_client_ids": ids })).await;
        let made = h.read("identity/oidc/token/k", &ann).await;
        assert_eq!(made.status, status, "{made:?}");
    }
    let nobody = h.read("identity/oidc/token/k", &h.root).await;
    assert!(nobody.error().contains("no entity"), "{nobody:?}");
    let unknown = h.read("identity/oidc/token/none", &ann).await;
    assert!(unknown.error().contains("not found"), "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn private_halves_are_never_answered() {
    let h = server().await;
    key_and_role(&h, "k").await;
    let key = h.read("identity/oidc/key/k", &h.root).await;
    let fields: Vec<&String> = key.data().as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "algorithm",
            "allowed_client_ids",
            "rotation_period",
            "verification_ttl"
        ]
    );
    for key in published(&h).await["keys"].as_array().unwrap() {
        let fields: Vec<&String> = key.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["alg", "crv", "kid", "kty", "use", "x"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_key_is_there_and_made_when_it_is_needed_first() {
    let h = server().await;
    assert_eq!(
        h.list("identity/oidc/key", &h.root).await.keys(),
        ["default"]
    );
    assert_eq!(published(&h).await, json!({ "keys": [] }));
    put(&h, "role/r", json!({ "key": "default" })).await;
    let keys = published(&h).await;
    let algorithms: Vec<&Value> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["alg"])
        .collect();
    assert_eq!(algorithms, ["RS256", "RS256"]);
}

#[tokio::test(start_paused = true)]
async fn each_namespace_has_keys_and_an_issuer_of_its_own() {
    let h = server().await;
    key_and_role(&h, "k").await;
    assert_eq!(
        h.write("sys/namespaces/team", &h.root, json!({}))
            .await
            .status,
        200
    );
    let there = h
        .read("team/identity/oidc/.well-known/openid-configuration", "")
        .await;
    assert_eq!(there.data()["issuer"], "/v1/team/identity/oidc");
    assert_eq!(
        h.list("team/identity/oidc/key", &h.root).await.keys(),
        ["default"]
    );
    let keys = h.read("team/identity/oidc/.well-known/keys", "").await;
    assert_eq!(keys.data(), &json!({ "keys": [] }));
    // Who comes from above is nobody there.
    let (ann, _) = person(&h, "ann").await;
    let all = r#"path "*" { capabilities = ["read", "update"] }"#;
    h.policy("own-token", all).await;
    let key = json!({ "algorithm": "EdDSA", "allowed_client_ids": "*" });
    h.write("team/identity/oidc/key/k", &h.root, key).await;
    h.write("team/identity/oidc/role/k", &h.root, json!({ "key": "k" }))
        .await;
    let made = h.read("team/identity/oidc/token/k", &ann).await;
    assert!(made.error().contains("no entity"), "{made:?}");
    // The rotation is looked after there, too.
    h.advance(Duration::from_secs(25 * HOUR)).await;
    let keys = h.read("team/identity/oidc/.well-known/keys", "").await;
    assert_eq!(keys.data()["keys"].as_array().unwrap().len(), 3);
}
