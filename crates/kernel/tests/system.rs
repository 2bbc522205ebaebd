//! The rest of the server's own paths: tools, the catalogue, raw records, what is configured over the API.

mod harness;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::{Class, Ctx, Engine, Fault, Handle, Kind, MountInfo, Routes, path};
use coffer_kernel::Settings;
use coffer_storage::Memory;
use coffer_wire::Verb;
use harness::{Answer, Harness};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Counts in memory how often it was asked.
struct Counter(AtomicU32);

impl Engine for Counter {
    const NAME: &'static str = "counter";
    const HELP: &'static str = "Counts.";

    fn new(_: &MountInfo) -> Self {
        Self(AtomicU32::default())
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("next", "The next number.").read::<Next>()])
    }
}

/// Answers the next number.
#[derive(Deserialize, JsonSchema)]
struct Next {}

impl Handle<Counter> for Next {
    type Reply = Vec<u32>;

    async fn handle(self, counter: &Counter, _: &Ctx) -> Result<Vec<u32>, Fault> {
        Ok(vec![counter.0.fetch_add(1, Ordering::Relaxed)])
    }
}

async fn server_with(change: impl Fn(&mut Settings)) -> Harness {
    let mut settings = Settings::new(vec![Kind::new::<Counter>(Class::Secret)]);
    change(&mut settings);
    Harness::with(settings, Arc::new(Memory::new())).await
}

async fn server() -> Harness {
    server_with(|_| {}).await
}

async fn write(server: &Harness, path: &str, body: Value) -> Answer {
    server.write(path, &server.root, body).await
}

async fn read(server: &Harness, path: &str, query: Value) -> Answer {
    server.request(Verb::Read, path, &server.root, query).await
}

