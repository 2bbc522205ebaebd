//! What can be tuned about a mount, and that it holds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_crypto::Secret;
use coffer_engine::{Class, Ctx, Engine, Fault, Handle, Kind, MountInfo, Reply, Routes, path};
use coffer_kernel::{Request, Response, Settings};
use coffer_storage::Memory;
use coffer_wire::{ApiPath, Verb};
use harness::Harness;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Answers with the headers that reach it, and with headers of its own.
struct Echo;

impl Engine for Echo {
    const NAME: &'static str = "echo";
    const HELP: &'static str = "Says what it hears.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("headers", "What was heard.").read::<Hear>()])
    }
}

/// Takes nothing but logins, under the name of a method that counts wrong passwords.
struct Userpass;

impl Engine for Userpass {
    const NAME: &'static str = "userpass";
    const HELP: &'static str = "Knows passwords.";
    const LOCKS_OUT: bool = true;

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("headers", "What was heard.").read::<Hear>()])
    }
}

/// Says which headers were heard.
#[derive(Deserialize, JsonSchema)]
struct Hear {}

impl<E: Sync> Handle<E> for Hear {
    type Reply = Reply;

    async fn handle(self, _: &E, cx: &Ctx) -> Result<Reply, Fault> {
        let reply = Reply::data(&cx.request.headers)?;
        Ok(reply.header("x-own", "mine").header("x-other", "other"))
    }
}

async fn server() -> Harness {
    let kinds = vec![
        Kind::new::<Echo>(Class::Secret),
        Kind::new::<Userpass>(Class::Auth),
    ];
    let server = Harness::with(Settings::new(kinds), Arc::new(Memory::new())).await;
    for (path, kind) in [("sys/mounts/echo", "echo"), ("sys/auth/people", "userpass")] {
        let done = server
            .write(path, &server.root, json!({ "type": kind }))
            .await;
        assert_eq!(done.status, 204, "{done:?}");
    }
    server
}

async fn heard(server: &Harness, headers: &[(&str, &str)]) -> (BTreeMap<String, String>, Response) {
    let path = ApiPath::parse("echo/headers").unwrap();
    let mut request = Request::internal("r".into(), Verb::Read, path);
    request.token = Some(Arc::new(Secret::new(server.root.clone())));
    for (name, value) in headers {
        request
            .headers
            .insert((*name).into(), vec![(*value).into()]);
    }
    let answer = server.kernel.handle(request).await.unwrap();
    let coffer_engine::Body::Json(text) = &answer.body else {
        return (BTreeMap::new(), answer);
    };
    (serde_json::from_slice(text).unwrap(), answer)
}

async fn tune(server: &Harness, path: &str, settings: Value) -> u16 {
    server.write(path, &server.root, settings).await.status
}

