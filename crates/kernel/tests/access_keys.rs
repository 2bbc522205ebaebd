//! Access keys: signed requests are those of a token, and end with it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::sigv4::{Credentials, Presented, Received, Request as Plain, Scope};
use coffer_engine::{Class, Kind};
use coffer_kernel::Settings;
use coffer_kernel::tokens::Signed;
use coffer_storage::{Memory, Store};
use coffer_wire::Verb;
use harness::shelves::Shelf;
use harness::{Answer, Harness};
use serde_json::{Value, json};

const READER: &str = r#"path "things/*" { capabilities = ["read"] }"#;
/// When the harness's clock begins.
const BEGINNING: &str = "20270115T080000Z";

async fn server() -> Harness {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let settings = Settings::new(vec![Kind::new::<Shelf>(Class::Secret)]);
    let h = Harness::with(settings, store).await;
    h.policy("reader", READER).await;
    for path in ["things", "other"] {
        let path = format!("sys/mounts/{path}");
        let made = h.write(&path, &h.root, json!({ "type": "kv" })).await;
        assert_eq!(made.status, 204, "{made:?}");
    }
    h.write("things/a", &h.root, json!({ "is": "mine" })).await;
    h
}

struct Key {
    id: String,
    secret: String,
    accessor: String,
}

impl Key {
    fn of(made: &Answer) -> Self {
        let text = |name: &str| made.data()[name].as_str().unwrap().to_owned();
        Self {
            id: text("access_key_id"),
            secret: text("secret_access_key"),
            accessor: text("accessor"),
        }
    }

    async fn made(h: &Harness, wish: Value) -> Self {
        let made = h.write("auth/token/access-keys", &h.root, wish).await;
        assert_eq!(made.status, 200, "{made:?}");
        Self::of(&made)
    }

    fn signed(&self, at: &str, engine: &'static str) -> Signed {
        let credentials = Credentials {
            access_key: self.id.clone(),
            secret_key: self.secret.as_str().into(),
            session_token: None,
        };
        let plain = Plain {
            method: "POST",
            host: "coffer",
            headers: &[],
            body: b"{}",
        };
        let scope = Scope {
            time: at,
            region: "us-east-1",
            service: "kms",
        };
        let mut fields = credentials.sign(&plain, scope);
        fields.push(("host".into(), "coffer".into()));
        let headers: Vec<(&str, &[u8])> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let received = Received {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: b"{}",
        };
        Signed {
            presented: Presented::read(&received).unwrap(),
            engine,
        }
    }

    async fn read(&self, h: &Harness, path: &str) -> Answer {
        self.ask(h, "", Verb::Read, path).await
    }

    async fn ask(&self, h: &Harness, namespace: &str, verb: Verb, path: &str) -> Answer {
        let now = stamp(h);
        let signed = self.signed(&now, "kv");
        ask(h, namespace, verb, path, signed).await
    }
}

/// What is signed at the harness's time of the day.
fn stamp(h: &Harness) -> String {
    let text = h.clock.now().to_string();
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{}Z", digits.get(..15).unwrap())
}

