//! What goes wrong in the life of a server with seals, and who may gain by it: first recovery keys, seals that are gone from
//! the configuration, snapshots from before a change of seals, strangers who keep keepers busy.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Body, Upload};
use coffer_kernel::Request;
use coffer_kernel::seals::SealStanza;
use coffer_storage::{Memory, Store};
use coffer_wire::{ApiPath, Verb};
use harness::keeper::{Keeper, Mood, Sealed, texts};
use harness::{Answer, Harness};
use serde_json::{Value, json};

const SNAPSHOT: &str = "sys/storage/raft/snapshot";

fn three_two() -> Value {
    json!({ "recovery_shares": 3, "recovery_threshold": 2 })
}

async fn initialised(seals: Vec<SealStanza>, how: Value) -> (Sealed, Arc<Memory>, Vec<String>) {
    let store = Arc::new(Memory::new());
    let mut server = Sealed::start(Arc::clone(&store) as Arc<dyn Store>, seals).await;
    let made = server.init(how).await;
    (server, store, texts(&made["recovery_keys"]))
}

/// As after a power cut, with other seals.
async fn started(store: &Arc<Memory>, seals: Vec<SealStanza>, root: &str) -> Sealed {
    let mut server = Sealed::start(Arc::clone(store) as Arc<dyn Store>, seals).await;
    root.clone_into(&mut server.server.root);
    server
}

/// Somebody without a token, who asks at the same time as others.
fn stranger(server: &Sealed) -> Harness {
    Harness {
        kernel: Arc::clone(&server.server.kernel),
        clock: server.server.clock.clone(),
        root: String::new(),
        key: String::new(),
    }
}

fn measured(server: &Sealed) -> Vec<String> {
    let shown = server.server.kernel.scrape("prometheus").unwrap().body;
    let Body::Raw { bytes, .. } = shown else {
        return Vec::new();
    };
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let lines = text.lines();
    let lines = lines.filter(|line| line.starts_with("vault_seal_healthy{"));
    lines.map(str::to_owned).collect()
}

async fn save(server: &Sealed) -> Vec<u8> {
    let path = ApiPath::parse(SNAPSHOT).unwrap();
    let mut request = Request::internal("s".into(), Verb::Read, path);
    let root = server.server.root.clone();
    request.token = Some(Arc::new(coffer_crypto::Secret::new(root)));
    let Body::Stream(mut stream) = server.server.kernel.handle(request).await.unwrap().body else {
        panic!("a snapshot is a stream");
    };
    let mut snapshot = Vec::new();
    while let Some(piece) = stream.pieces.next().await {
        snapshot.extend(piece.unwrap());
    }
    snapshot
}

async fn restore(server: &Sealed, path: &str, snapshot: &[u8]) -> Answer {
    let (upload, wanted) = Upload::new();
    let sent = async {
        if let Some(feed) = wanted.feed().await {
            feed.send(snapshot.to_vec()).await.ok();
            feed.end().await.ok();
        }
    };
    let root = server.server.root.clone();
    let asked = server
        .server
        .request_with(Verb::Write, path, &root, Value::Null, |request| {
            request.upload = upload;
        });
    tokio::join!(asked, sent).0
}

