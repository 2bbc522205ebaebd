//! Snapshots of everything, and what comes of restoring them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "what fails in a test is a failed test"
)]

mod harness;

use std::sync::Arc;

use coffer_engine::{Body, Upload};
use coffer_kernel::{Request, Settings};
use coffer_storage::{Embedded, Memory, Store};
use coffer_wire::{ApiPath, Verb};
use harness::Harness;
use harness::snapshots::{restore, save, upload};
use serde_json::{Value, json};

const PATH: &str = "sys/storage/raft/snapshot";
const FORCE: &str = "sys/storage/raft/snapshot-force";

async fn policies(server: &Harness) -> Vec<String> {
    let listed = server.list("sys/policies/acl", &server.root).await;
    let names = listed.keys().into_iter();
    names
        .filter(|name| !["default", "root"].contains(&name.as_str()))
        .collect()
}

#[tokio::test]
async fn a_restored_server_is_the_one_that_was_saved() {
    let dir = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 2] = [
        Arc::new(Memory::new()),
        Arc::new(Embedded::open(dir.path()).unwrap()),
    ];
    for store in stores {
        let server = Harness::over(store).await;
        server
            .policy("before", "path \"a\" { capabilities = [\"read\"] }")
            .await;
        let old = server.create(&server.root, json!({})).await.token();
        let snapshot = save(&server).await;

        server
            .policy("after", "path \"a\" { capabilities = [\"read\"] }")
            .await;
        server.delete("sys/policies/acl/before", &server.root).await;
        server.mount_tickets().await;
        let new = server.create(&server.root, json!({})).await.token();
        server
            .write("auth/token/revoke", &server.root, json!({ "token": old }))
            .await;

        let restored = restore(&server, PATH, &snapshot).await;
        assert_eq!(restored.status, 204, "{restored:?}");
        assert_eq!(policies(&server).await, ["before"]);
        let mounts = server.read("sys/mounts", &server.root).await;
        assert!(mounts.data()["tickets/"].is_null());
        assert!(server.lives(&old).await && !server.lives(&new).await);
        server
            .policy("later", "path \"a\" { capabilities = [\"read\"] }")
            .await;
        assert_eq!(policies(&server).await, ["before", "later"]);
    }
}

#[tokio::test]
async fn another_server_opens_with_the_keys_of_the_snapshot() {
    let (one, mut other) = (Harness::new().await, Harness::new().await);
    one.policy("ours", "path \"a\" { capabilities = [\"read\"] }")
        .await;
    let snapshot = save(&one).await;

    let refused = restore(&other, PATH, &snapshot).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.error().contains("snapshot-force"));
    assert!(other.lives(&other.root).await);

    let restored = restore(&other, FORCE, &snapshot).await;
    assert_eq!(restored.status, 200, "{restored:?}");
    assert!(restored.warnings()[0].contains("sealed"));
    assert_eq!(other.read("sys/mounts", &other.root).await.status, 503);
    let wrong = other
        .write("sys/unseal", "", json!({ "key": other.key }))
        .await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    let opened = other
        .write("sys/unseal", "", json!({ "key": one.key }))
        .await;
    assert_eq!(opened.status, 200, "{opened:?}");
    assert!(!other.lives(&other.root).await);
    other.root.clone_from(&one.root);
    assert_eq!(policies(&other).await, ["ours"]);
}

#[tokio::test]
async fn a_restored_server_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Embedded::open(dir.path()).unwrap());
    let server = Harness::over(Arc::clone(&store) as Arc<dyn Store>).await;
    server
        .policy("before", "path \"a\" { capabilities = [\"read\"] }")
        .await;
    let snapshot = save(&server).await;
    server
        .policy("after", "path \"a\" { capabilities = [\"read\"] }")
        .await;
    assert_eq!(restore(&server, PATH, &snapshot).await.status, 204);
    server.kernel.seal();
    store.close().await.unwrap();
    let store = Arc::new(Embedded::open(dir.path()).unwrap());
    let again = server.restarted(Settings::new(Vec::new()), store).await;
    assert_eq!(policies(&again).await, ["before"]);
}

