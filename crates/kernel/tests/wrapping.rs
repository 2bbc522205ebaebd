//! Answers inside single-use tokens.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_crypto::Secret;
use coffer_engine::{Class, Ctx, Engine, Fault, Handle, Kind, MountInfo, Routes, path};
use coffer_kernel::{Request, Response, Settings};
use coffer_storage::{Memory, Store};
use coffer_wire::{ApiPath, Verb, WrapInfo};
use harness::faulty::Faulty;
use harness::{Answer, Harness, Restless};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const WRAP: &str = "sys/wrapping/wrap";
const UNWRAP: &str = "sys/wrapping/unwrap";
const GONE: &str = "wrapping token is not valid or does not exist";

/// A storage for each token, which is all that wrapping needs of the engine of that name.
struct Cubbyhole;

impl Engine for Cubbyhole {
    const NAME: &'static str = "cubbyhole";
    const HELP: &'static str = "A storage for each token.";
    const PER_TOKEN: bool = true;

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("items", "What is stored.").list::<ListItems>()])
    }
}

/// Lists what is stored.
#[derive(Deserialize, JsonSchema)]
struct ListItems {}

impl Handle<Cubbyhole> for ListItems {
    type Reply = Vec<String>;

    async fn handle(self, _: &Cubbyhole, cx: &Ctx) -> Result<Vec<String>, Fault> {
        Ok(cx.view.list_all("").await?)
    }
}

async fn server() -> Harness {
    server_over(Arc::new(Memory::new())).await
}

async fn server_over(store: Arc<dyn Store>) -> Harness {
    let kinds = vec![Kind::new::<Cubbyhole>(Class::Secret)];
    Harness::with(Settings::new(kinds), store).await
}