#[tokio::test(start_paused = true)]
async fn the_first_recovery_keys_are_made_by_who_has_sudo_and_nobody_else() {
    let keeper = Keeper::new("test");
    let (server, ..) = initialised(vec![keeper.stanza("test", 1)], json!({})).await;
    let grant = |more: &str| {
        format!("path \"sys/rotate/*\" {{ capabilities = [\"create\", \"update\"{more}] }}")
    };
    server.server.policy("weak", &grant("")).await;
    server.server.policy("strong", &grant(", \"sudo\"")).await;
    let token = async |policy: &str| {
        let root = server.server.root.clone();
        let wish = json!({ "policies": [policy], "no_default_policy": true });
        server.server.create(&root, wish).await.token()
    };
    let (weak, strong) = (token("weak").await, token("strong").await);
    let wish = json!({ "secret_shares": 1, "secret_threshold": 1 });
    for path in [
        "sys/rotate/recovery/init",
        "sys/rotate/root/init",
        "sys/rekey-recovery-key/init",
        "sys/rekey/init",
    ] {
        let refused = server.server.write(path, &weak, wish.clone()).await;
        assert_eq!(refused.status, 403, "{path}: {refused:?}");
    }
    let made = server
        .server
        .write("sys/rotate/recovery/init", &strong, wish);
    let made = made.await;
    assert_eq!(made.data()["complete"], true, "{made:?}");
    // From now on a quorum decides, and whom policy lets may begin as before.
    let wish = json!({ "secret_shares": 1, "secret_threshold": 1 });
    let begun = server.server.write("sys/rotate/recovery/init", &weak, wish);
    assert_eq!(begun.await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_lost_its_seals_says_so_while_it_is_open() {
    let keeper = Keeper::new("test");
    let seals = || vec![keeper.stanza("test", 1)];
    let (server, store, _) = initialised(seals(), three_two()).await;
    let settings = &server.server.kernel.settings;
    let other = Keeper::new("other");
    for lost in [Vec::new(), vec![other.stanza("other", 1)]] {
        settings.seals.replace(lost);
        let backends = server.get("sys/seal-backend-status").await;
        let backends = backends.data();
        assert_eq!(backends["healthy"], false, "{backends}");
        assert_eq!(backends["fully_wrapped"], false, "{backends}");
        let kept = backends["backends"].as_array().unwrap();
        let kept = kept.iter().find(|seal| seal["name"] == "test").unwrap();
        assert_eq!(
            (&kept["configured"], &kept["healthy"]),
            (&json!(false), &json!(false))
        );
        let status = server.get("sys/seal-status").await;
        assert_eq!(status.data()["type"], "test");
        let lines = measured(&server);
        let zero = |line: &String| line.contains("\"test\"") && line.ends_with(" 0");
        assert!(lines.iter().any(zero), "{lines:?}");
    }
    settings.seals.replace(seals());
    let backends = server.get("sys/seal-backend-status").await;
    assert_eq!(backends.data()["healthy"], true);
    let lines = measured(&server);
    assert!(lines.iter().all(|line| line.ends_with(" 1")), "{lines:?}");

    // The metric needs nobody who asks for the status.
    settings.seals.replace(Vec::new());
    server.server.pass(60).await;
    let lines = measured(&server);
    assert!(lines.iter().any(|line| line.ends_with(" 0")), "{lines:?}");
    drop(server);
    let server = started(&store, Vec::new(), "").await;
    assert!(!server.opens_within(60).await);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_from_before_a_change_of_seals_opens_with_the_seals_of_now() {
    let (old, new) = (Keeper::new("old"), Keeper::new("new"));
    let (server, store, _) = initialised(vec![old.stanza("old", 1)], three_two()).await;
    let root = server.server.root.clone();
    let before = save(&server).await;
    let both = vec![old.stanza("old", 1), new.stanza("new", 2)];
    server.server.kernel.settings.seals.replace(both);
    let ask = async |verb, path: &str| server.by_root(verb, path, json!({})).await;
    assert_eq!(ask(Verb::Write, "sys/seals/new").await.status, 200);
    assert_eq!(ask(Verb::Delete, "sys/seals/old").await.status, 200);
    let only_new = || vec![new.stanza("new", 1)];
    server.server.kernel.settings.seals.replace(only_new());
    let restored = restore(&server, SNAPSHOT, &before).await;
    assert_eq!(restored.status, 200, "{restored:?}");
    let said = restored.warnings().join("\n");
    assert!(said.contains("coffer operator seals remove old"), "{said}");
    assert!(!said.contains("unseal keys"), "{said}");
    let status = server.get("sys/seal-backend-status").await;
    assert_eq!(status.data()["healthy"], true, "{status:?}");
    drop(server);
    old.is(Mood::Away);
    let server = started(&store, only_new(), &root).await;
    assert!(server.opens_within(5).await);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_no_seal_of_now_opens_says_how_that_is_mended() {
    let (old, new) = (Keeper::new("old"), Keeper::new("new"));
    let (server, store, keys) = initialised(vec![old.stanza("old", 1)], three_two()).await;
    let root = server.server.root.clone();
    let kept = save(&server).await;
    drop(server);
    let server = started(&store, vec![old.disabled("old")], &root).await;
    let moved = server.unseal(&keys[..2], json!({ "migrate": true })).await;
    assert_eq!(moved.status, 200, "{moved:?}");
    let under_shares = save(&server).await;

    // Shares open it, what comes back is kept by a seal, and none is configured.
    server.server.kernel.settings.seals.replace(Vec::new());
    let restored = restore(&server, SNAPSHOT, &kept).await;
    let said = restored.warnings().join("\n");
    assert!(said.contains("coffer operator seals add"), "{said}");
    assert!(said.contains("old"), "{said}");
    let status = server.get("sys/seal-backend-status").await;
    assert_eq!(status.data()["healthy"], false, "{status:?}");
    let stanzas = vec![new.stanza("new", 1)];
    server.server.kernel.settings.seals.replace(stanzas);
    let added = server.by_root(Verb::Write, "sys/seals/new", json!({}));
    assert_eq!(added.await.status, 200);
    drop(server);
    let server = started(&store, vec![new.stanza("new", 1)], &root).await;
    assert!(server.opens_within(5).await);

    // Seals are configured, and what comes back is under shares.
    let restored = restore(&server, SNAPSHOT, &under_shares).await;
    let said = restored.warnings().join("\n");
    assert!(said.contains("coffer operator unseal -migrate"), "{said}");
    drop(server);
    let server = started(&store, vec![new.stanza("new", 1)], &root).await;
    assert!(!server.opens_within(60).await);
    let moved = server.unseal(&keys[..2], json!({ "migrate": true })).await;
    assert_eq!(moved.status, 200, "{moved:?}");
    assert!(server.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_another_server_with_seals_says_who_opens_it() {
    let (ours, theirs) = (Keeper::new("ours"), Keeper::new("theirs"));
    let (one, _, _) = initialised(vec![theirs.stanza("theirs", 1)], three_two()).await;
    let (server, _, _) = initialised(vec![ours.stanza("ours", 1)], three_two()).await;
    let foreign = save(&one).await;
    let path = "sys/storage/raft/snapshot-force";
    let restored = restore(&server, path, &foreign).await;
    let said = restored.warnings().join("\n");
    assert!(said.contains("theirs") && said.contains("sealed"), "{said}");
    assert!(!said.contains("opens with the unseal keys"), "{said}");
    assert!(!server.is_open());
}

#[tokio::test(start_paused = true)]
async fn strangers_with_wrong_recovery_keys_neither_wear_a_keeper_out_nor_lock_operators_out() {
    let keeper = Keeper::new("test");
    let seals = vec![keeper.stanza("test", 1)];
    let (server, _, keys) = initialised(seals, three_two()).await;
    server.seal().await;
    let asked = keeper.asked();
    for round in 0..200_u32 {
        for half in 1..=2_u32 {
            let key = format!("{:064x}{half:02x}", round * 2 + half);
            let stranger = stranger(&server);
            let body = json!({ "key": key });
            tokio::spawn(async move { stranger.write("sys/unseal", "", body).await });
        }
        server.server.clock.advance(Duration::from_millis(50));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let asked = keeper.asked() - asked;
    assert!(asked <= 12, "{asked} within ten seconds");
    assert!(!server.is_open());
    server.put("sys/unseal", json!({ "reset": true })).await;
    let opened = server.unseal(&keys[..2], json!({}));
    let opened = tokio::time::timeout(Duration::from_secs(3), opened).await;
    assert_eq!(opened.unwrap().status, 200);
    assert!(server.is_open());
}

#[tokio::test(start_paused = true)]
async fn an_operator_does_not_wait_for_the_keeper_that_strangers_hang_on() {
    let (away, new) = (Keeper::new("away"), Keeper::new("new"));
    let how = json!({
        "recovery_shares": 3, "recovery_threshold": 2,
        "break_glass_shares": 2, "break_glass_threshold": 2,
    });
    let store = Arc::new(Memory::new());
    let seals = vec![away.stanza("away", 1)];
    let mut server = Sealed::start(Arc::clone(&store) as Arc<dyn Store>, seals).await;
    let made = server.init(how).await;
    server.seal().await;
    away.is(Mood::Hanging);
    for byte in 1..=2_u8 {
        let key = format!("{}{byte:02x}", hex::encode([byte; 32]));
        let stranger = stranger(&server);
        tokio::spawn(async move {
            stranger
                .write("sys/unseal", "", json!({ "key": key }))
                .await
        });
        tokio::task::yield_now().await;
    }
    let glass = texts(&made["break_glass_keys"]);
    let opened = server.unseal(&glass, json!({ "break_glass": true })).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    let both = vec![away.stanza("away", 1), new.stanza("new", 2)];
    server.server.kernel.settings.seals.replace(both);
    let added = server.by_root(Verb::Write, "sys/seals/new", json!({}));
    let added = tokio::time::timeout(Duration::from_secs(1), added).await;
    assert_eq!(added.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn break_glass_shares_that_wait_to_be_verified_end_with_the_others() {
    let keeper = Keeper::new("test");
    let how = json!({
        "recovery_shares": 3, "recovery_threshold": 2,
        "break_glass_shares": 2, "break_glass_threshold": 2,
    });
    let (server, _, keys) = initialised(vec![keeper.stanza("test", 1)], how).await;
    let ask = async |path: &str, body| server.by_root(Verb::Write, path, body).await;
    let wish = json!({ "secret_shares": 2, "secret_threshold": 2, "require_verification": true });
    let mut made = ask("sys/break-glass/init", wish).await;
    let nonce = made.data()["nonce"].clone();
    for key in &keys[..2] {
        let share = json!({ "key": key, "nonce": nonce });
        made = ask("sys/break-glass/update", share).await;
    }
    let nonce = made.data()["verification_nonce"].clone();
    let new = texts(&made.data()["keys"]);
    assert_eq!(new.len(), 2, "{made:?}");
    let gone = server.by_root(Verb::Delete, "sys/break-glass", Value::Null);
    assert_eq!(gone.await.status, 204);
    for key in &new {
        let share = json!({ "key": key, "nonce": nonce });
        let refused = ask("sys/break-glass/verify", share).await;
        assert_eq!(refused.status, 400, "{refused:?}");
    }
    let shown = server.by_root(Verb::Read, "sys/break-glass", Value::Null);
    assert_eq!(shown.await.status, 404);
}
