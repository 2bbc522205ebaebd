//! The protocol from bytes to bytes, over an engine that stands for the real one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use coffer_crypto::Random;
use coffer_crypto::sigv4::{Credentials, Request as Plain, Scope};
use coffer_engine::{
    Class, Ctx, Empty, Engine, Fault, Handle, Kind, MountInfo, Reply, Routes, path,
};
use coffer_kernel::{Clock, Kernel, Settings};
use coffer_storage::Memory;
use coffer_wire::Timestamp;
use http_body_util::{BodyExt, Full};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_util::task::TaskTracker;

use super::super::edge::Edge;
use super::super::peer::Peer;
use super::super::watch::Watch;
use crate::config::Config;

/// When the clock of the tests begins, in both forms.
const BEGINNING_SECS: u64 = 1_800_000_000;
const BEGINNING: &str = "20270115T080000Z";

/// Answers what it was asked.
struct Echo;

impl Engine for Echo {
    const NAME: &'static str = "kms";
    const HELP: &'static str = "Answers what it was asked.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([
            path("encrypt/{key}", "Echo.").write::<Whole>(),
            path("decrypt/{key}", "Echo.").write::<Whole>(),
            path("random", "Refuses.").write::<Refuse>(),
            path("keys/{key}/{word}", "Nothing.").write::<Nothing>(),
        ])
    }
}

/// Answers the fields and the key.
#[derive(Deserialize, JsonSchema)]
struct Whole {
    /// The key.
    key: String,
    /// All fields.
    #[serde(default)]
    #[schemars(extend("x-body" = true))]
    body: Map<String, Value>,
}

/// Refuses as the engine does.
#[derive(Deserialize, JsonSchema)]
struct Refuse {
    /// Which exception.
    number_of_bytes: u64,
}

/// Does nothing.
#[derive(Deserialize, JsonSchema)]
struct Nothing {
    /// The key.
    #[serde(rename = "key")]
    _key: String,
    /// What is to be done.
    #[serde(rename = "word")]
    _word: String,
}

impl Handle<Echo> for Whole {
    type Reply = Reply;

    async fn handle(self, _: &Echo, _: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&json!({ "key_id": self.key, "asked": self.body }))
    }
}

impl Handle<Echo> for Refuse {
    type Reply = Empty;

    async fn handle(self, _: &Echo, _: &Ctx) -> Result<Empty, Fault> {
        Err(match self.number_of_bytes {
            1 => Fault::invalid("DisabledException: the key is disabled"),
            2 => Fault::Missing("NotFoundException: the key does not exist".into()),
            3 => Fault::internal("shelf 7"),
            _ => Fault::invalid("number_of_bytes: too many"),
        })
    }
}

impl Handle<Echo> for Nothing {
    type Reply = Empty;

    async fn handle(self, _: &Echo, _: &Ctx) -> Result<Empty, Fault> {
        Ok(Empty)
    }
}

struct Server {
    edge: Edge,
    root: String,
    clock: Clock,
}

struct Key {
    id: String,
    secret: String,
}

struct Told {
    status: u16,
    json: Value,
    media_type: String,
    request_id: String,
}

impl Told {
    fn kind(&self) -> &str {
        self.json["__type"].as_str().unwrap_or_default()
    }

    fn message(&self) -> &str {
        self.json["message"].as_str().unwrap_or_default()
    }
}