async fn ask(h: &Harness, namespace: &str, verb: Verb, path: &str, signed: Signed) -> Answer {
    let body = json!({ "is": "x" });
    h.request_with(verb, path, "", body, |request| {
        request.signed = Some(Arc::new(signed));
        request.namespace = namespace.to_owned();
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_signature_stands_for_the_token() {
    let h = server().await;
    assert_eq!(stamp(&h), BEGINNING);
    let wish = json!({ "policies": ["reader"], "ttl": "1h", "display_name": "app" });
    let made = h.write("auth/token/access-keys", &h.root, wish).await;
    let data = made.data();
    assert_eq!(data["ttl"], 3600);
    assert_eq!(data["policies"], json!(["default", "reader"]));
    assert!(made.json["auth"].is_null(), "nobody is told the token");
    let key = Key::of(&made);
    assert!(key.id.starts_with("CKIA") && key.id.len() == 20 && key.secret.len() == 40);
    assert_eq!(key.read(&h, "things/a").await.data()["is"], "mine");
    let denied = key.ask(&h, "", Verb::Write, "things/a").await;
    assert_eq!(
        (denied.status, denied.error()),
        (403, "permission denied".into())
    );
    assert_eq!(key.read(&h, "other/a").await.status, 403);

    let path = format!("auth/token/access-keys/{}", key.id);
    let shown = h.read(&path, &h.root).await;
    assert_eq!(shown.data()["accessor"], json!(key.accessor));
    assert_eq!(shown.data()["meta"]["access_key_id"], json!(key.id));
    assert_eq!(shown.data()["display_name"], "token-app");
    assert!(!shown.json.to_string().contains(&key.secret));
    let listed = h.list("auth/token/access-keys", &h.root).await;
    assert_eq!(listed.keys(), std::slice::from_ref(&key.id));
    assert_eq!(
        listed.data()["key_info"][&key.id]["accessor"],
        json!(key.accessor)
    );
    assert!(!listed.json.to_string().contains(&key.secret));
}

/// Accessors end tokens, so lists of them are for few.
#[tokio::test(start_paused = true)]
async fn who_makes_access_keys_lists_them_only_with_sudo() {
    let h = server().await;
    for (policy, capabilities, listed) in [
        ("maker", r#"["update", "list"]"#, 403),
        ("keeper", r#"["update", "list", "sudo"]"#, 200),
    ] {
        let rule = format!(r#"path "auth/token/access-keys" {{ capabilities = {capabilities} }}"#);
        h.policy(policy, &rule).await;
        let wish = json!({ "policies": [policy] });
        let token = h.write("auth/token/create", &h.root, wish).await;
        let token = token.json["auth"]["client_token"].as_str().unwrap();
        let made = h.write("auth/token/access-keys", token, json!({})).await;
        assert_eq!(made.status, 200, "{policy}: {made:?}");
        let answer = h.list("auth/token/access-keys", token).await;
        assert_eq!(answer.status, listed, "{policy}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_signature_is_none() {
    let h = server().await;
    let key = Key::made(&h, json!({ "policies": ["reader"] })).await;
    let wrong = Key {
        id: key.id.clone(),
        secret: format!("{}x", key.secret),
        accessor: String::new(),
    };
    let refused = wrong.read(&h, "things/a").await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.error().starts_with("InvalidSignatureException: "),
        "{refused:?}"
    );
    for id in ["CKIAAAAAAAAAAAAAAAAA", "a.b", ""] {
        let stranger = Key {
            id: id.into(),
            ..Key::made(&h, json!({})).await
        };
        if id.is_empty() {
            continue; // Such a request can not even be read.
        }
        let refused = stranger.read(&h, "things/a").await;
        assert_eq!(refused.status, 403);
        assert!(
            refused.error().starts_with("UnrecognizedClientException: "),
            "{refused:?}"
        );
    }
    for (at, said) in [
        ("20270115T075459Z", "Signature expired"),
        ("20270115T080501Z", "Signature not yet current"),
    ] {
        let refused = ask(&h, "", Verb::Read, "things/a", key.signed(at, "kv")).await;
        assert!(refused.error().contains(said), "{refused:?}");
        let refused = ask(&h, "", Verb::Read, "things/a", wrong.signed(at, "kv")).await;
        assert!(!refused.error().contains(said), "{refused:?}");
    }
    for at in ["20270115T075500Z", "20270115T080500Z"] {
        let fine = ask(&h, "", Verb::Read, "things/a", key.signed(at, "kv")).await;
        assert_eq!(fine.status, 200, "{fine:?}");
    }
}

/// What the protocol of one engine says would mean something else to another one.
#[tokio::test(start_paused = true)]
async fn another_engine_is_not_asked() {
    let h = server().await;
    let key = Key::made(&h, json!({ "policies": ["root"], "ttl": "1h" })).await;
    for path in ["things/a", "sys/mounts", "auth/token/lookup-self"] {
        let signed = key.signed(BEGINNING, "kms");
        let refused = ask(&h, "", Verb::Read, path, signed).await;
        assert_eq!(refused.status, 404, "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_its_token() {
    let h = server().await;
    let wish = json!({ "policies": ["reader"] });
    let by_id = Key::made(&h, wish.clone()).await;
    let path = format!("auth/token/access-keys/{}", by_id.id);
    assert_eq!(h.delete(&path, &h.root).await.status, 204);
    assert_eq!(h.delete(&path, &h.root).await.status, 204);

    let by_accessor = Key::made(&h, wish.clone()).await;
    let end = json!({ "accessor": by_accessor.accessor });
    h.write("auth/token/revoke-accessor", &h.root, end).await;

    let parent = h
        .create(&h.root, json!({ "policies": ["root"], "ttl": "1h" }))
        .await
        .token();
    let child = h
        .write("auth/token/access-keys", &parent, wish.clone())
        .await;
    let child = Key::of(&child);
    assert_eq!(child.read(&h, "things/a").await.status, 200);
    h.write("auth/token/revoke-self", &parent, json!({})).await;

    let short = Key::made(&h, json!({ "policies": ["reader"], "ttl": "1m" })).await;
    let used_up = Key::made(&h, json!({ "policies": ["reader"], "num_uses": 2 })).await;
    assert_eq!(short.read(&h, "things/a").await.status, 200);
    for status in [200, 200, 403] {
        assert_eq!(used_up.read(&h, "things/a").await.status, status);
    }
    h.advance(Duration::from_secs(61)).await;
    for key in [by_id, by_accessor, child, short, used_up] {
        let refused = key.read(&h, "things/a").await;
        assert!(
            refused.error().starts_with("UnrecognizedClientException"),
            "{refused:?}"
        );
        let path = format!("auth/token/access-keys/{}", key.id);
        assert_eq!(h.read(&path, &h.root).await.status, 404);
    }
    assert_eq!(h.list("auth/token/access-keys", &h.root).await.status, 404);
    let tokens = h.kernel.barrier.view("sys/token/");
    for index in ["access-key/", "access-key-in/"] {
        assert!(
            tokens.list(index, None, 9).await.unwrap().is_empty(),
            "{index}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_made_by_the_rules_of_tokens() {
    let h = server().await;
    h.policy(
        "maker",
        r#"path "auth/token/access-keys" { capabilities = ["update"] }"#,
    )
    .await;
    let weak = h
        .create(&h.root, json!({ "policies": ["maker"] }))
        .await
        .token();
    let refused = |wish: Value| {
        let (h, weak) = (&h, weak.as_str());
        async move {
            let refused = h.write("auth/token/access-keys", weak, wish.clone()).await;
            assert_eq!(refused.status, 400, "{wish}: {refused:?}");
            refused.error()
        }
    };
    assert!(
        refused(json!({ "policies": ["reader"] }))
            .await
            .contains("child policies must be subset of parent")
    );
    assert!(
        refused(json!({ "no_parent": true }))
            .await
            .contains("root or sudo")
    );
    assert!(
        refused(json!({ "period": "1h" }))
            .await
            .contains("root or sudo")
    );
    assert!(
        refused(json!({ "type": "batch" }))
            .await
            .contains("batch token")
    );
    let chosen = h
        .write("auth/token/access-keys", &h.root, json!({ "id": "mine" }))
        .await;
    assert!(chosen.error().contains("can not be chosen"), "{chosen:?}");

    let role = json!({ "allowed_policies": ["reader"], "token_bound_cidrs": ["10.0.0.0/8"], "token_period": "1h" });
    h.write("auth/token/roles/app", &h.root, role).await;
    let made = h
        .write(
            "auth/token/access-keys/role/app",
            &h.root,
            json!({ "policies": ["reader"] }),
        )
        .await;
    let key = Key::of(&made);
    assert_eq!(
        key.read(&h, "things/a").await.status,
        403,
        "it may not come from here"
    );
    let signed = key.signed(BEGINNING, "kv");
    let there = h
        .request_with(Verb::Read, "things/a", "", Value::Null, |request| {
            request.signed = Some(Arc::new(signed));
            request.client = Some(([10, 1, 2, 3], 1).into());
        })
        .await;
    assert_eq!(there.status, 200, "{there:?}");
    let absent = h
        .write("auth/token/access-keys/role/none", &h.root, json!({}))
        .await;
    assert!(absent.error().contains("unknown role"), "{absent:?}");
}

#[tokio::test(start_paused = true)]
async fn it_belongs_to_its_namespace() {
    let h = server().await;
    h.write("sys/namespaces/team", &h.root, json!({})).await;
    let root = h.root.as_str();
    let policy = json!({ "policy": READER });
    h.in_ns("team", Verb::Write, "sys/policies/acl/reader", root, policy)
        .await;
    h.in_ns(
        "team",
        Verb::Write,
        "sys/mounts/things",
        root,
        json!({ "type": "kv" }),
    )
    .await;
    h.in_ns(
        "team",
        Verb::Write,
        "things/a",
        root,
        json!({ "is": "theirs" }),
    )
    .await;
    let wish = json!({ "policies": ["reader"] });
    let made = h
        .in_ns("team", Verb::Write, "auth/token/access-keys", root, wish)
        .await;
    let key = Key::of(&made);
    let in_header = key.ask(&h, "team", Verb::Read, "things/a").await;
    assert_eq!(in_header.data()["is"], "theirs");
    assert_eq!(key.read(&h, "team/things/a").await.data()["is"], "theirs");
    assert_eq!(key.read(&h, "things/a").await.status, 403);

    let path = format!("auth/token/access-keys/{}", key.id);
    assert_eq!(h.read(&path, root).await.status, 404);
    assert_eq!(h.delete(&path, root).await.status, 204);
    assert_eq!(h.list("auth/token/access-keys", root).await.status, 404);
    let listed = h
        .in_ns(
            "team",
            Verb::List,
            "auth/token/access-keys",
            root,
            Value::Null,
        )
        .await;
    assert_eq!(listed.keys(), std::slice::from_ref(&key.id));
    assert_eq!(
        key.read(&h, "team/things/a").await.status,
        200,
        "from the root it was not ended"
    );
    let gone = h
        .in_ns("team", Verb::Delete, &path, root, Value::Null)
        .await;
    assert_eq!(gone.status, 204);
    assert_eq!(key.read(&h, "team/things/a").await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn entries_that_lead_nowhere_are_swept() {
    let h = server().await;
    let key = Key::made(&h, json!({ "policies": ["reader"] })).await;
    let tokens = h.kernel.barrier.view("sys/token/");
    tokens
        .delete(&format!("id/{}", key.accessor))
        .await
        .unwrap(); // damage
    assert_eq!(key.read(&h, "things/a").await.status, 403);
    let swept = h.open().tokens.begin_sweep().unwrap().run().await.unwrap();
    assert_eq!((swept.access_keys, swept.children), (2, 1));
    assert!(
        h.open()
            .tokens
            .accessor_of_key(&key.id)
            .await
            .unwrap()
            .is_none()
    );
}