#[tokio::test(start_paused = true)]
async fn headers_pass_as_tuned_and_no_others() {
    let server = server().await;
    let sent = [("x-one", "1"), ("x-two", "2"), ("authorization", "Basic x")];
    let (came, answer) = heard(&server, &sent).await;
    assert!(came.is_empty() && answer.headers.is_empty());
    let wish =
        json!({"passthrough_request_headers": ["X-One"], "allowed_response_headers": "x-own"});
    assert_eq!(tune(&server, "sys/mounts/echo/tune", wish).await, 204);
    let (came, answer) = heard(&server, &sent).await;
    assert_eq!(came, [("x-one".to_owned(), "1".to_owned())].into());
    assert_eq!(answer.headers, [("x-own", "mine".to_owned())]);
    let wish = json!({"passthrough_request_headers": [], "allowed_response_headers": ""});
    assert_eq!(tune(&server, "sys/mounts/echo/tune", wish).await, 204);
    let (came, answer) = heard(&server, &sent).await;
    assert!(came.is_empty() && answer.headers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn lock_out_of_names_is_tuned_where_names_are_counted() {
    let server = server().await;
    let before = server.read("sys/auth/people/tune", &server.root).await;
    assert!(before.data().get("user_lockout_threshold").is_none());
    let wish = json!({"user_lockout_config": {"lockout_threshold": "3", "lockout_duration": "10m",
        "lockout_counter_reset_duration": 300, "lockout_disable": "true"}});
    assert_eq!(
        tune(&server, "sys/auth/people/tune", wish.clone()).await,
        204
    );
    let wish_more = json!({"user_lockout_config": {"lockout_threshold": 5}});
    assert_eq!(
        tune(&server, "sys/mounts/auth/people/tune", wish_more).await,
        204
    );
    let shown = json!({
        "user_lockout_threshold": 5,
        "user_lockout_duration": 600,
        "user_lockout_counter_reset_duration": 300,
        "user_lockout_disable": true,
    });
    for path in ["sys/auth/people/tune", "sys/mounts/auth/people/tune"] {
        let tuned = server.read(path, &server.root).await;
        for (name, value) in shown.as_object().unwrap() {
            assert_eq!(&tuned.data()[name], value, "{path} {name}");
        }
    }
    let read = server.read("sys/auth/people", &server.root).await;
    assert_eq!(read.data()["config"]["user_lockout_config"], shown);
    for (path, wish) in [
        ("sys/mounts/echo/tune", wish.clone()),
        ("sys/auth/token/tune", wish),
        ("sys/auth/people/tune", json!({"user_lockout_config": "x"})),
        (
            "sys/auth/people/tune",
            json!({"user_lockout_config": {"lockout_threshold": -1}}),
        ),
        (
            "sys/auth/people/tune",
            json!({"user_lockout_config": {"lockout_duration": "long"}}),
        ),
    ] {
        assert_eq!(
            tune(&server, path, wish.clone()).await,
            400,
            "{path} {wish}"
        );
    }
    let with_it =
        json!({"type": "userpass", "config": {"user_lockout_config": {"lockout_threshold": 7}}});
    assert_eq!(tune(&server, "sys/auth/more", with_it).await, 204);
    let more = server.read("sys/auth/more/tune", &server.root).await;
    assert_eq!(more.data()["user_lockout_threshold"], 7);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_mounts_itself_is_hardly_tuned() {
    let server = server().await;
    for (path, wish, status) in [
        ("sys/mounts/sys/tune", json!({"description": "x"}), 400),
        ("sys/mounts/sys/tune", json!({"max_lease_ttl": "1h"}), 400),
        ("sys/mounts/sys/tune", json!({"options": {"a": "b"}}), 400),
        (
            "sys/mounts/sys/tune",
            json!({"audit_non_hmac_request_keys": ["a"]}),
            204,
        ),
        (
            "sys/mounts/cubbyhole/tune",
            json!({"listing_visibility": "unauth"}),
            400,
        ),
        ("sys/auth/token/tune", json!({"token_type": "batch"}), 400),
        (
            "sys/auth/token/tune",
            json!({"max_lease_ttl": "2000h", "description": "x"}),
            204,
        ),
    ] {
        assert_eq!(
            tune(&server, path, wish.clone()).await,
            status,
            "{path} {wish}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn options_are_merged_and_emptied() {
    let server = server().await;
    let path = "sys/mounts/echo/tune";
    tune(&server, path, json!({"options": {"a": "1", "b": "2"}})).await;
    tune(&server, path, json!({"options": {"a": ""}})).await;
    let tuned = server.read(path, &server.root).await;
    assert_eq!(tuned.data()["options"], json!({"b": "2"}));
    let unknown = json!({"type": "echo", "config": {"max_lease_ttl": "1h", "colour": "red"}});
    let made = server
        .write("sys/mounts/other", &server.root, unknown)
        .await;
    assert!(made.warnings()[0].contains("[colour]"), "{made:?}");
    let version = tune(&server, path, json!({"plugin_version": "v1.0.0"})).await;
    assert_eq!(version, 400);
}
