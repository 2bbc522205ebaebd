//! Rate limits: who is refused, when, and which limit holds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Class, Kind};
use coffer_kernel::quotas::Allowance;
use coffer_kernel::{Request, Settings};
use coffer_storage::Memory;
use coffer_wire::{ApiPath, Verb};
use harness::gates::{Gate, PlainGate};
use harness::shelves::{Cubbyhole, Shelf};
use harness::{Answer, Harness};
use serde_json::{Value, json};

const RATE: &str = "sys/quotas/rate-limit";

fn settings() -> Settings {
    Settings::new(vec![
        Kind::new::<Shelf>(Class::Secret),
        Kind::new::<Cubbyhole>(Class::Secret),
        Kind::new::<Gate>(Class::Auth),
        Kind::new::<PlainGate>(Class::Auth),
    ])
}

/// A server with `kv/`, `auth/gate/`, `auth/plain/`, and namespaces `n1/` and `n1/n2/` with a `kv/` each; clients are
/// told of their limits.
async fn server() -> Harness {
    let h = Harness::with(settings(), Arc::new(Memory::new())).await;
    for (ns, path, body) in [
        ("", "sys/mounts/kv", json!({ "type": "kv" })),
        ("", "sys/auth/gate", json!({ "type": "gate" })),
        ("", "sys/auth/plain", json!({ "type": "plain" })),
        ("", "sys/namespaces/n1", json!({})),
        ("n1", "sys/namespaces/n2", json!({})),
        ("n1", "sys/mounts/kv", json!({ "type": "kv" })),
        ("n1/n2", "sys/mounts/kv", json!({ "type": "kv" })),
    ] {
        let done = h
            .request_with(Verb::Write, path, &h.root, body, |request| {
                request.namespace = ns.to_owned();
            })
            .await;
        assert!(matches!(done.status, 200 | 204), "{path}: {done:?}");
    }
    tell(&h).await;
    h
}

async fn tell(h: &Harness) {
    let config = json!({ "enable_rate_limit_response_headers": true });
    let done = h.write("sys/quotas/config", &h.root, config).await;
    assert_eq!(done.status, 204, "{done:?}");
}

async fn put(h: &Harness, name: &str, wish: Value) -> Answer {
    h.write(&format!("{RATE}/{name}"), &h.root, wish).await
}

async fn limit(h: &Harness, name: &str, rate: u64, path: &str) {
    let wish = json!({ "rate": rate, "interval": "1h", "path": path });
    let done = put(h, name, wish).await;
    assert_eq!(done.status, 204, "{name}: {done:?}");
}

/// What a request is told.
async fn told(h: &Harness, ns: &str, verb: Verb, path: &str, body: Value) -> Option<Allowance> {
    let mut request = Request::internal("r".into(), verb, ApiPath::parse(path).unwrap());
    request.client = Some(([10, 0, 0, 1], 4711).into());
    request.namespace = ns.into();
    request.token = Some(Arc::new(Secret::new(h.root.clone())));
    request.body.0 = body.as_object().cloned().unwrap_or_default();
    match h.kernel.handle(request).await {
        Ok(response) => response.allowance,
        Err(refusal) => refusal.allowance,
    }
}

