//! `sys/audit-tail` gives the very lines of a device, to those who may have them and as long as they may.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Body, Fault, Pieces};
use coffer_kernel::Request;
use coffer_wire::{ApiPath, Verb};
use harness::Harness;
use serde_json::{Value, json};

const TAIL: &str = "sys/audit-tail/file";
const WATCH: &str = r#"path "sys/audit-tail/*" { capabilities = ["read", "sudo"] }"#;

async fn follow(h: &Harness, path: &str, token: &str) -> Result<Pieces, Fault> {
    let mut request = Request::internal("r".into(), Verb::Read, ApiPath::parse(path).unwrap());
    request.token = Some(Arc::new(Secret::new(token.to_owned())));
    match h.kernel.handle(request).await {
        Ok(response) => match response.body {
            Body::Stream(stream) => Ok(stream.pieces),
            other => panic!("{other:?}"),
        },
        Err(refusal) => Err(refusal.fault),
    }
}

async fn enable(h: &Harness, at: &str, folder: &Path, options: Value) {
    let mut wish = json!({"type": "file", "options": {"file_path": folder.join(at)}});
    for (name, value) in options.as_object().unwrap() {
        wish["options"][name] = value.clone();
    }
    let made = h.write(&format!("sys/audit/{at}"), &h.root, wish).await;
    assert_eq!(made.status, 204, "{made:?}");
}

async fn watcher(h: &Harness, policy: &str) -> String {
    h.policy("watch", policy).await;
    let wish = json!({"policies": ["watch"], "ttl": "1h"});
    h.create(&h.root, wish).await.token()
}

/// Lines up to the one that has a word, without those of the asking itself.
async fn up_to(pieces: &mut Pieces, word: &str) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let line = pieces.next().await.unwrap().unwrap();
        all.extend_from_slice(&line);
        if String::from_utf8_lossy(&line).contains(word) {
            return all;
        }
    }
}

/// It ends in order, soon. Time goes on at once from here: a device's thread would not keep up, so nothing may be recorded any
/// more.
async fn ends_soon(mut pieces: Pieces) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6)).await;
    while let Some(piece) = pieces.next().await {
        assert!(piece.is_ok(), "{piece:?}");
    }
}

#[tokio::test]
async fn lines_are_those_of_the_file_byte_for_byte() {
    let h = Harness::new().await;
    let folder = tempfile::tempdir().unwrap();
    for (at, options) in [
        ("file", json!({})),
        ("plain", json!({"chain": "false", "hmac_accessor": "false"})),
    ] {
        enable(&h, at, folder.path(), options).await;
        let path = format!("sys/audit-tail/{at}");
        let mut pieces = follow(&h, &path, &h.root).await.unwrap();
        h.write("sys/policies/acl/p", &h.root, json!({"policy": "a-secret"}))
            .await;
        h.read("sys/policies/acl/the-last", &h.root).await;
        let lines = up_to(&mut pieces, "\"type\":\"response\"").await;
        assert!(String::from_utf8_lossy(&lines).contains("sys/audit-tail"));
        let more = up_to(&mut pieces, "the-last").await;
        assert!(!String::from_utf8_lossy(&more).contains("a-secret"));
        let whole = [lines, more].concat();
        let file = std::fs::read(folder.path().join(at)).unwrap();
        let begin = file.windows(whole.len()).position(|part| part == whole);
        assert!(begin.is_some(), "{}", String::from_utf8_lossy(&whole));
    }
}

#[tokio::test]
async fn who_lacks_sudo_follows_nothing() {
    let h = Harness::new().await;
    let folder = tempfile::tempdir().unwrap();
    enable(&h, "file", folder.path(), json!({})).await;
    for policy in [
        r#"path "secret/*" { capabilities = ["read"] }"#,
        r#"path "sys/audit-tail/*" { capabilities = ["read"] }"#,
        r#"path "sys/audit-tail/*" { capabilities = ["sudo", "update"] }"#,
    ] {
        let token = watcher(&h, policy).await;
        assert!(
            matches!(follow(&h, TAIL, &token).await, Err(Fault::Denied)),
            "{policy}"
        );
    }
    let token = watcher(&h, WATCH).await;
    assert!(follow(&h, TAIL, &token).await.is_ok());
}

#[tokio::test]
async fn devices_without_lines_or_with_bare_secrets_are_not_followed() {
    let h = Harness::new().await;
    let folder = tempfile::tempdir().unwrap();
    enable(&h, "raw", folder.path(), json!({"log_raw": "true"})).await;
    let discard = json!({"type": "file", "options": {"file_path": "discard"}});
    h.write("sys/audit/nothing", &h.root, discard).await;
    for (at, why) in [
        ("raw", "log_raw"),
        ("nothing", "records nothing"),
        ("none", "none"),
    ] {
        let fault = follow(&h, &format!("sys/audit-tail/{at}"), &h.root)
            .await
            .unwrap_err();
        assert!(
            matches!(&fault, Fault::Invalid(text) if text.contains(why)),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn it_ends_with_the_token() {
    let h = Harness::new().await;
    let folder = tempfile::tempdir().unwrap();
    enable(&h, "file", folder.path(), json!({})).await;
    let token = watcher(&h, WATCH).await;
    let mut pieces = follow(&h, TAIL, &token).await.unwrap();
    let revoked = h.write("auth/token/revoke", &h.root, json!({ "token": token }));
    assert_eq!(revoked.await.status, 204);
    up_to(&mut pieces, "\"type\":\"response\"").await;
    up_to(&mut pieces, "auth/token/revoke").await;
    ends_soon(pieces).await;
}

#[tokio::test]
async fn it_ends_with_the_right() {
    let h = Harness::new().await;
    let folder = tempfile::tempdir().unwrap();
    enable(&h, "file", folder.path(), json!({})).await;
    let token = watcher(&h, WATCH).await;
    let pieces = follow(&h, TAIL, &token).await.unwrap();
    h.policy(
        "watch",
        r#"path "sys/audit-tail/*" { capabilities = ["read"] }"#,
    )
    .await;
    ends_soon(pieces).await;
}

#[tokio::test]
async fn it_ends_with_the_device_and_with_the_server() {
    let h = Harness::new().await;
    let folder = tempfile::tempdir().unwrap();
    enable(&h, "file", folder.path(), json!({})).await;
    enable(&h, "other", folder.path(), json!({})).await;
    let mut of_device = follow(&h, TAIL, &h.root).await.unwrap();
    let mut of_server = follow(&h, "sys/audit-tail/other", &h.root).await.unwrap();
    assert_eq!(h.delete("sys/audit/file", &h.root).await.status, 204);
    while let Some(piece) = of_device.next().await {
        assert!(piece.is_ok(), "it ends in order");
    }
    h.kernel.seal();
    while let Some(piece) = of_server.next().await {
        assert!(piece.is_ok(), "it ends in order");
    }
}

#[tokio::test]
async fn it_is_the_root_s_alone() {
    let h = Harness::new().await;
    let folder = tempfile::tempdir().unwrap();
    enable(&h, "file", folder.path(), json!({})).await;
    h.write("sys/namespaces/team", &h.root, json!({})).await;
    let below = h.in_ns("team", Verb::Read, TAIL, &h.root, json!({})).await;
    assert!(below.status >= 400, "{below:?}");
}