async fn asked(server: &Harness, verb: Verb, path: &str, body: Value, ttl: u64) -> Response {
    let path = ApiPath::parse(path).unwrap();
    let mut request = Request::internal("r".into(), verb, path);
    request.token = Some(Arc::new(Secret::new(server.root.clone())));
    request.wrap_ttl = (ttl > 0).then(|| Duration::from_secs(ttl));
    request.body.0 = match body {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    server.kernel.handle(request).await.unwrap()
}

async fn wrapped(server: &Harness, body: Value) -> WrapInfo {
    let response = asked(server, Verb::Write, WRAP, body, 300).await;
    response.wrap_info.unwrap()
}

async fn unwrapped(server: &Harness, token: &str) -> Answer {
    let body = json!({"token": token});
    server.write(UNWRAP, &server.root, body).await
}

#[tokio::test(start_paused = true)]
async fn a_value_is_handed_out_once() {
    let server = server().await;
    let info = wrapped(&server, json!({"a": {"b": 0.10}, "token": "x"})).await;
    assert_eq!((info.ttl, info.creation_path.as_str()), (300, WRAP));
    let body = json!({"token": info.token});
    for token in ["", &server.root] {
        let known = server
            .write("sys/wrapping/lookup", token, body.clone())
            .await;
        assert_eq!(known.data()["creation_path"], json!(WRAP));
        assert_eq!(known.data()["creation_ttl"], json!(300));
    }
    let first = unwrapped(&server, &info.token).await;
    assert_eq!(first.data().to_string(), r#"{"a":{"b":0.1},"token":"x"}"#);
    for _ in 0..2 {
        let again = unwrapped(&server, &info.token).await;
        assert_eq!((again.status, again.error()), (400, GONE.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrapping_token_unwraps_itself_and_does_nothing_else() {
    let server = server().await;
    let token = wrapped(&server, json!({"c": "d"})).await.token;
    assert_eq!(server.read("sys/mounts", &token).await.status, 403);
    let token = wrapped(&server, json!({"c": "d"})).await.token;
    let own = server.write(UNWRAP, &token, json!({})).await;
    assert_eq!(own.data()["c"], json!("d"), "{own:?}");
    let again = server.write(UNWRAP, &token, json!({})).await;
    assert_eq!((again.status, again.error()), (400, GONE.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_wrapping_token_unwraps_nothing() {
    let server = server().await;
    let plain = server.create(&server.root, json!({"num_uses": 1})).await;
    for token in ["", "x", &plain.token(), &server.root] {
        let refused = unwrapped(&server, token).await;
        assert_eq!((refused.status, refused.error()), (400, GONE.to_owned()));
    }
    assert!(server.lives(&server.root).await);
    let without_ttl = server.write(WRAP, &server.root, json!({"a": 1})).await;
    assert_eq!(without_ttl.status, 400);
    assert_eq!(server.write(WRAP, "", json!({})).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_its_time() {
    let server = server().await;
    let info = wrapped(&server, json!({"a": "b"})).await;
    server.advance(Duration::from_secs(301)).await;
    assert_eq!(unwrapped(&server, &info.token).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn rewrapping_keeps_where_it_came_from() {
    let server = server().await;
    let old = wrapped(&server, json!({"a": "b"})).await;
    let body = json!({"token": old.token});
    let new = asked(&server, Verb::Write, "sys/wrapping/rewrap", body, 0).await;
    let new = new.wrap_info.unwrap();
    assert_eq!((new.creation_path.as_str(), new.ttl), (WRAP, 300));
    assert_eq!(unwrapped(&server, &old.token).await.status, 400);
    assert_eq!(unwrapped(&server, &new.token).await.data()["a"], json!("b"));
}

#[tokio::test(start_paused = true)]
async fn answers_of_any_path_are_wrapped_where_there_is_something() {
    let server = server().await;
    let response = asked(&server, Verb::Read, "sys/mounts", json!({}), 60).await;
    assert!(!format!("{:?}", response.body).contains("cubbyhole"));
    assert_eq!(response.request_id, "");
    let mounts = unwrapped(&server, &response.wrap_info.unwrap().token).await;
    assert_eq!(mounts.data()["sys/"]["type"], json!("system"));
    let listed = asked(&server, Verb::List, "sys/policies/acl", json!({}), 60).await;
    assert_eq!(listed.wrap_info.unwrap().creation_path, "sys/policies/acl/");
    let wish = json!({"policies": ["default"], "ttl": "5m"});
    let made = asked(&server, Verb::Write, "auth/token/create", wish, 60).await;
    assert!(made.auth.is_none());
    let info = made.wrap_info.unwrap();
    let login = unwrapped(&server, &info.token).await;
    assert_eq!(login.accessor(), info.wrapped_accessor);
    assert!(server.lives(&login.token()).await);
    let policy = json!({"policy": "path \"a\" { capabilities = [\"read\"] }"});
    let empty = asked(&server, Verb::Write, "sys/policies/acl/w", policy, 60).await;
    assert!(empty.wrap_info.is_none(), "204 is not wrapped");
}

#[tokio::test]
async fn of_two_hundred_at_once_one_gets_it() {
    let server = Arc::new(server_over(Arc::new(Restless::new(7))).await);
    let token = wrapped(&server, json!({"a": "b"})).await.token;
    let hands: Vec<_> = (0..200)
        .map(|hand| {
            let (server, token) = (Arc::clone(&server), token.clone());
            tokio::spawn(async move {
                let answer = match hand % 2 {
                    0 => unwrapped(&server, &token).await,
                    _ => server.write(UNWRAP, &token, json!({})).await,
                };
                assert!(matches!(answer.status, 200 | 400), "{answer:?}");
                answer.status == 200
            })
        })
        .collect();
    let mut got = 0;
    for hand in hands {
        got += usize::from(hand.await.unwrap());
    }
    assert_eq!(got, 1);
}

/// Whichever write is refused: what was wrapped can be had by the old token or by the new one.
#[tokio::test(start_paused = true)]
async fn rewrapping_loses_nothing_when_a_write_is_refused() {
    let mut moved = 0;
    for writes in 0..12 {
        let store = Faulty::new();
        let server = server_over(store.clone()).await;
        let old = wrapped(&server, json!({"a": "b"})).await.token;
        let path = ApiPath::parse("sys/wrapping/rewrap").unwrap();
        let mut request = Request::internal("r".into(), Verb::Write, path);
        request.token = Some(Arc::new(Secret::new(old.clone())));
        store.refuse_one_after(writes);
        let answer = server.kernel.handle(request).await;
        store.refuse_one_after(i64::MAX);
        let token = match answer {
            Ok(response) => response.wrap_info.unwrap().token,
            Err(_) => old.clone(),
        };
        if token != old {
            moved += 1;
            assert_eq!(unwrapped(&server, &old).await.status, 400, "{writes}");
        }
        let had = unwrapped(&server, &token).await;
        assert_eq!(had.data()["a"], json!("b"), "{writes}: {had:?}");
    }
    assert!(moved > 0);
}

#[tokio::test]
async fn of_many_who_unwrap_and_rewrap_at_once_one_gets_it() {
    for seed in 0..8 {
        let server = Arc::new(server_over(Arc::new(Restless::new(seed))).await);
        let token = wrapped(&server, json!({"a": "b"})).await.token;
        let hands: Vec<_> = (0..20)
            .map(|hand| {
                let (server, body) = (Arc::clone(&server), json!({"token": token}));
                let path = [UNWRAP, "sys/wrapping/rewrap"][hand % 2];
                tokio::spawn(async move { server.write(path, "", body).await.status })
            })
            .collect();
        let mut got = 0;
        for hand in hands {
            let status = hand.await.unwrap();
            assert!(matches!(status, 200 | 204 | 400), "{status}");
            got += usize::from(status < 300);
        }
        assert_eq!(got, 1, "{seed}");
    }
}

/// A request whose answer shall be wrapped into a JWT.
async fn wrapped_as_jwt(server: &Harness, verb: Verb, path: &str, body: Value) -> WrapInfo {
    let mut request = Request::internal("r".into(), verb, ApiPath::parse(path).unwrap());
    request.token = Some(Arc::new(Secret::new(server.root.clone())));
    request.wrap_ttl = Some(Duration::from_secs(300));
    let format = ("x-vault-wrap-format".to_owned(), vec!["jwt".to_owned()]);
    request.headers = [format].into();
    if let Value::Object(fields) = body {
        request.body.0 = fields;
    }
    let answer = server.kernel.handle(request).await.unwrap();
    answer.wrap_info.unwrap()
}

fn part(jwt: &str, at: usize) -> Value {
    let text = jwt.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_wrapping_token_can_be_a_jwt_that_is_ours() {
    let server = server().await;
    let body = json!({ "a": "b" });
    let info = wrapped_as_jwt(&server, Verb::Write, WRAP, body.clone()).await;
    assert_eq!(part(&info.token, 0), json!({"alg": "ES512", "typ": "JWT"}));
    let claims = part(&info.token, 1);
    assert_eq!(claims["type"], "wrapping");
    assert_eq!(
        claims["exp"].as_u64(),
        claims["iat"].as_u64().map(|at| at + 300)
    );
    assert_eq!(claims["accessor"], "");
    let lookup = json!({ "token": info.token });
    let looked = server.write("sys/wrapping/lookup", "", lookup).await;
    assert_eq!(
        looked.data()["creation_path"],
        "sys/wrapping/wrap",
        "{looked:?}"
    );
    let none = server.read("auth/token/lookup-self", &info.token).await;
    assert_eq!(none.status, 403, "it is no token beside unwrapping");
    assert_eq!(unwrapped(&server, &info.token).await.data(), &body);
    let inside = claims["jti"].as_str().unwrap();
    for spent in [&info.token, inside] {
        assert_eq!(unwrapped(&server, spent).await.error(), GONE);
    }
    // As the request's own token, and with a token inside.
    let made = wrapped_as_jwt(&server, Verb::Write, "auth/token/create", json!({})).await;
    let accessor = part(&made.token, 1)["accessor"].clone();
    assert_eq!(accessor, made.wrapped_accessor.clone());
    let own = server.write(UNWRAP, &made.token, json!({})).await;
    assert_eq!(own.auth()["accessor"], accessor, "{own:?}");
}

#[tokio::test(start_paused = true)]
async fn a_forged_jwt_unwraps_nothing() {
    let server = server().await;
    let info = wrapped_as_jwt(&server, Verb::Write, WRAP, json!({ "a": "b" })).await;
    let [header, claims, signature] = info.token.split('.').collect::<Vec<_>>()[..] else {
        panic!("not three parts")
    };
    let other = wrapped_as_jwt(&server, Verb::Write, WRAP, json!({ "c": "d" })).await;
    let others_claims = other.token.split('.').nth(1).unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let (start, end) = signature.split_at(40);
    let mangled = format!(
        "{start}{}{}",
        if end.starts_with('A') { "B" } else { "A" },
        &end[1..]
    );
    for (forged, status) in [
        (format!("{header}.{others_claims}.{signature}"), 403),
        (format!("{header}.{claims}."), 403),
        (format!("{header}.{claims}.{mangled}"), 403),
        (format!("{none}.{claims}."), 400),
        (format!("{none}.{claims}.{signature}"), 400),
        (format!("{header}.{claims}"), 400),
        (format!("{header}.!.!"), 400),
    ] {
        assert_eq!(unwrapped(&server, &forged).await.status, status, "{forged}");
    }
    assert_eq!(unwrapped(&server, &info.token).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_key_of_wrapping_jwts_is_shown_and_stays() {
    let server = server().await;
    let key = server.read("sys/wrapping/pubkey", "").await;
    assert_eq!(key.data()["jwt_curve"], "p521", "{key:?}");
    let x = key.data()["jwt_x"].as_str().unwrap();
    assert!(x.len() > 100 && x.bytes().all(|digit| digit.is_ascii_digit()));
    let info = wrapped_as_jwt(&server, Verb::Write, WRAP, json!({ "a": "b" })).await;
    server.kernel.seal();
    let body = json!({ "key": server.key });
    server.write("sys/unseal", "", body).await;
    assert_eq!(
        server.read("sys/wrapping/pubkey", "").await.data(),
        key.data()
    );
    assert_eq!(unwrapped(&server, &info.token).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn lists_are_shown_with_their_slash() {
    let server = server().await;
    let listed = asked(&server, Verb::List, "sys/policies/acl", Value::Null, 60).await;
    assert_eq!(listed.wrap_info.unwrap().creation_path, "sys/policies/acl/");
}