/// The limit that holds for a read, 0 for none.
async fn holds(h: &Harness, ns: &str, path: &str) -> u64 {
    let told = told(h, ns, Verb::Read, path, Value::Null).await;
    told.and_then(|told| told.window)
        .map_or(0, |window| window.limit)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_too_often_is_refused_before_anybody_looks_at_its_token() {
    let h = server().await;
    limit(&h, "kv", 2, "kv").await;
    let once = h.create(&h.root, json!({ "num_uses": 1 })).await.token();
    let from = |address: &'static str, token: String| {
        let h = &h;
        async move {
            h.request_from(address, Verb::Read, "kv/a", &token, Value::Null)
                .await
        }
    };
    assert_eq!(from("10.0.0.1", h.root.clone()).await.status, 404);
    assert_eq!(from("10.0.0.1", "nonsense".into()).await.status, 403);
    let refused = from("10.0.0.1", once.clone()).await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (429, "request path \"kv/a\": rate limit quota exceeded")
    );
    assert_eq!(from("10.0.0.1", String::new()).await.status, 429);
    assert_eq!(
        from("10.0.0.2", h.root.clone()).await.status,
        404,
        "another client"
    );
    assert_eq!(
        from("::ffff:10.0.0.1", h.root.clone()).await.status,
        429,
        "the same one"
    );
    assert_eq!(
        h.read("sys/mounts", &h.root).await.status,
        200,
        "another path"
    );
    h.clock.advance(Duration::from_secs(3_600));
    let uses = h.read("auth/token/lookup-self", &once).await;
    assert_eq!(
        uses.data()["num_uses"],
        -1,
        "the refusal cost no use: {uses:?}"
    );
    assert_eq!(
        from("10.0.0.1", h.root.clone()).await.status,
        404,
        "a new interval"
    );
}

#[tokio::test(start_paused = true)]
async fn the_nearest_limit_holds_and_no_other() {
    let h = server().await;
    limit(&h, "all", 1000, "").await;
    for (ns, path) in [
        ("", "kv/a"),
        ("n1", "kv/a"),
        ("n1/n2", "kv/a"),
        ("", "nosuch/x"),
        ("", "sys/leader"),
    ] {
        assert_eq!(holds(&h, ns, path).await, 1000, "{ns} {path}");
    }
    limit(&h, "mount", 900, "kv/").await;
    limit(&h, "path", 800, "/kv/a").await;
    limit(&h, "prefix", 700, "kv/b/*").await;
    limit(&h, "longer", 650, "kv/b/c*").await;
    for (path, limit) in [
        ("kv/a", 800),
        ("kv/a/", 800),
        ("kv/a/x", 900),
        ("kv/b", 900),
        ("kv/b/x", 700),
        ("kv/b/x/y", 700),
        ("kv/b/c", 650),
        ("kv/b/cx", 650),
        ("kv/z", 900),
        ("sys/mounts", 1000),
    ] {
        assert_eq!(holds(&h, "", path).await, limit, "{path}");
    }
    limit(&h, "everything-below", 600, "kv/*").await;
    assert_eq!(
        holds(&h, "", "kv/z").await,
        600,
        "a prefix is nearer than the mount"
    );
}

#[tokio::test(start_paused = true)]
async fn namespaces_inherit_what_is_inheritable() {
    let h = server().await;
    limit(&h, "all", 1000, "").await;
    limit(&h, "n1", 600, "n1").await;
    assert_eq!(holds(&h, "n1", "kv/a").await, 600);
    assert_eq!(
        holds(&h, "n1/n2", "kv/a").await,
        1000,
        "n1's is not inheritable"
    );
    let wish = json!({ "rate": 600, "interval": "1h", "path": "n1/", "inheritable": true });
    assert_eq!(put(&h, "n1", wish).await.status, 204);
    assert_eq!(holds(&h, "n1/n2", "kv/a").await, 600);
    assert_eq!(holds(&h, "", "n1/n2/kv/a").await, 600, "named by the path");
    limit(&h, "n1kv", 500, "n1/kv").await;
    limit(&h, "n1kva", 400, "n1/kv/a").await;
    for (ns, path, limit) in [
        ("n1", "kv/a", 400),
        ("n1", "kv/b", 500),
        ("n1/n2", "kv/a", 600),
        ("n1", "sys/mounts", 600),
        ("", "kv/a", 1000),
    ] {
        assert_eq!(holds(&h, ns, path).await, limit, "{ns} {path}");
    }
    let wish = json!({ "rate": 1000, "interval": "1h", "inheritable": false });
    assert_eq!(put(&h, "all", wish).await.status, 204);
    assert_eq!(h.delete(&format!("{RATE}/n1"), &h.root).await.status, 204);
    assert_eq!(holds(&h, "n1/n2", "kv/a").await, 0);
    let inside = h
        .request_with(Verb::List, RATE, &h.root, Value::Null, |request| {
            request.namespace = "n1".into();
        })
        .await;
    assert_eq!(
        (inside.status, inside.error().as_str()),
        (400, "operation only available in root namespace")
    );
}