impl Server {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.hcl");
        let hcl = "storage \"inmem\" {}\nlistener \"tcp\" {\n tls_disable = true\n aws_kms = \"kms/\"\n max_request_size = 4096\n}\n";
        std::fs::write(&file, hcl).unwrap();
        let (config, _) = Config::load(&[file]).unwrap();
        let settings = Settings::new(vec![Kind::new::<Echo>(Class::Secret)]);
        let clock = Clock::manual(Timestamp::from_secs(BEGINNING_SECS));
        let store = Arc::new(Memory::new());
        let kernel = Kernel::new(settings, store, Random::system(), clock.clone()).await;
        let listener = config.listeners.first().unwrap();
        let tracker = TaskTracker::new();
        let edge = Edge::new(
            kernel.unwrap(),
            tracker,
            listener,
            &config,
            Watch::default(),
        );
        let mut server = Self {
            edge,
            root: String::new(),
            clock,
        };
        let shares = json!({ "secret_shares": 1, "secret_threshold": 1 });
        let made = server.ok("PUT", "sys/init", &shares).await;
        server.root = made["root_token"].as_str().unwrap().to_owned();
        server
            .ok("PUT", "sys/unseal", &json!({ "key": made["keys"][0] }))
            .await;
        server
            .ok("POST", "sys/mounts/kms", &json!({ "type": "kms" }))
            .await;
        server
    }

    async fn send(&self, request: http::Request<Full<Bytes>>) -> (http::response::Parts, Bytes) {
        let peer = Peer {
            address: Some(([127, 0, 0, 1], 1).into()),
            ..Peer::default()
        };
        let (head, body) = self.edge.serve(peer, request).await.into_parts();
        (head, body.collect().await.unwrap().to_bytes())
    }

    /// A request of the plain API with the root token.
    async fn ok(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/v1/{path}"))
            .header("x-vault-token", &self.root)
            .body(Full::from(body.to_string()))
            .unwrap();
        let (head, body) = self.send(request).await;
        assert!(head.status.is_success(), "{path}: {body:?}");
        serde_json::from_slice(&body).unwrap_or_default()
    }

    async fn key(&self, policy: &str) -> Key {
        let text = json!({ "policy": policy });
        self.ok("POST", "sys/policies/acl/app", &text).await;
        let wish = json!({ "policies": ["app"], "ttl": "1h" });
        let made = self.ok("POST", "auth/token/access-keys", &wish).await;
        let text = |name: &str| made["data"][name].as_str().unwrap().to_owned();
        Key {
            id: text("access_key_id"),
            secret: text("secret_access_key"),
        }
    }

    /// A signed request at the root of the listener.
    async fn call(&self, key: &Key, operation: &str, body: &Value) -> Told {
        let request = signed(key, operation, body, BEGINNING, &[]);
        self.told(request).await
    }

    async fn told(&self, request: http::Request<Full<Bytes>>) -> Told {
        let (head, body) = self.send(request).await;
        let text = |name: &str| {
            let value = head.headers.get(name).map(|value| value.to_str().unwrap());
            value.unwrap_or_default().to_owned()
        };
        Told {
            status: head.status.as_u16(),
            json: serde_json::from_slice(&body).unwrap_or_default(),
            media_type: text("content-type"),
            request_id: text("x-amzn-requestid"),
        }
    }
}

fn signed(
    key: &Key,
    operation: &str,
    body: &Value,
    at: &str,
    more: &[(&str, &str)],
) -> http::Request<Full<Bytes>> {
    let target = format!("TrentService.{operation}");
    let mut given = vec![
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", target.as_str()),
    ];
    given.extend_from_slice(more);
    signed_for(key, "kms", &given, body.to_string(), at)
}

fn signed_for(
    key: &Key,
    service: &str,
    given: &[(&str, &str)],
    body: String,
    at: &str,
) -> http::Request<Full<Bytes>> {
    let credentials = Credentials {
        access_key: key.id.clone(),
        secret_key: key.secret.as_str().into(),
        session_token: None,
    };
    let plain = Plain {
        method: "POST",
        host: "coffer:8200",
        headers: given,
        body: body.as_bytes(),
    };
    let scope = Scope {
        time: at,
        region: "eu-central-1",
        service,
    };
    let mut request = http::Request::builder().method("POST").uri("/");
    request = request.header("host", "coffer:8200");
    for (name, value) in given {
        request = request.header(*name, *value);
    }
    for (name, value) in credentials.sign(&plain, scope) {
        request = request.header(name, value);
    }
    request.body(Full::from(body)).unwrap()
}

const ALL: &str =
    r#"path "kms/*" { capabilities = ["create", "read", "update", "delete", "list"] }"#;

#[tokio::test]
async fn an_operation_is_an_ordinary_request() {
    let server = Server::start().await;
    let key = server.key(ALL).await;
    let body = json!({
        "KeyId": "alias/team/app", "Plaintext": "aGk=", "EncryptionContext": { "TenantId": "t" }, "GrantTokens": ["x"],
    });
    let told = server.call(&key, "Encrypt", &body).await;
    assert_eq!(told.status, 200, "{}", told.json);
    assert_eq!(
        told.json["Asked"],
        json!({ "Plaintext": "aGk=", "EncryptionContext": { "TenantId": "t" } })
    );
    assert_eq!(
        told.json["KeyId"], "arn:aws:kms:us-east-1:000000000000:key/alias:team:app",
        "{}",
        told.json
    );
    assert_eq!(told.media_type, "application/x-amz-json-1.1");
    assert_eq!(told.request_id.len(), 36);
    let told = server
        .call(&key, "EnableKey", &json!({ "KeyId": "a-b" }))
        .await;
    assert_eq!((told.status, told.json), (200, Value::Null));

    let blob = json!({ "CiphertextBlob": "ARI0q80SqzTN" });
    let told = server.call(&key, "Decrypt", &blob).await;
    assert_eq!(told.kind(), "InvalidCiphertextException");
    let blob = json!({ "CiphertextBlob": "ARI0q80SqzTNVu8SNFZ4kKsAAAAB" });
    let told = server.call(&key, "Decrypt", &blob).await;
    let arn = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    assert_eq!(told.json["KeyId"], arn, "{}", told.json);
}