#[tokio::test]
async fn what_is_damaged_or_breaks_off_changes_nothing() {
    let server = Harness::new().await;
    let snapshot = save(&server).await;
    server
        .policy("after", "path \"a\" { capabilities = [\"read\"] }")
        .await;
    let mut flipped = snapshot.clone();
    flipped[snapshot.len() / 2] ^= 1;
    let cut = &snapshot[..snapshot.len() - 3];
    for (what, body, whole) in [
        ("flipped", flipped.as_slice(), true),
        ("cut", cut, true),
        ("broken off", cut, false),
        ("broken off at the end", snapshot.as_slice(), false),
        ("empty", b"", true),
        ("garbage", &[7; 3000], true),
    ] {
        for path in [PATH, FORCE] {
            let refused = upload(&server, path, &server.root, body, whole).await;
            // A feed that is dropped is what a crash of ours looks like.
            let expected = if whole { 400 } else { 500 };
            assert_eq!(refused.status, expected, "{what} {path}: {refused:?}");
            assert_eq!(policies(&server).await, ["after"], "{what} {path}");
        }
    }
    assert_eq!(
        server.write(PATH, &server.root, json!({})).await.status,
        400
    );
    let restored = restore(&server, PATH, &snapshot).await;
    assert_eq!(
        restored.status, 204,
        "a failed restore stands in the way: {restored:?}"
    );
}

#[tokio::test]
async fn not_a_byte_is_taken_from_who_may_not_restore() {
    let server = Harness::new().await;
    let all = "[\"create\", \"read\", \"update\"]";
    server
        .policy(
            "backup",
            &format!("path \"sys/storage/*\" {{ capabilities = {all} }}"),
        )
        .await;
    let wish = json!({ "policies": ["backup"] });
    let backup = server.create(&server.root, wish).await.token();
    // As in the reference, saving needs no more than to read: it is ciphertext.
    assert!(server.read(PATH, &backup).await.status < 300);
    for path in [
        PATH,
        FORCE,
        "sys/storage/snapshot",
        "sys/storage/snapshot-force",
    ] {
        for token in [backup.as_str(), "", "s.bogus"] {
            let (upload, wanted) = Upload::new();
            let asked = server.request_with(Verb::Write, path, token, Value::Null, |request| {
                request.upload = upload;
            });
            let (refused, wanted) = tokio::join!(asked, wanted.feed());
            assert_eq!(refused.status, 403, "{path}: {refused:?}");
            assert!(wanted.is_none(), "{path}");
        }
    }
    for path in [PATH, FORCE] {
        let answer = server
            .request_with(Verb::Write, path, &server.root, Value::Null, |request| {
                request.namespace = "nosuch".into();
            })
            .await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_written_while_a_snapshot_is_taken_is_not_in_it() {
    let server = Harness::new().await;
    server
        .policy("before", "path \"a\" { capabilities = [\"read\"] }")
        .await;
    let mut request = Request::internal("s".into(), Verb::Read, ApiPath::parse(PATH).unwrap());
    request.token = Some(Arc::new(coffer_crypto::Secret::new(server.root.clone())));
    let Body::Stream(mut stream) = server.kernel.handle(request).await.unwrap().body else {
        panic!("a snapshot is a stream");
    };
    server
        .policy("meanwhile", "path \"a\" { capabilities = [\"read\"] }")
        .await;
    let mut snapshot = Vec::new();
    while let Some(piece) = stream.pieces.next().await {
        snapshot.extend(piece.unwrap());
    }
    let mut paths = Vec::new();
    let read = coffer_snapshot::read(snapshot.as_slice(), |entries| {
        paths.extend(entries.into_iter().map(|(path, _)| path));
        Ok::<_, std::convert::Infallible>(())
    });
    assert_eq!(read.unwrap().meta.entries, paths.len() as u64);
    assert!(paths.contains(&"sys/policy/before".to_owned()));
    assert!(!paths.contains(&"sys/policy/meanwhile".to_owned()));
}

#[tokio::test]
async fn a_snapshot_from_before_a_rekey_needs_force_and_its_own_shares() {
    let server = Harness::new().await;
    let snapshot = save(&server).await;
    let begun = server
        .write(
            "sys/rekey/init",
            "",
            json!({ "secret_shares": 1, "secret_threshold": 1 }),
        )
        .await;
    let nonce = begun.data()["nonce"].clone();
    let done = server
        .write(
            "sys/rekey/update",
            "",
            json!({ "key": server.key, "nonce": nonce }),
        )
        .await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(restore(&server, PATH, &snapshot).await.status, 400);
    assert_eq!(restore(&server, FORCE, &snapshot).await.status, 200);
    let opened = server
        .write("sys/unseal", "", json!({ "key": server.key }))
        .await;
    assert_eq!(opened.data()["sealed"], false, "{opened:?}");
}