#[tokio::test(start_paused = true)]
async fn roles_are_nearer_than_paths_and_only_where_there_are_roles() {
    let h = server().await;
    limit(&h, "gate", 100, "auth/gate").await;
    limit(&h, "login", 60, "auth/gate/login").await;
    let role = |path: &str| json!({ "rate": 50, "interval": "1h", "path": path, "role": "ops" });
    assert_eq!(put(&h, "ops", role("auth/gate")).await.status, 204);
    let limit_of = |body: Value| {
        let h = &h;
        async move {
            let told = told(h, "", Verb::Write, "auth/gate/login", body).await;
            told.unwrap().window.unwrap().limit
        }
    };
    assert_eq!(limit_of(json!({ "name": "ann", "role": "ops" })).await, 50);
    assert_eq!(limit_of(json!({ "name": "ann", "role": "dev" })).await, 60);
    assert_eq!(
        limit_of(json!({ "name": 5 })).await,
        60,
        "what can not be read has no role"
    );
    for (path, why) in [
        ("", "not a valid auth method"),
        ("kv", "not a valid auth method"),
        ("n1", "not a valid auth method"),
        ("auth/plain", "does not support"),
        ("auth/token", "does not support"),
        ("auth/gate/login", "not for both"),
    ] {
        let refused = put(&h, "bad", role(path)).await;
        assert!(
            refused.status == 400 && refused.error().contains(why),
            "{path}: {refused:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn quotas_are_written_read_and_refused_like_this() {
    let h = server().await;
    assert_eq!(h.list(RATE, &h.root).await.status, 404);
    let wish = json!({ "rate": "0.5", "path": "kv/a", "interval": "1.5s", "block_interval": "2s", "type": "x" });
    assert_eq!(put(&h, "a.b-c_d", wish).await.status, 204);
    assert_eq!(
        *h.read(&format!("{RATE}/a.b-c_d"), &h.root).await.data(),
        json!({ "type": "rate-limit", "name": "a.b-c_d", "path": "kv/a", "role": "", "rate": 0.5,
            "interval": 1, "block_interval": 2, "inheritable": false })
    );
    assert_eq!(put(&h, "a.b-c_d", json!({ "rate": 500 })).await.status, 204);
    assert_eq!(
        *h.read(&format!("{RATE}/a.b-c_d"), &h.root).await.data(),
        json!({ "type": "rate-limit", "name": "a.b-c_d", "path": "", "role": "", "rate": 500,
            "interval": 1, "block_interval": 0, "inheritable": true })
    );
    for (wish, why) in [
        (json!({}), "'rate' is invalid"),
        (json!({ "rate": -1 }), "'rate' is invalid"),
        (json!({ "rate": "inf" }), "'rate' is invalid"),
        (json!({ "rate": "NaN" }), "'rate' is invalid"),
        (json!({ "rate": "fast" }), "expected a number"),
        (json!({ "rate": 1, "interval": "soon" }), "duration"),
        (json!({ "rate": 1, "interval": "-1s" }), "negative"),
        (
            json!({ "rate": 1, "path": "nosuch" }),
            "invalid mount path \"nosuch/\"",
        ),
        (
            json!({ "rate": 1, "path": "n1/nosuch" }),
            "invalid mount path \"nosuch/\"",
        ),
        (json!({ "rate": 1, "path": "*" }), "invalid mount path"),
        (
            json!({ "rate": 1, "path": "kv//a" }),
            "no request has the path",
        ),
        (
            json!({ "rate": 1, "path": "kv/../sys" }),
            "no request has the path",
        ),
        (
            json!({ "rate": 1 }),
            "similar properties exists under the name \"a.b-c_d\"",
        ),
        (
            json!({ "rate": 1, "path": "kv", "group_by": "moon" }),
            "'group_by' is invalid",
        ),
        (
            json!({ "rate": 1, "path": "kv", "secondary_rate": 2 }),
            "'secondary_rate' is invalid",
        ),
    ] {
        let refused = put(&h, "bad", wish.clone()).await;
        assert!(
            refused.status == 400 && refused.error().contains(why),
            "{wish}: {refused:?}"
        );
    }
    for name in ["a b", "-a", "a-", "a@b", ".a", "ä"] {
        assert_eq!(
            put(&h, name, json!({ "rate": 1, "path": "kv" }))
                .await
                .status,
            404,
            "{name}"
        );
    }
    assert_eq!(h.list(RATE, &h.root).await.keys(), ["a.b-c_d"]);
    for _ in 0..2 {
        assert_eq!(
            h.delete(&format!("{RATE}/a.b-c_d"), &h.root).await.status,
            204
        );
    }
    assert_eq!(
        h.read(&format!("{RATE}/a.b-c_d"), &h.root).await.status,
        404
    );
}

#[tokio::test(start_paused = true)]
async fn exempt_paths_are_free_in_their_namespace_or_from_the_root() {
    let h = server().await;
    let config = h.read("sys/quotas/config", &h.root).await;
    assert_eq!(
        config.data()["rate_limit_exempt_paths"],
        json!([]),
        "the configuration was written"
    );
    limit(&h, "all", 110, "").await;
    let exempt = json!({
        "enable_rate_limit_response_headers": true,
        "rate_limit_exempt_paths": ["kv/r", "n1/kv/x", "sys/health", "kv/g*", ""],
        "absolute_rate_limit_exempt_paths": "kv/abs, n1/kv/abs",
    });
    assert_eq!(
        h.write("sys/quotas/config", &h.root, exempt).await.status,
        204
    );
    for (ns, path, limit) in [
        ("", "kv/r", 0),
        ("", "kv/rest", 0),
        ("n1", "kv/r", 0),
        ("n1", "kv/x", 0),
        ("", "n1/kv/x", 0),
        ("", "kv/x", 110),
        ("", "kv/gg", 0),
        ("", "kv/abs", 0),
        ("n1", "kv/abs", 0),
        ("n1/n2", "kv/abs", 110),
        ("", "sys/health", 0),
        ("", "sys/leader", 110),
    ] {
        assert_eq!(holds(&h, ns, path).await, limit, "{ns} {path}");
    }
    let read = h.read("sys/quotas/config", &h.root).await;
    assert_eq!(
        read.data()["absolute_rate_limit_exempt_paths"],
        json!(["kv/abs", "n1/kv/abs"])
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_can_be_seen_and_opened_whatever_its_limits() {
    let h = Harness::with(settings(), Arc::new(Memory::new())).await;
    let wish = json!({ "rate": 1, "interval": "1h" });
    assert_eq!(put(&h, "all", wish).await.status, 204);
    assert_eq!(h.read("sys/leader", "").await.status, 200);
    assert_eq!(
        h.read("sys/leader", "").await.status,
        429,
        "the doorstep counts"
    );
    for path in ["sys/health", "sys/seal-status"] {
        assert_eq!(
            h.read(path, "").await.status,
            200,
            "{path} is exempt at first"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_together_or_by_entity() {
    let h = server().await;
    let wish = json!({ "rate": 2, "interval": "1h", "path": "kv", "group_by": "none" });
    assert_eq!(put(&h, "kv", wish).await.status, 204);
    let from = |address: &'static str| {
        let h = &h;
        async move {
            h.request_from(address, Verb::Read, "kv/a", &h.root, Value::Null)
                .await
                .status
        }
    };
    assert_eq!(
        [
            from("10.0.0.1").await,
            from("10.0.0.2").await,
            from("10.0.0.3").await
        ],
        [404, 404, 429]
    );
    let wish = json!({ "rate": 9, "interval": "1h", "path": "kv", "group_by": "entity_then_ip", "secondary_rate": 1 });
    assert_eq!(put(&h, "kv", wish).await.status, 204);
    let read = h.read(&format!("{RATE}/kv"), &h.root).await;
    assert_eq!(
        (&read.data()["group_by"], &read.data()["secondary_rate"]),
        (&json!("entity_then_ip"), &json!(1))
    );
    assert_eq!(
        [
            from("10.0.0.1").await,
            from("10.0.0.1").await,
            from("10.0.0.2").await
        ],
        [404, 429, 404]
    );
}

#[tokio::test(start_paused = true)]
async fn a_changed_quota_begins_anew_and_others_go_on() {
    let h = server().await;
    limit(&h, "a", 1, "kv/a").await;
    limit(&h, "b", 1, "kv/b").await;
    let ask = |path: &'static str| {
        let h = &h;
        async move { h.read(path, &h.root).await.status }
    };
    assert_eq!([ask("kv/a").await, ask("kv/a").await], [404, 429]);
    assert_eq!([ask("kv/b").await, ask("kv/b").await], [404, 429]);
    limit(&h, "a", 1, "kv/a").await;
    assert_eq!(
        [ask("kv/a").await, ask("kv/a").await, ask("kv/b").await],
        [404, 429, 429]
    );
}

#[tokio::test(start_paused = true)]
async fn a_quota_moves_with_its_mount_and_goes_with_it() {
    let h = server().await;
    limit(&h, "mount", 20, "kv").await;
    limit(&h, "path", 30, "kv/a").await;
    limit(&h, "n1", 40, "n1/kv").await;
    let moved = json!({ "from": "kv", "to": "shelf" });
    assert_eq!(h.write("sys/remount", &h.root, moved).await.status, 200);
    h.settle().await;
    assert_eq!(
        h.read(&format!("{RATE}/path"), &h.root).await.data()["path"],
        "shelf/a"
    );
    assert_eq!(
        (
            holds(&h, "", "shelf/a").await,
            holds(&h, "", "shelf/b").await
        ),
        (30, 20)
    );
    let moved = json!({ "from": "shelf", "to": "n1/shelf" });
    assert_eq!(h.write("sys/remount", &h.root, moved).await.status, 200);
    h.settle().await;
    let path = h.read(&format!("{RATE}/path"), &h.root).await;
    assert_eq!(
        path.data()["path"],
        "n1/shelf/a",
        "to another namespace, too"
    );
    assert_eq!(holds(&h, "n1", "shelf/a").await, 30);
    h.request_with(
        Verb::Delete,
        "sys/mounts/shelf",
        &h.root,
        Value::Null,
        |request| {
            request.namespace = "n1".into();
        },
    )
    .await;
    assert_eq!(h.list(RATE, &h.root).await.keys(), ["n1"]);
    for ns in ["n2", "n1"] {
        let within = if ns == "n2" { "n1" } else { "" };
        h.request_with(
            Verb::Delete,
            &format!("sys/namespaces/{ns}"),
            &h.root,
            Value::Null,
            |request| {
                request.namespace = within.into();
            },
        )
        .await;
        h.settle().await;
    }
    assert_eq!(h.list(RATE, &h.root).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn quotas_are_there_after_a_restart() {
    let store = Arc::new(Memory::new());
    let h = Harness::with(settings(), Arc::clone(&store) as _).await;
    h.write("sys/mounts/kv", &h.root, json!({ "type": "kv" }))
        .await;
    tell(&h).await;
    limit(&h, "kv", 7, "kv").await;
    let again = h.restarted(settings(), store).await;
    assert_eq!(holds(&again, "", "kv/a").await, 7);
}