#[tokio::test]
async fn exceptions_have_their_names() {
    let server = Server::start().await;
    let key = server.key(ALL).await;
    for (bytes, kind, status) in [
        (1, "DisabledException", 400),
        (2, "NotFoundException", 400),
        (3, "KMSInternalException", 500),
        (4, "ValidationException", 400),
    ] {
        let body = json!({ "NumberOfBytes": bytes });
        let told = server.call(&key, "GenerateRandom", &body).await;
        assert_eq!((told.kind(), told.status), (kind, status), "{}", told.json);
        assert!(!told.message().contains("shelf"), "{}", told.json);
    }
    for (operation, body, kind) in [
        ("MakeCoffee", json!({}), "UnknownOperationException"),
        ("", json!({}), "UnknownOperationException"),
        (
            "GetKeyPolicy",
            json!({ "KeyId": "a" }),
            "UnsupportedOperationException",
        ),
        ("CreateGrant", json!({}), "UnsupportedOperationException"),
        (
            "CreateKey",
            json!({ "Policy": "{}" }),
            "UnsupportedOperationException",
        ),
        (
            "CreateKey",
            json!({ "MultiRegion": true }),
            "UnsupportedOperationException",
        ),
        ("Encrypt", json!({}), "ValidationException"),
        ("Encrypt", json!({ "KeyId": 7 }), "SerializationException"),
        ("Encrypt", json!({ "KeyId": "../sys" }), "NotFoundException"),
        ("Encrypt", json!([]), "SerializationException"),
        (
            "Encrypt",
            json!({ "KeyId": "../sys", "EncryptionContext": { "a": 1 } }),
            "SerializationException",
        ),
        (
            "Decrypt",
            json!({ "EncryptionContext": ["a"] }),
            "SerializationException",
        ),
        (
            "ReEncrypt",
            json!({ "DestinationEncryptionContext": { "a": "b", "c": null } }),
            "SerializationException",
        ),
        (
            "GenerateDataKey",
            json!({ "EncryptionContext": "a", "Recipient": { "a": 1 } }),
            "SerializationException",
        ),
        (
            "CreateAlias",
            json!({ "AliasName": "app" }),
            "ValidationException",
        ),
        ("Decrypt", json!({}), "ValidationException"),
        (
            "Sign",
            json!({ "KeyId": "a", "Message": "" }),
            "UnknownOperationException",
        ),
    ] {
        let told = server.call(&key, operation, &body).await;
        assert_eq!(
            (told.kind(), told.status),
            (kind, 400),
            "{operation} {body}: {}",
            told.json
        );
    }
    let given = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "TrentService.Encrypt"),
    ];
    let broken = signed_for(&key, "kms", &given, "{\"KeyId\":".into(), BEGINNING);
    assert_eq!(server.told(broken).await.kind(), "SerializationException");
    let large = signed_for(&key, "kms", &given, "x".repeat(5_000), BEGINNING);
    let told = server.told(large).await;
    assert_eq!(
        (told.kind(), told.status),
        ("RequestEntityTooLargeException", 413)
    );
    let other = [("x-amz-target", "DynamoDB_20120810.ListTables")];
    let told = server
        .told(signed_for(&key, "kms", &other, "{}".into(), BEGINNING))
        .await;
    assert_eq!(told.kind(), "UnknownOperationException");
}

