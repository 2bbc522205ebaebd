//! `sys/leases/owners`: who has the most leases.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use coffer_wire::Verb;
use harness::{Answer, Harness};
use serde_json::{Value, json};

const OWNERS: &str = "sys/leases/owners";

/// A server with `team/`, tickets in both namespaces, and a policy for them.
async fn server() -> Harness {
    let h = Harness::new().await;
    let made = h.write("sys/namespaces/team", &h.root, json!({})).await;
    assert_eq!(made.status, 200, "{made:?}");
    h.mount_tickets().await;
    let wish = json!({ "type": "tickets" });
    let mounted = h
        .in_ns("team", Verb::Write, "sys/mounts/tickets", &h.root, wish)
        .await;
    assert_eq!(mounted.status, 204, "{mounted:?}");
    h.policy("p", r#"path "tickets/*" { capabilities = ["update"] }"#)
        .await;
    h
}

async fn issue(h: &Harness, ns: &str, token: &str, count: usize) -> Vec<String> {
    let mut leases = Vec::new();
    for number in 0..count {
        let path = format!("tickets/issue/{number}");
        let made = h
            .in_ns(ns, Verb::Write, &path, token, json!({ "ttl": "1h" }))
            .await;
        assert_eq!(made.status, 200, "{made:?}");
        leases.push(made.json["lease_id"].as_str().unwrap().to_owned());
    }
    leases
}

async fn owners(h: &Harness, ns: &str, wish: Value) -> Answer {
    h.in_ns(ns, Verb::Read, OWNERS, &h.root, wish).await
}

/// A field of each owner, with the number of its leases.
fn counts(answer: &Answer, field: &str) -> Vec<(String, u64)> {
    let owners = answer.data()["owners"].as_array().unwrap();
    let each = owners.iter().map(|owner| {
        let name = owner[field].as_str().unwrap_or("?").to_owned();
        (name, owner["leases"].as_u64().unwrap())
    });
    each.collect()
}

#[tokio::test(start_paused = true)]
async fn tokens_and_namespaces_by_the_number_of_their_leases() {
    let h = server().await;
    let few = h
        .create(&h.root, json!({ "policies": ["p"], "display_name": "few" }))
        .await;
    let many = h
        .create(
            &h.root,
            json!({ "policies": ["p"], "display_name": "many" }),
        )
        .await;
    issue(&h, "", &few.token(), 2).await;
    let ended = issue(&h, "", &many.token(), 5).await;
    issue(&h, "team", &h.root, 3).await;

    let all = owners(&h, "", json!({})).await;
    assert_eq!(
        counts(&all, "display_name"),
        [
            ("token-many".into(), 5),
            ("root".into(), 3),
            ("token-few".into(), 2)
        ]
    );
    assert_eq!(counts(&all, "accessor")[0].0, many.accessor());
    let two = owners(&h, "", json!({ "limit": 2 })).await;
    assert_eq!(counts(&two, "leases").len(), 2);
    let spaces = owners(&h, "", json!({ "by": "namespace" })).await;
    assert_eq!(
        counts(&spaces, "namespace"),
        [(String::new(), 7), ("team/".into(), 3)]
    );

    // From within, what is above is not seen: neither its leases nor who its tokens are.
    let inside = owners(&h, "team", json!({})).await;
    assert_eq!(
        inside.data()["owners"],
        json!([{ "from_above": true, "leases": 3 }])
    );
    let inside = owners(&h, "team", json!({ "by": "namespace" })).await;
    assert_eq!(counts(&inside, "namespace"), [("team/".into(), 3)]);

    let gone = h
        .write(
            "sys/leases/revoke",
            &h.root,
            json!({ "lease_id": ended[0] }),
        )
        .await;
    assert_eq!(gone.status, 204);
    let gone = h
        .write(
            "auth/token/revoke",
            &h.root,
            json!({ "token": few.token() }),
        )
        .await;
    assert_eq!(gone.status, 204);
    let left = owners(&h, "", json!({ "by": "token" })).await;
    assert_eq!(
        counts(&left, "display_name"),
        [("token-many".into(), 4), ("root".into(), 3)]
    );
}

#[tokio::test(start_paused = true)]
async fn an_entity_owns_what_all_its_tokens_asked_for() {
    let h = server().await;
    h.enable_passport().await;
    let login = || {
        h.write(
            "auth/passport/login",
            "",
            json!({ "name": "ann", "policies": ["p"] }),
        )
    };
    let (first, second) = (login().await, login().await);
    issue(&h, "", &first.token(), 2).await;
    issue(&h, "", &second.token(), 3).await;
    issue(&h, "", &h.root, 4).await;
    let shown = owners(&h, "", json!({ "by": "entity" })).await;
    let id = first.auth()["entity_id"].as_str().unwrap().to_owned();
    assert_eq!(counts(&shown, "entity_id"), [(id, 5), (String::new(), 4)]);
    let named = shown.data()["owners"][0]["entity_name"].as_str().unwrap();
    assert!(named.starts_with("entity_"), "{named}");
}

#[tokio::test(start_paused = true)]
async fn leases_of_a_sealed_namespace_count_and_say_no_more() {
    let h = server().await;
    let root = |verb, path: &'static str, body| h.in_ns("", verb, path, &h.root, body);
    let wish = json!({ "seal": "seal \"shamir\" { shares = 1 threshold = 1 }" });
    let made = root(Verb::Write, "sys/namespaces/vault", wish).await;
    let key = made.data()["key_shares"][0].clone();
    let unseal = json!({ "key": key });
    let opened = root(Verb::Write, "sys/namespaces/vault/unseal", unseal).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    let wish = json!({ "type": "tickets" });
    let mounted = h
        .in_ns("vault", Verb::Write, "sys/mounts/tickets", &h.root, wish)
        .await;
    assert_eq!(mounted.status, 204, "{mounted:?}");
    let rules = json!({ "policy": r#"path "tickets/*" { capabilities = ["update"] }"# });
    let written = h
        .in_ns("vault", Verb::Write, "sys/policies/acl/p", &h.root, rules)
        .await;
    assert_eq!(written.status, 204, "{written:?}");
    let wish = json!({ "policies": ["p"], "display_name": "inner" });
    let inner = h
        .in_ns("vault", Verb::Write, "auth/token/create", &h.root, wish)
        .await;
    issue(&h, "vault", &inner.token(), 2).await;
    issue(&h, "vault", &h.root, 1).await;

    let open = owners(&h, "", json!({})).await;
    assert_eq!(
        counts(&open, "display_name"),
        [("token-inner".into(), 2), ("root".into(), 1)]
    );
    let sealed = root(Verb::Write, "sys/namespaces/vault/seal", json!({})).await;
    assert_eq!(sealed.status, 204, "{sealed:?}");
    let tokens = owners(&h, "", json!({})).await;
    assert_eq!(tokens.data()["owners"][0]["sealed"], true, "{tokens:?}");
    assert_eq!(
        counts(&tokens, "namespace"),
        [("vault/".into(), 2), (String::new(), 1)]
    );
    let spaces = owners(&h, "", json!({ "by": "namespace" })).await;
    assert_eq!(counts(&spaces, "namespace"), [("vault/".into(), 3)]);
    let entities = owners(&h, "", json!({ "by": "entity" })).await;
    assert_eq!(counts(&entities, "entity_id"), [(String::new(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn it_needs_sudo_and_says_what_it_takes() {
    let h = server().await;
    let rules = r#"path "sys/leases/owners" { capabilities = ["read"] }"#;
    h.policy("reader", rules).await;
    let reader = h.create(&h.root, json!({ "policies": ["reader"] })).await;
    assert_eq!(h.read(OWNERS, &reader.token()).await.status, 403);
    for wrong in [
        json!({ "by": "mount" }),
        json!({ "limit": 0 }),
        json!({ "limit": -1 }),
        json!({ "limit": "many" }),
    ] {
        assert_eq!(owners(&h, "", wrong.clone()).await.status, 400, "{wrong}");
    }
    let none = owners(&h, "", json!({ "limit": 1_000_000_000 })).await;
    assert_eq!(none.data()["owners"], json!([]));
}
