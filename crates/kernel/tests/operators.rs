//! What operators and their tools ask about the server, and audit.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::Body;
use coffer_kernel::{Request, Settings};
use coffer_storage::Memory;
use coffer_wire::{ApiPath, Verb};
use harness::{Answer, Harness};
use serde_json::{Value, json};

async fn help(server: &Harness, path: &str, token: &str) -> Result<Value, String> {
    let mut request = Request::internal("r".into(), Verb::Read, ApiPath::parse(path).unwrap());
    request.help = true;
    request.token = (!token.is_empty()).then(|| Arc::new(Secret::new(token.to_owned())));
    let answer = server.kernel.handle(request).await;
    match answer.map_err(|refusal| refusal.fault.to_string())?.body {
        Body::JsonBare(text) => Ok(serde_json::from_slice(&text).unwrap()),
        other => panic!("{other:?}"),
    }
}

async fn document(server: &Harness, token: &str) -> Value {
    let answer = server.read("sys/internal/specs/openapi", token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.data().clone()
}

async fn enable_file(server: &Harness, folder: &std::path::Path) -> Answer {
    let file = folder.join("audit.log");
    let wish = json!({"type": "file", "description": "d", "options": {"file_path": file}});
    server.write("sys/audit/file", &server.root, wish).await
}

#[tokio::test] // A file is written by a thread, which paused time would not wait for.
async fn audit_devices_come_and_go() {
    let server = Harness::new().await;
    let root = &server.root;
    let folder = tempfile::tempdir().unwrap();
    let weak = server
        .create(root, json!({"policies": ["default"]}))
        .await
        .token();
    assert_eq!(server.read("sys/audit", &weak).await.status, 403);
    assert_eq!(*server.read("sys/audit", root).await.data(), json!({}));
    let hash = async |body| server.write("sys/audit-hash/file", root, body).await;
    assert_eq!(hash(json!({"input": "x"})).await.status, 400);
    assert_eq!(enable_file(&server, folder.path()).await.status, 204);
    assert_eq!(enable_file(&server, folder.path()).await.status, 400);
    let listed = server.read("sys/audit", root).await;
    assert_eq!(listed.data()["file/"]["type"], json!("file"));
    let hashed = hash(json!({"input": "secret-word"})).await.data()["hash"].clone();
    assert_eq!(hash(json!({})).await.status, 400);
    server
        .write(
            "sys/policies/acl/secret-word",
            root,
            json!({"policy": "secret-word"}),
        )
        .await;
    let base = "sys/config/auditing/request-headers";
    server
        .write(&format!("{base}/x-app"), root, json!({}))
        .await;
    let mut request = Request::internal(
        "r".into(),
        Verb::Read,
        ApiPath::parse("sys/mounts").unwrap(),
    );
    request
        .headers
        .insert("x-app".into(), vec!["header-seen".into()]);
    assert!(server.kernel.handle(request).await.is_err(), "no token");
    let log = std::fs::read_to_string(folder.path().join("audit.log")).unwrap();
    assert!(log.contains(hashed.as_str().unwrap()), "{log}");
    assert_eq!(log.matches("header-seen").count(), 2, "{log}");
    assert_eq!(server.delete("sys/audit/file", root).await.status, 204);
    assert_eq!(server.delete("sys/audit/file", root).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn audit_devices_can_be_left_to_the_configuration() {
    let mut settings = Settings::new(Vec::new());
    settings.unsafe_allow_api_audit_creation = false;
    let server = Harness::with(settings, Arc::new(Memory::new())).await;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(enable_file(&server, folder.path()).await.status, 400);
    assert_eq!(
        server.delete("sys/audit/file", &server.root).await.status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn audited_headers_are_kept() {
    let server = Harness::new().await;
    let root = &server.root;
    let base = "sys/config/auditing/request-headers";
    assert_eq!(
        *server.read(base, root).await.data(),
        json!({"headers": {}})
    );
    let one = format!("{base}/X-A");
    assert_eq!(server.read(&one, root).await.status, 400);
    assert_eq!(
        server.write(&one, root, json!({"hmac": true})).await.status,
        204
    );
    assert_eq!(
        server
            .write(&format!("{base}/x-b"), root, json!({}))
            .await
            .status,
        204
    );
    assert_eq!(
        *server.read(&one, root).await.data(),
        json!({"X-A": {"hmac": true}})
    );
    let all = json!({"headers": {"x-a": {"hmac": true}, "x-b": {"hmac": false}}});
    assert_eq!(*server.read(base, root).await.data(), all);
    let headers = [
        ("x-a".to_owned(), vec!["1".to_owned()]),
        ("x-c".to_owned(), vec![]),
    ];
    let headers = headers.into_iter().collect();
    let open = server.open();
    let told = open.audited_headers.of(&headers);
    assert_eq!((told.len(), told[0].name, told[0].hashed), (1, "x-a", true));
    assert_eq!(server.delete(&one, root).await.status, 204);
    assert_eq!(server.delete(&one, root).await.status, 204);
    assert_eq!(server.read(&one, root).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_mount_moves() {
    let server = Harness::new().await;
    server.mount_tickets().await;
    let root = &server.root;
    for (body, words) in [
        (json!({"to": "x"}), "both 'from' and 'to'"),
        (json!({"from": "nosuch", "to": "x"}), "no matching mount"),
        (json!({"from": "tickets", "to": "cubbyhole"}), ""),
        (json!({"from": "sys", "to": "sys2"}), "cannot remount"),
        (json!({"from": "tickets", "to": "auth/x"}), "cannot remount"),
    ] {
        let refused = server.write("sys/remount", root, body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.error().contains(words), "{refused:?}");
    }
    let queued = server
        .write(
            "sys/remount",
            root,
            json!({"from": "tickets", "to": "moved/far"}),
        )
        .await;
    assert_eq!((queued.status, queued.warnings().len()), (200, 1));
    let id = queued.data()["migration_id"].as_str().unwrap().to_owned();
    server.settle().await;
    let status = server.read(&format!("sys/remount/status/{id}"), root).await;
    let expected =
        json!({"source_mount": "tickets/", "target_mount": "moved/far/", "status": "success"});
    assert_eq!(status.data()["migration_info"], expected);
    assert_eq!(
        server.read("sys/remount/status/nope", root).await.status,
        404
    );
    assert_eq!(server.read("moved/far/issue/a", root).await.status, 200);
    assert_eq!(server.read("tickets/issue/a", root).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn tools_see_the_mounts_that_policy_lets_them_see() {
    let server = Harness::new().await;
    server.mount_tickets().await;
    let root = &server.root;
    let base = "sys/internal/ui/mounts";
    let all = server.read(base, root).await;
    assert_eq!(all.data()["secret"]["tickets/"]["type"], json!("tickets"));
    assert_eq!(
        *server.read(base, "").await.data(),
        json!({"auth": {}, "secret": {}})
    );
    assert_eq!(server.read(base, "bogus").await.status, 403);
    let tuning = json!({"listing_visibility": "unauth"});
    server.write("sys/mounts/tickets/tune", root, tuning).await;
    let shown = server.read(base, "").await;
    let fields = shown.data()["secret"]["tickets/"].as_object().unwrap();
    assert_eq!(
        fields.keys().collect::<Vec<_>>(),
        ["description", "options", "type"]
    );
    let one = format!("{base}/tickets/a/b");
    assert_eq!(
        server.read(&one, root).await.data()["path"],
        json!("tickets/")
    );
    assert_eq!(server.read(&one, "").await.status, 403);
    let weak = server
        .create(root, json!({"policies": ["default"]}))
        .await
        .token();
    let hidden = server.read(&one, &weak).await;
    let missing = server.read(&format!("{base}/nosuch/a/b"), &weak).await;
    assert_eq!(hidden.error().replace("tickets", "nosuch"), missing.error());
    assert_eq!((hidden.status, missing.status), (403, 403));
    server
        .policy("t", r#"path "tickets/issue/+" { capabilities = ["read"] }"#)
        .await;
    let app = server
        .create(root, json!({"policies": ["t"]}))
        .await
        .token();
    assert_eq!(server.read(&one, &app).await.status, 200);
    let acl = server.read("sys/internal/ui/resultant-acl", &app).await;
    assert_eq!(acl.data()["root"], json!(false));
    assert_eq!(
        acl.data()["exact_paths"]["sys/wrapping/wrap"]["capabilities"],
        json!(["update"])
    );
    assert_eq!(
        server.read("sys/internal/ui/namespaces", "").await.status,
        403
    );
    let count = server.read("sys/internal/counters/tokens", root).await;
    assert_eq!(
        count.data()["counters"]["service_tokens"]["total"],
        json!(3)
    );
}

#[tokio::test(start_paused = true)]
async fn a_bound_token_is_nobody_elsewhere() {
    let server = Harness::new().await;
    server
        .policy("all", r#"path "*" { capabilities = ["read"] }"#)
        .await;
    server
        .write(
            "auth/token/roles/home",
            &server.root,
            json!({"token_bound_cidrs": "10.0.0.0/8"}),
        )
        .await;
    let wish = json!({"policies": ["all"]});
    let made = server
        .write("auth/token/create/home", &server.root, wish)
        .await;
    let token = made.token();
    for (from, status) in [("10.1.2.3", 200), ("192.0.2.1", 403)] {
        let path = "sys/internal/ui/mounts";
        let answer = server
            .request_from(from, Verb::Read, path, &token, Value::Null)
            .await;
        assert_eq!(answer.status, status, "{from}");
    }
}

#[tokio::test(start_paused = true)]
async fn help_tells_about_mounts_and_paths() {
    let server = Harness::new().await;
    let root = &server.root;
    for path in ["sys", "sys/"] {
        let text = help(&server, path, root).await.unwrap()["help"].to_string();
        assert!(
            text.contains("remount/status/{migration_id}") && text.contains("health"),
            "{text}"
        );
    }
    let one = help(&server, "sys/mounts/a/b", root).await.unwrap();
    let text = one["help"].as_str().unwrap();
    assert!(text.contains("Matching Route: mounts/{path*}"), "{text}");
    assert!(
        text.contains("description (") && text.contains("Words for people."),
        "{text}"
    );
    assert!(one["openapi"]["paths"]["/sys/mounts/{path}"]["post"].is_object());
    assert_eq!(one["openapi"]["paths"].as_object().unwrap().len(), 1);
    assert!(help(&server, "sys/health", root).await.is_ok());
    assert_eq!(
        help(&server, "sys/nosuch", root).await.unwrap_err(),
        "unsupported path"
    );
    assert!(
        help(&server, "nosuch/a", root)
            .await
            .unwrap_err()
            .contains("no handler for route")
    );
    assert_eq!(
        help(&server, "sys/mounts", "").await.unwrap_err(),
        "permission denied"
    );
    let weak = server
        .create(root, json!({"policies": ["default"]}))
        .await
        .token();
    assert!(help(&server, "sys/mounts", &weak).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_document_describes_every_path_in_the_dialect_of_openapi() {
    let server = Harness::new().await;
    server.mount_tickets().await;
    assert_eq!(document(&server, "").await["paths"], json!({}));
    let document = document(&server, &server.root).await;
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths["/sys/audit/{path}"]["x-vault-sudo"], json!(true));
    assert_eq!(paths["/sys/health"]["x-vault-unauthenticated"], json!(true));
    assert!(
        paths.contains_key("/tickets/issue/{name}"),
        "{:?}",
        paths.keys()
    );
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            if let Some(name) = operation.get("operationId") {
                assert!(names.insert(name.to_string()), "{name} stands twice");
                assert!(operation["responses"].is_object(), "{method} {path}");
            }
        }
        let variables = path.matches('{').count();
        let described = item["parameters"].as_array().map_or(0, Vec::len);
        assert_eq!(variables, described, "{path}");
    }
    check(&document, &document["components"]["schemas"]);
    let root = &server.root;
    let body = json!({"generic_mount_paths": true});
    let generic = server
        .request(Verb::Read, "sys/internal/specs/openapi", root, body)
        .await;
    assert!(generic.data()["paths"]["/{tickets_mount_path}/issue/{name}"].is_object());
    server
        .policy("t", r#"path "tickets/*" { capabilities = ["read"] }"#)
        .await;
    let wish = json!({"policies": ["t"], "no_default_policy": true});
    let app = server.create(root, wish).await.token();
    let own = server.read("sys/internal/specs/openapi", &app).await;
    let own = own.data()["paths"].as_object().unwrap().clone();
    assert!(
        own.keys().all(|path| path.starts_with("/tickets/")),
        "{own:?}"
    );
}

/// No type lists, no `const`, no reference into nothing.
fn check(value: &Value, schemas: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get("$ref") {
                let name = to.strip_prefix("#/components/schemas/").unwrap();
                assert!(schemas.get(name).is_some(), "{to}");
            }
            if !fields.contains_key("properties") {
                assert!(!fields.get("type").is_some_and(Value::is_array), "{value}");
            }
            assert!(
                !fields.contains_key("$defs") && !fields.contains_key("const"),
                "{value}"
            );
            fields.values().for_each(|inner| check(inner, schemas));
        }
        Value::Array(items) => items.iter().for_each(|inner| check(inner, schemas)),
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn facts_about_the_server() {
    let server = Harness::new().await;
    server.settle().await;
    let root = &server.root;
    let nodes = server.read("sys/ha-status", root).await;
    assert_eq!(nodes.data()["nodes"][0]["active_node"], json!(true));
    let versions = server.list("sys/version-history", root).await;
    assert_eq!(versions.keys().len(), 1);
    server.advance(Duration::from_secs(5)).await;
    let catalogue = server.read("sys/plugins/catalog", root).await;
    assert_eq!(catalogue.data()["secret"], json!(["tickets"]));
    assert_eq!(
        server.list("sys/plugins/catalog/secret", root).await.keys(),
        ["tickets"]
    );
    assert_eq!(
        server.list("sys/plugins/catalog/odd", root).await.status,
        405
    );
    let one = server
        .read("sys/plugins/catalog/secret/tickets", root)
        .await;
    assert_eq!(one.data()["builtin"], json!(true));
    assert_eq!(
        server
            .read("sys/plugins/catalog/secret/x", root)
            .await
            .status,
        404
    );
    assert_eq!(
        *server.read("sys/config/cors", root).await.data(),
        json!({"enabled": false})
    );
    assert_eq!(
        server.write("sys/step-down", root, json!({})).await.status,
        204
    );
}