#[tokio::test]
async fn nobody_is_let_in_without_a_right_signature() {
    let server = Server::start().await;
    let key = server.key(ALL).await;
    let body = json!({ "KeyId": "a" });
    let bare = |uri: &str| {
        let request = http::Request::builder().method("POST").uri(uri);
        let request = request
            .header("x-amz-target", "TrentService.Encrypt")
            .header("host", "h");
        // A token is no signature.
        let request = request.header("x-vault-token", &server.root);
        request.body(Full::from("{\"KeyId\":\"a\"}")).unwrap()
    };
    for uri in ["/", "/v1/kms/aws", "/v1/kms/aws/", "/v1/nowhere/aws"] {
        let told = server.told(bare(uri)).await;
        assert_eq!(
            (told.kind(), told.status),
            ("MissingAuthenticationTokenException", 400),
            "{uri}"
        );
    }
    let told = server
        .told(bare("/?X-Amz-Algorithm=AWS4-HMAC-SHA256"))
        .await;
    assert_eq!(told.kind(), "IncompleteSignatureException");

    let wrong = Key {
        id: key.id.clone(),
        secret: "x".repeat(40),
    };
    let unknown = Key {
        id: "CKIAAAAAAAAAAAAAAAAA".into(),
        secret: key.secret.clone(),
    };
    assert_eq!(
        server.call(&wrong, "Encrypt", &body).await.kind(),
        "InvalidSignatureException"
    );
    assert_eq!(
        server.call(&unknown, "Encrypt", &body).await.kind(),
        "UnrecognizedClientException"
    );
    for at in ["20270115T075459Z", "20270115T080501Z"] {
        let told = server.told(signed(&key, "Encrypt", &body, at, &[])).await;
        assert_eq!(told.kind(), "InvalidSignatureException", "{at}");
        assert!(
            told.message().starts_with("Signature "),
            "{}",
            told.message()
        );
    }
    let given = [("x-amz-target", "TrentService.Encrypt")];
    let told = server
        .told(signed_for(&key, "sts", &given, body.to_string(), BEGINNING))
        .await;
    assert!(told.message().contains("correct service"), "{}", told.json);
    let with_session = signed(
        &key,
        "Encrypt",
        &body,
        BEGINNING,
        &[("x-amz-security-token", "x")],
    );
    assert_eq!(
        server.told(with_session).await.kind(),
        "UnrecognizedClientException"
    );

    let mut moved = signed(&key, "Encrypt", &body, BEGINNING, &[]);
    moved
        .headers_mut()
        .insert("x-vault-namespace", "team".parse().unwrap());
    let told = server.told(moved).await;
    assert!(
        told.message().contains("X-Vault-Namespace must be"),
        "{}",
        told.json
    );
    let mut changed = signed(&key, "Encrypt", &body, BEGINNING, &[]);
    *changed.body_mut() = Full::from("{\"KeyId\":\"b\"}");
    assert_eq!(
        server.told(changed).await.kind(),
        "InvalidSignatureException"
    );
    let mut other = signed(&key, "Encrypt", &body, BEGINNING, &[]);
    other
        .headers_mut()
        .insert("x-amz-target", "TrentService.Decrypt".parse().unwrap());
    assert_eq!(server.told(other).await.kind(), "InvalidSignatureException");
}

/// HTTP/2 has the host in front of the fields.
#[tokio::test]
async fn the_host_may_come_as_the_authority() {
    let server = Server::start().await;
    let key = server.key(ALL).await;
    for (authority, kind) in [
        ("coffer:8200", ""),
        ("other:8200", "InvalidSignatureException"),
    ] {
        let mut request = signed(&key, "Encrypt", &json!({ "KeyId": "a" }), BEGINNING, &[]);
        request.headers_mut().remove("host");
        *request.version_mut() = http::Version::HTTP_2;
        *request.uri_mut() = format!("https://{authority}/").parse().unwrap();
        let told = server.told(request).await;
        assert_eq!(told.kind(), kind, "{}", told.json);
    }
}

#[tokio::test]
async fn policy_sees_the_plain_path() {
    let server = Server::start().await;
    let only = r#"path "kms/encrypt/a-b" { capabilities = ["update"] }"#;
    let key = server.key(only).await;
    let fine = server
        .call(&key, "Encrypt", &json!({ "KeyId": "a-b" }))
        .await;
    assert_eq!(fine.status, 200, "{}", fine.json);
    let arn = json!({ "KeyId": "arn:aws:kms:eu-west-1:123456789012:key/a-b" });
    assert_eq!(server.call(&key, "Encrypt", &arn).await.status, 200);
    for (operation, id) in [
        ("Encrypt", "a-c"),
        ("Decrypt", "a-b"),
        ("EnableKey", "a-b"),
        ("MakeCoffee", "a-b"),
    ] {
        let told = server.call(&key, operation, &json!({ "KeyId": id })).await;
        let kind = match operation {
            "MakeCoffee" => "UnknownOperationException",
            _ => "AccessDeniedException",
        };
        assert_eq!((told.kind(), told.status), (kind, 400), "{operation}");
    }
    server.ok("POST", "sys/seal", &json!({})).await;
    let told = server
        .call(&key, "Encrypt", &json!({ "KeyId": "a-b" }))
        .await;
    assert_eq!(
        (told.kind(), told.status),
        ("ServiceUnavailableException", 503)
    );
}

#[tokio::test]
async fn an_access_key_ends_and_its_rate_is_bounded() {
    let server = Server::start().await;
    let key = server.key(ALL).await;
    let limit = json!({ "rate": 1, "path": "kms/" });
    server
        .ok("POST", "sys/quotas/rate-limit/slow", &limit)
        .await;
    let body = json!({ "KeyId": "a" });
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(server.call(&key, "Encrypt", &body).await.kind().to_owned());
    }
    assert!(
        kinds.contains(&"ThrottlingException".to_owned()),
        "{kinds:?}"
    );
    server
        .ok("DELETE", "sys/quotas/rate-limit/slow", &json!({}))
        .await;
    server.clock.advance(Duration::from_secs(3_601));
    let later = signed(&key, "Encrypt", &body, "20270115T090001Z", &[]);
    assert_eq!(
        server.told(later).await.kind(),
        "UnrecognizedClientException"
    );
}