#[tokio::test(start_paused = true)]
async fn random_bytes_come_as_asked() {
    let server = server().await;
    for (path, body, length) in [
        ("sys/tools/random", json!({}), 32),
        ("sys/tools/random", json!({"bytes": "5"}), 5),
        ("sys/tools/random/16", json!({}), 16),
        ("sys/tools/random/16", json!({"bytes": 4}), 16),
        ("sys/tools/random/all", json!({"bytes": 4}), 4),
        ("sys/tools/random/platform/7", json!({"bytes": 4}), 7),
        ("sys/tools/random/131072", json!({}), 131_072),
    ] {
        let drawn = write(&server, path, body.clone()).await;
        let text = drawn.data()["random_bytes"].as_str().unwrap();
        assert_eq!(
            STANDARD.decode(text).unwrap().len(),
            length,
            "{path} {body}"
        );
        let mut hex = body.clone();
        hex["format"] = json!("hex");
        let again = write(&server, path, hex).await;
        let hex = hex::decode(again.data()["random_bytes"].as_str().unwrap()).unwrap();
        assert_eq!(hex.len(), length);
        assert_ne!(STANDARD.decode(text).unwrap(), hex);
    }
    let seal = write(&server, "sys/tools/random/seal/4", json!({})).await;
    assert_eq!(
        seal.warnings().len(),
        1,
        "there is no other source, and it says so"
    );
    for (path, body) in [
        ("sys/tools/random/0", json!({})),
        ("sys/tools/random/-1", json!({})),
        ("sys/tools/random", json!({"bytes": -1})),
        ("sys/tools/random/131073", json!({})),
        ("sys/tools/random/x", json!({})),
        ("sys/tools/random/platform/x", json!({})),
        ("sys/tools/random/odd/4", json!({})),
        ("sys/tools/random", json!({"format": "odd"})),
    ] {
        assert_eq!(write(&server, path, body).await.status, 400, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn hashes_come_as_asked() {
    let server = server().await;
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (path, body, sum) in [
        ("sys/tools/hash", json!({}), empty),
        ("sys/tools/hash", json!({"input": ""}), empty),
        (
            "sys/tools/hash/sha2-224",
            json!({"input": "aGVsbG8=", "algorithm": "sha2-512"}),
            "ea09ae9cc6768c50fcee903ed054556e5bfc8347907f12598aa24193",
        ),
        (
            "sys/tools/hash",
            json!({"input": "aGVsbG8=", "algorithm": "sha3-224", "format": "base64"}),
            "uH+IxycC//F0jli4fpFBpCwNvtwpp4yw1KXNgQ==",
        ),
    ] {
        let hashed = write(&server, path, body).await;
        assert_eq!(hashed.data()["sum"], sum, "{path}");
    }
    for (path, body) in [
        ("sys/tools/hash/md5", json!({"input": ""})),
        ("sys/tools/hash", json!({"input": "%%"})),
        ("sys/tools/hash", json!({"input": "", "format": "odd"})),
    ] {
        assert_eq!(write(&server, path, body).await.status, 400, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn raw_records_are_there_only_where_they_are_wanted() {
    let server = server().await;
    for verb in [Verb::Read, Verb::List, Verb::Write, Verb::Delete] {
        let answer = server.request(verb, "sys/raw/core/mount", &server.root, json!({}));
        assert_eq!(answer.await.status, 404, "{verb}");
    }
    for path in [
        "sys/internal/inspect/router/root",
        "sys/internal/inspect/request",
    ] {
        assert_eq!(server.read(path, &server.root).await.status, 404);
    }
}

#[tokio::test(start_paused = true)]
async fn raw_records_are_read_and_written_but_for_the_keys() {
    let server = server_with(|settings| settings.raw_storage_endpoint = true).await;
    let path = "sys/raw/own/a";
    assert_eq!(server.read(path, &server.root).await.status, 404);
    assert_eq!(
        write(&server, path, json!({"value": "hello"})).await.status,
        204
    );
    assert_eq!(
        server.read(path, &server.root).await.data()["value"],
        "hello"
    );
    let coded = json!({"value": "/w==", "encoding": "base64"});
    assert_eq!(write(&server, "sys/raw/own/b", coded).await.status, 204);
    let shown = read(&server, "sys/raw/own/b", json!({"encoding": "base64"})).await;
    assert_eq!(shown.data()["value"], "/w==");
    assert_eq!(
        server.read("sys/raw/own/b", &server.root).await.status,
        400,
        "it is not text"
    );
    assert_eq!(
        server.list("sys/raw/own", &server.root).await.keys(),
        ["a", "b"]
    );
    let page = json!({"after": "a", "limit": 1});
    let page = server.request(Verb::List, "sys/raw/own/", &server.root, page);
    assert_eq!(page.await.keys(), ["b"]);
    let top = server.list("sys/raw", &server.root).await.keys();
    assert!(top.contains(&"core/".to_owned()) && top.contains(&"own/".to_owned()));
    // What this server wrote is a version byte and JSON, and survives being written back.
    let mounts = server.list("sys/raw/core/mount", &server.root).await.keys();
    let record = format!("sys/raw/core/mount/{}", mounts[0]);
    let value = server.read(&record, &server.root).await.data()["value"].clone();
    assert!(value.as_str().unwrap().starts_with("\u{1}{"), "{value}");
    assert_eq!(
        write(&server, &record, json!({ "value": value }))
            .await
            .status,
        204
    );
    server.kernel.seal();
    let opened = server
        .write("sys/unseal", "", json!({ "key": server.key }))
        .await;
    assert_eq!(opened.data()["sealed"], json!(false), "{opened:?}");
    for key in ["core/keyring", "core/root-key", "core/seal-config"] {
        let path = format!("sys/raw/{key}");
        for verb in [Verb::Read, Verb::Write, Verb::Delete] {
            let refused = server
                .request(verb, &path, &server.root, json!({"value": "x"}))
                .await;
            assert_eq!(refused.status, 400, "{verb} {path}");
        }
    }
    for wrong in [
        json!({"value": "x", "compression_type": "gzip"}),
        json!({"value": "%%", "encoding": "base64"}),
        json!({"value": "x", "encoding": "odd"}),
        json!({"value": {"a": 1}}),
    ] {
        assert_eq!(
            write(&server, path, wrong.clone()).await.status,
            400,
            "{wrong}"
        );
    }
    for _ in 0..2 {
        assert_eq!(server.delete(path, &server.root).await.status, 204);
    }
    server
        .policy("reader", "path \"sys/raw/*\" { capabilities = [\"read\"] }")
        .await;
    let reader = server
        .create(&server.root, json!({"policies": ["reader"]}))
        .await
        .token();
    let refused = server.read("sys/raw/own/b", &reader).await;
    assert_eq!(refused.status, 403, "it needs sudo");
}

#[tokio::test(start_paused = true)]
async fn a_reloaded_engine_starts_anew_and_keeps_its_mount() {
    let server = server().await;
    let mounted = write(&server, "sys/mounts/count", json!({"type": "counter"})).await;
    assert_eq!(mounted.status, 204);
    let next = async || server.read("count/next", &server.root).await.data()[0].clone();
    let reloads = [
        ("sys/plugins/reload/backend", json!({"plugin": "counter"})),
        ("sys/plugins/reload/backend", json!({"mounts": ["count/"]})),
        (
            "sys/plugins/reload/backend",
            json!({"mounts": "count", "scope": "global"}),
        ),
        ("sys/plugins/reload/secret/counter", json!({})),
    ];
    for (path, body) in reloads {
        assert_eq!((next().await, next().await), (json!(0), json!(1)));
        let reloaded = write(&server, path, body).await;
        assert!(reloaded.data()["reload_id"].is_string(), "{reloaded:?}");
    }
    assert_eq!(next().await, json!(0));
    for (path, body) in [
        ("sys/plugins/reload/backend", json!({})),
        ("sys/plugins/reload/backend", json!({"plugin": "nosuch"})),
        ("sys/plugins/reload/backend", json!({"mounts": ["nosuch/"]})),
        ("sys/plugins/reload/backend", json!({"mounts": ["sys/"]})),
        (
            "sys/plugins/reload/backend",
            json!({"plugin": "counter", "mounts": ["count/"]}),
        ),
        (
            "sys/plugins/reload/backend",
            json!({"plugin": "counter", "scope": "odd"}),
        ),
        ("sys/plugins/reload/auth/counter", json!({})),
    ] {
        assert_eq!(
            write(&server, path, body.clone()).await.status,
            400,
            "{path} {body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_catalogue_lists_what_is_built_in_and_takes_nothing_else() {
    let server = server().await;
    let all = server.read("sys/plugins/catalog", &server.root).await;
    assert_eq!(all.data()["secret"], json!(["counter"]));
    let listed = server
        .list("sys/plugins/catalog/secret", &server.root)
        .await;
    assert_eq!(listed.keys(), ["counter"]);
    let one = server
        .read("sys/plugins/catalog/secret/counter", &server.root)
        .await;
    assert_eq!(one.data()["builtin"], json!(true));
    let other = read(
        &server,
        "sys/plugins/catalog/secret/counter",
        json!({"version": "v9"}),
    );
    assert_eq!(other.await.status, 404);
    let sum = "0".repeat(64);
    for body in [
        json!({"command": "x"}),
        json!({"sha256": sum}),
        json!({"sha256": "zz", "command": "x"}),
        json!({"sha256": sum, "command": "x"}),
    ] {
        for path in ["sys/plugins/catalog/secret/own", "sys/plugins/catalog/own"] {
            assert_eq!(
                write(&server, path, body.clone()).await.status,
                400,
                "{body}"
            );
        }
    }
    for (path, status) in [
        ("sys/plugins/catalog/secret/own", 204),
        ("sys/plugins/catalog/secret/counter", 400),
        ("sys/plugins/catalog/odd/own", 404),
        ("sys/plugins/catalog/own", 404),
    ] {
        assert_eq!(
            server.delete(path, &server.root).await.status,
            status,
            "{path}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn rules_for_other_origins_hold_at_once_and_after_a_restart() {
    let server = server().await;
    let path = "sys/config/cors";
    for wrong in [
        json!({}),
        json!({"allowed_origins": []}),
        json!({"allowed_origins": ["*", "https://a"]}),
        json!({"allowed_origins": "*", "allow_credentials": true}),
        json!({"allowed_origins": "https://a", "enable": false}),
        json!({"allowed_origins": "https://a", "allowed_headers": "X A"}),
    ] {
        assert_eq!(
            write(&server, path, wrong.clone()).await.status,
            400,
            "{wrong}"
        );
    }
    assert!(server.open().cors.rules().is_none());
    let wish = json!({"allowed_origins": "https://a,https://b", "allowed_headers": ["X-Own"]});
    assert_eq!(write(&server, path, wish).await.status, 204);
    for _ in 0..2 {
        let rules = server.open().cors.rules().unwrap();
        assert!(rules.admit("https://a") && !rules.admit("https://A"));
        assert!(rules.all_headers().any(|name| name == "X-Own"));
        let shown = server.read(path, &server.root).await;
        assert_eq!(
            shown.data()["allowed_origins"],
            json!(["https://a", "https://b"])
        );
        server.kernel.seal();
        server
            .write("sys/unseal", "", json!({ "key": server.key }))
            .await;
    }
    assert_eq!(server.delete(path, &server.root).await.status, 204);
    assert!(server.open().cors.rules().is_none());
    assert_eq!(
        server.read(path, &server.root).await.data(),
        &json!({"enabled": false})
    );
}

#[tokio::test(start_paused = true)]
async fn headers_of_the_user_interface_are_kept() {
    let server = server().await;
    let path = "sys/config/ui/headers/X-Own";
    assert_eq!(
        server
            .list("sys/config/ui/headers", &server.root)
            .await
            .status,
        404
    );
    let values = json!({"values": ["one", "two, three"]});
    assert!(write(&server, path, values).await.status < 300);
    let one = server
        .read("sys/config/ui/headers/x-own", &server.root)
        .await;
    assert_eq!(one.data(), &json!({"value": "one"}));
    let all = read(&server, path, json!({"multivalue": "true"})).await;
    assert_eq!(all.data(), &json!({"values": ["one", "two, three"]}));
    let policy = json!({"values": "default-src 'self'; img-src a,b"});
    let known = write(
        &server,
        "sys/config/ui/headers/content-security-policy",
        policy,
    )
    .await;
    assert_eq!(known.warnings().len(), 1, "{known:?}");
    let names = server
        .list("sys/config/ui/headers", &server.root)
        .await
        .keys();
    assert_eq!(names, ["Content-Security-Policy", "X-Own"]);
    for (path, body) in [
        ("sys/config/ui/headers/X-Vault-Own", json!({"values": "x"})),
        ("sys/config/ui/headers/X-Own", json!({})),
        (
            "sys/config/ui/headers/X-Own",
            json!({"values": "two\nlines"}),
        ),
        ("sys/config/ui/headers/X Own", json!({"values": "x"})),
    ] {
        assert_eq!(
            write(&server, path, body.clone()).await.status,
            400,
            "{path} {body}"
        );
    }
    for _ in 0..2 {
        assert_eq!(server.delete(path, &server.root).await.status, 204);
    }
    assert_eq!(server.read(path, &server.root).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn the_reach_of_group_policies_is_kept() {
    let server = server().await;
    let path = "sys/config/group-policy-application";
    let mode = async || {
        let shown = server.read(path, &server.root).await;
        shown.data()["group_policy_application_mode"].clone()
    };
    assert_eq!(mode().await, "within_namespace_hierarchy");
    for wrong in [json!({}), json!({"group_policy_application_mode": "all"})] {
        assert_eq!(write(&server, path, wrong).await.status, 400);
    }
    let any = json!({"group_policy_application_mode": "any"});
    assert_eq!(write(&server, path, any).await.status, 204);
    server.kernel.seal();
    server
        .write("sys/unseal", "", json!({ "key": server.key }))
        .await;
    assert_eq!(mode().await, "any");
}

#[tokio::test(start_paused = true)]
async fn the_router_is_shown_where_that_is_wanted() {
    let server = server_with(|settings| settings.introspection_endpoint = true).await;
    for tag in ["root", "storage", "uuid", "accessor"] {
        let shown = server
            .read(&format!("sys/internal/inspect/router/{tag}"), &server.root)
            .await;
        let mounts = shown.data()[tag].as_array().unwrap();
        let system = mounts
            .iter()
            .find(|mount| mount["mount_path"] == "sys/")
            .unwrap();
        let with_storage = matches!(tag, "root" | "storage");
        assert_eq!(
            system.get("storage_prefix").is_some(),
            with_storage,
            "{tag}"
        );
    }
    let odd = server
        .read("sys/internal/inspect/router/odd", &server.root)
        .await;
    assert_eq!(odd.status, 404);
    let shown = read(&server, "sys/internal/inspect/request", json!({"a": "b"})).await;
    assert_eq!(shown.data()["data"], json!({"a": "b"}), "{shown:?}");
    assert_eq!(shown.data()["req"]["operation"], "read");
    assert!(
        !shown.json.to_string().contains(&server.root),
        "no token is shown"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_says_so_and_what_is_off_says_that() {
    let server = server().await;
    for (path, data) in [
        (
            "sys/replication/status",
            json!({"mode": "disabled", "dr": {"mode": "disabled"}, "performance": {"mode": "disabled"}}),
        ),
        ("sys/replication/dr/status", json!({"mode": "disabled"})),
        (
            "sys/experiments",
            json!({"available_experiments": [], "enabled": []}),
        ),
        (
            "sys/seal-backend-status",
            json!({"healthy": true, "backends": [{"name": "shamir", "healthy": true}]}),
        ),
    ] {
        assert_eq!(
            server.read(path, &server.root).await.data(),
            &data,
            "{path}"
        );
    }
    for path in ["sys/managed-keys/pkcs11", "sys/replication/odd/status"] {
        assert_eq!(server.read(path, &server.root).await.status, 404, "{path}");
    }
    for (path, status) in [
        ("sys/config/reload/license", 404),
        // Under shares there is nothing to wrap anew.
        ("sys/sealwrap/rewrap", 400),
        ("sys/rotate/root", 400),
        ("sys/step-down", 204),
    ] {
        assert_eq!(
            write(&server, path, json!({})).await.status,
            status,
            "{path}"
        );
    }
    let license = server.read("sys/license/status", &server.root).await;
    assert_eq!(license.data()["autoloading_used"], false);
    assert_eq!(license.warnings().len(), 1, "none is needed");
    let join = write(&server, "sys/storage/raft/join", json!({})).await;
    assert_eq!(join.status, 400, "{join:?}");
}
