//! Sealing, rotation, changing the unseal keys and making a root token, as operators do it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use coffer_kernel::Settings;
use coffer_storage::Memory;
use coffer_wire::Verb;
use harness::{Answer, Harness};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const REKEY: [&str; 3] = ["sys/rekey/init", "sys/rekey/update", "sys/rekey/verify"];
const ROTATE: [&str; 3] = [
    "sys/rotate/root/init",
    "sys/rotate/root/update",
    "sys/rotate/root/verify",
];

/// A server of three shares, two of which unseal.
struct Vault {
    server: Harness,
    shares: Vec<String>,
}

impl Vault {
    async fn new() -> Self {
        Self::with(Settings::new(Vec::new())).await
    }

    async fn with(settings: Settings) -> Self {
        let server = Harness::with(settings, Arc::new(Memory::new())).await;
        let mut vault = Self {
            server,
            shares: Vec::new(),
        };
        // The harness keeps its share to itself, so the first change goes without the API.
        let wrapped = coffer_barrier::seal::SealConfig::new(3, 2).unwrap();
        let open = vault.server.open();
        let root = open.barrier.root().unwrap();
        let (shares, batch) = open.barrier.wrap(&root, wrapped).unwrap();
        open.barrier.change_root(root, batch).await.unwrap();
        vault.shares = shares.iter().map(hex::encode).collect();
        vault
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.server.write(path, "", body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.server.read(path, "").await
    }

    async fn start(&self, verify: bool) -> String {
        let wish =
            json!({"secret_shares": 3, "secret_threshold": 2, "require_verification": verify});
        let started = self.put(REKEY[0], wish).await;
        assert_eq!(started.status, 200, "{started:?}");
        text(&started.data()["nonce"])
    }

    async fn hand_in(&self, path: &str, nonce: &str, share: &str) -> Answer {
        self.put(path, json!({"key": share, "nonce": nonce})).await
    }

    /// Whether these shares unseal the server once it is sealed.
    async fn opens(&self, shares: &[String]) -> bool {
        self.server.kernel.seal();
        let mut last = 0;
        for share in shares {
            let answer = self.put("sys/unseal", json!({"key": share})).await;
            last = answer.status;
        }
        let sealed = self.get("sys/seal-status").await.data()["sealed"] != json!(false);
        if sealed {
            self.put("sys/unseal", json!({"reset": true})).await;
        }
        last == 200 && !sealed
    }
}

#[tokio::test(start_paused = true)]
async fn a_sealed_server_is_sealed_when_it_says_so() {
    let vault = Vault::new().await;
    let refused = vault.put("sys/seal", json!({})).await;
    assert_eq!(refused.status, 403);
    assert_eq!(vault.get("sys/health").await.status, 200);
    let root = vault.server.root.clone();
    let sealed = vault.server.write("sys/seal", &root, json!({})).await;
    assert_eq!(sealed.status, 204);
    let mounts = vault.server.read("sys/mounts", &root).await;
    assert_eq!(
        (mounts.status, mounts.error()),
        (503, "Vault is sealed".into())
    );
    assert_eq!(vault.put("sys/seal", json!({})).await.status, 204);
    assert!(vault.opens(&vault.shares[..2]).await);
    assert_eq!(vault.server.read("sys/mounts", &root).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_last_use_of_a_token_can_seal() {
    let vault = Vault::new().await;
    let root = vault.server.root.clone();
    let once = vault.server.create(&root, json!({"num_uses": 1})).await;
    let sealed = vault
        .server
        .write("sys/seal", &once.token(), json!({}))
        .await;
    assert_eq!(sealed.status, 204, "{sealed:?}");
    assert_eq!(vault.get("sys/health").await.status, 503);
}

#[tokio::test(start_paused = true)]
async fn encryption_keys_rotate_by_hand_and_by_themselves() {
    let vault = Vault::new().await;
    let server = &vault.server;
    let term = async || server.read("sys/key-status", &server.root).await.data()["term"].clone();
    assert_eq!(term().await, json!(1));
    for path in ["sys/rotate", "sys/rotate/keyring"] {
        assert_eq!(
            server.write(path, &server.root, json!({})).await.status,
            204
        );
    }
    assert_eq!(term().await, json!(3));
    for (body, status) in [
        (json!({"interval": "1h"}), 400),
        (json!({"max_operations": 5}), 400),
        (json!({"max_operations": 99_999_999_999_u64}), 400),
        (json!({"interval": "24h", "max_operations": 2_000_000}), 204),
        (json!({}), 204),
    ] {
        let answer = server.write("sys/rotate/config", &server.root, body).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let config = server.read("sys/rotate/config", &server.root).await;
    let expected = json!({"enabled": true, "interval": "24h0m0s", "max_operations": 2_000_000});
    assert_eq!(*config.data(), expected);
    server.settle().await;
    server.advance(Duration::from_secs(25 * 3600)).await;
    assert_eq!(term().await, json!(4));
    assert_eq!(server.read("sys/mounts", &server.root).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn new_shares_open_and_the_former_do_not() {
    let vault = Vault::new().await;
    let nonce = vault.start(false).await;
    let progress = vault.hand_in(REKEY[1], &nonce, &vault.shares[2]).await;
    assert_eq!(progress.data()["progress"], json!(1), "{progress:?}");
    let base64 = STANDARD.encode(hex::decode(&vault.shares[0]).unwrap());
    let done = vault.hand_in(REKEY[1], &nonce, &base64).await;
    assert_eq!((done.status, &done.data()["complete"]), (200, &json!(true)));
    let new = texts(&done.data()["keys"]);
    assert_eq!(new.len(), 3);
    assert_eq!(
        STANDARD.encode(hex::decode(&new[0]).unwrap()),
        text(&done.data()["keys_base64"][0])
    );
    assert_eq!(vault.get(REKEY[0]).await.data()["started"], json!(false));
    assert!(!vault.opens(&vault.shares[..2]).await);
    assert!(
        !vault
            .opens(&[new[0].clone(), vault.shares[1].clone()])
            .await
    );
    assert!(vault.opens(&new[1..]).await);
    let root = &vault.server.root;
    assert_eq!(vault.server.read("sys/mounts", root).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_can_neither_see_nor_stop_an_attempt() {
    let vault = Vault::new().await;
    let nonce = vault.start(false).await;
    vault.hand_in(REKEY[1], &nonce, &vault.shares[0]).await;
    let seen = vault.get(REKEY[0]).await;
    assert_eq!(seen.data()["started"], json!(true));
    assert!(!seen.json.to_string().contains(&nonce), "{seen:?}");
    for wrong in ["", "x", "00000000-0000-0000-0000-000000000000"] {
        let refused = vault.hand_in(REKEY[1], wrong, &vault.shares[1]).await;
        assert_eq!(refused.status, 400);
        assert!(!refused.error().contains(&nonce), "{refused:?}");
        let body = json!({"nonce": wrong});
        let refused = vault.server.request(Verb::Delete, REKEY[0], "", body).await;
        assert_eq!(refused.status, 400, "{refused:?}");
    }
    vault.start(false).await;
    assert_eq!(vault.get(REKEY[0]).await.data()["progress"], json!(1));
    let weak = vault
        .server
        .create(&vault.server.root, json!({"policies": ["default"]}))
        .await;
    let seen = vault.server.read(REKEY[0], &weak.token()).await;
    assert!(
        !seen.json.to_string().contains(&nonce),
        "an application's token is a stranger here"
    );
    let seen = vault.server.read(REKEY[0], &vault.server.root).await;
    assert_eq!(seen.data()["nonce"], json!(nonce), "an operator's is not");
    let canceled = vault
        .server
        .request(Verb::Delete, REKEY[0], "", json!({"nonce": nonce}))
        .await;
    assert_eq!(canceled.status, 204);
    assert_eq!(vault.get(REKEY[0]).await.data()["progress"], json!(0));
    let over = vault.hand_in(REKEY[1], &nonce, &vault.shares[1]).await;
    assert_eq!(over.status, 400);
    assert!(vault.opens(&vault.shares[..2]).await, "nothing was changed");
}

#[tokio::test(start_paused = true)]
async fn an_operators_token_cancels_what_nobody_has_the_nonce_of() {
    let vault = Vault::new().await;
    vault.start(false).await;
    vault.put("sys/generate-root/attempt", json!({})).await;
    let root = vault.server.root.clone();
    let wish = json!({"policies": ["default"]});
    let weak = vault.server.create(&root, wish).await.token();
    for path in [REKEY[0], "sys/generate-root/attempt"] {
        for (token, status) in [("", 400), (weak.as_str(), 400), (root.as_str(), 204)] {
            assert_eq!(vault.server.delete(path, token).await.status, status);
        }
        assert_eq!(vault.get(path).await.data()["started"], json!(false));
        assert_eq!(
            vault.server.delete(path, "").await.status,
            204,
            "none is under way"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_and_repeated_shares_start_it_again() {
    let vault = Vault::new().await;
    let nonce = vault.start(false).await;
    for bad in ["", "zz", "00ff", &"00".repeat(40)] {
        assert_eq!(
            vault.hand_in(REKEY[1], &nonce, bad).await.status,
            400,
            "{bad}"
        );
    }
    vault.hand_in(REKEY[1], &nonce, &vault.shares[0]).await;
    let repeated = vault.hand_in(REKEY[1], &nonce, &vault.shares[0]).await;
    assert_eq!(repeated.status, 400);
    let mut forged = hex::decode(&vault.shares[1]).unwrap();
    forged[0] ^= 1;
    let wrong = vault.hand_in(REKEY[1], &nonce, &hex::encode(forged)).await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    assert_eq!(vault.get(REKEY[0]).await.data()["progress"], json!(0));
    vault.hand_in(REKEY[1], &nonce, &vault.shares[0]).await;
    let done = vault.hand_in(REKEY[1], &nonce, &vault.shares[1]).await;
    assert_eq!(done.data()["complete"], json!(true), "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn wrong_counts_and_backups_without_keys_are_refused_with_reasons() {
    let vault = Vault::new().await;
    for wish in [
        json!({}),
        json!({"secret_shares": 3}),
        json!({"secret_shares": 3, "secret_threshold": 5}),
        json!({"secret_shares": 3, "secret_threshold": 1}),
        json!({"secret_shares": 256, "secret_threshold": 2}),
        json!({"secret_shares": 1, "secret_threshold": 1, "backup": true}),
        json!({"secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["x"]}),
    ] {
        let refused = vault.put(REKEY[0], wish.clone()).await;
        assert_eq!(refused.status, 400, "{wish}");
    }
}

#[tokio::test(start_paused = true)]
async fn shares_that_must_be_verified_hold_only_then() {
    let vault = Vault::new().await;
    let nonce = vault.start(true).await;
    vault.hand_in(REKEY[1], &nonce, &vault.shares[0]).await;
    let done = vault.hand_in(REKEY[1], &nonce, &vault.shares[1]).await;
    let new = texts(&done.data()["keys"]);
    let check = text(&done.data()["verification_nonce"]);
    assert!(!check.is_empty() && check != nonce, "{done:?}");
    let late = vault.hand_in(REKEY[1], &nonce, &vault.shares[0]).await;
    assert_eq!(late.status, 400);
    let seen = vault.get(REKEY[2]).await;
    assert_eq!(
        (&seen.data()["started"], &seen.data()["nonce"]),
        (&json!(true), &json!(""))
    );
    assert_eq!(vault.hand_in(REKEY[2], "x", &new[0]).await.status, 400);
    assert_eq!(
        vault.hand_in(REKEY[2], &check, &new[0]).await.data()["progress"],
        json!(1)
    );
    let wrong = vault.hand_in(REKEY[2], &check, &vault.shares[1]).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(vault.get(REKEY[2]).await.data()["progress"], json!(0));
    let restarted = vault
        .server
        .request(Verb::Delete, REKEY[2], "", json!({"nonce": check}))
        .await;
    let check = text(&restarted.data()["nonce"]);
    vault.hand_in(REKEY[2], &check, &new[2]).await;
    let verified = vault.hand_in(REKEY[2], &check, &new[1]).await;
    assert_eq!(verified.data()["complete"], json!(true), "{verified:?}");
    assert_eq!(vault.get(REKEY[2]).await.status, 400);
    assert!(!vault.opens(&vault.shares[..2]).await);
    assert!(vault.opens(&new[..2]).await);
}

#[tokio::test(start_paused = true)]
async fn unverified_shares_are_void_after_canceling_or_sealing() {
    let vault = Vault::new().await;
    let nonce = vault.start(true).await;
    vault.hand_in(REKEY[1], &nonce, &vault.shares[0]).await;
    let done = vault.hand_in(REKEY[1], &nonce, &vault.shares[1]).await;
    let new = texts(&done.data()["keys"]);
    assert!(!vault.opens(&new[..2]).await);
    assert!(vault.opens(&vault.shares[..2]).await);
    assert_eq!(vault.get(REKEY[0]).await.data()["started"], json!(false));
}

#[tokio::test(start_paused = true)]
async fn operators_with_a_token_have_paths_of_their_own() {
    let vault = Vault::new().await;
    let (server, root) = (&vault.server, &vault.server.root);
    assert_eq!(server.read(ROTATE[0], "").await.status, 403);
    assert_eq!(
        *server
            .read(ROTATE[0], root)
            .await
            .data()
            .get("started")
            .unwrap(),
        json!(false)
    );
    let wish = json!({"secret_shares": 1, "secret_threshold": 1});
    let lost = server.write(ROTATE[0], root, wish.clone()).await;
    assert_eq!(lost.data()["started"], json!(true));
    assert_eq!(
        server.delete(ROTATE[0], root).await.status,
        204,
        "without the nonce"
    );
    let started = server.write(ROTATE[0], root, wish).await;
    let nonce = started.data()["nonce"].clone();
    assert_eq!(server.read(ROTATE[0], root).await.data()["nonce"], nonce);
    for share in &vault.shares[..2] {
        let body = json!({"key": share, "nonce": nonce});
        let answer = server.write(ROTATE[1], root, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        if answer.data()["complete"] == json!(true) {
            let new = texts(&answer.data()["keys"]);
            assert_eq!(new[0].len(), 64, "the whole key of 32 bytes");
            assert!(vault.opens(&new).await);
            return;
        }
    }
    panic!("never complete");
}

#[tokio::test(start_paused = true)]
async fn paths_without_a_token_can_be_switched_off() {
    let mut settings = Settings::new(Vec::new());
    settings.unauthed_rekey = false;
    settings.unauthed_generate_root = false;
    let vault = Vault::with(settings).await;
    for path in [REKEY[0], REKEY[2], "sys/generate-root/attempt"] {
        assert_eq!(vault.get(path).await.status, 405, "{path}");
    }
    let root = &vault.server.root;
    assert_eq!(vault.server.read(ROTATE[0], root).await.status, 200);
}

async fn root_from_shares(vault: &Vault, base: &str, token: &str, otp: Option<&str>) -> Answer {
    let (attempt, update) = (format!("{base}/attempt"), format!("{base}/update"));
    let field = |answer: &Answer, name: &str| answer.data()[name].clone();
    let started = vault
        .server
        .write(&attempt, token, json!({"otp": otp}))
        .await;
    assert_eq!(started.status, 200, "{started:?}");
    assert_eq!(field(&started, "otp_length"), json!(28));
    let shown = field(&started, "otp");
    let otp = otp.map_or_else(|| text(&shown), str::to_owned);
    let nonce = field(&started, "nonce");
    let mut encoded = Value::Null;
    for share in &vault.shares[1..] {
        let body = json!({"key": share, "nonce": nonce});
        let answer = vault.server.write(&update, token, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        encoded = field(&answer, "encoded_token");
    }
    let bytes = STANDARD_NO_PAD.decode(text(&encoded)).unwrap();
    let decoded: Vec<u8> = bytes.iter().zip(otp.bytes()).map(|(a, b)| a ^ b).collect();
    let new = String::from_utf8(decoded).unwrap();
    let body = json!({"encoded_token": encoded, "otp": otp});
    let by_server = vault.put("sys/decode-token", body).await;
    assert_eq!(by_server.data()["token"], json!(new));
    vault.server.read("auth/token/lookup-self", &new).await
}

#[tokio::test(start_paused = true)]
async fn shares_make_a_root_token() {
    let vault = Vault::new().await;
    let otp = "A".repeat(28);
    let root = vault.server.root.clone();
    for (base, token, otp) in [
        ("sys/generate-root", "", None),
        ("sys/generate-root", "", Some(otp.as_str())),
        ("sys/generate-root-token", root.as_str(), None),
    ] {
        let who = root_from_shares(&vault, base, token, otp).await;
        assert_eq!(who.data()["policies"], json!(["root"]), "{who:?}");
        assert_eq!(who.data()["expire_time"], Value::Null);
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_shares_make_no_root_token() {
    let vault = Vault::new().await;
    let [attempt, update] = ["sys/generate-root/attempt", "sys/generate-root/update"];
    assert_eq!(
        vault.put(attempt, json!({"otp": "short"})).await.status,
        400
    );
    let started = vault.put(attempt, json!({})).await;
    let nonce = text(&started.data()["nonce"]);
    let seen = vault.get(attempt).await;
    assert_eq!(
        (&seen.data()["otp"], &seen.data()["nonce"]),
        (&json!(""), &json!(""))
    );
    vault.hand_in(update, &nonce, &vault.shares[0]).await;
    let wrong = vault.hand_in(update, &nonce, &"01".repeat(33)).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(vault.get(attempt).await.data()["progress"], json!(0));
    let refused = vault.server.delete(attempt, "").await;
    assert_eq!(refused.status, 400);
    let body = json!({"nonce": nonce});
    let canceled = vault.server.request(Verb::Delete, attempt, "", body).await;
    assert_eq!(canceled.status, 204);
    assert_eq!(
        vault.hand_in(update, &nonce, &vault.shares[0]).await.status,
        400
    );
    for body in [
        json!({}),
        json!({"encoded_token": "AAAA", "otp": "abcd"}),
        json!({"encoded_token": "!", "otp": "a"}),
    ] {
        assert_eq!(vault.put("sys/decode-token", body).await.status, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_of_strangers_keep_operators_from_nothing() {
    let vault = Vault::new().await;
    let [attempt, update] = ["sys/generate-root/attempt", "sys/generate-root/update"];
    let strangers = async |count: usize| {
        for _ in 0..count {
            vault.start(false).await;
            assert_eq!(vault.put(attempt, json!({})).await.status, 200);
        }
    };
    strangers(100).await;
    for (start, update, wish) in [
        (attempt, update, json!({})),
        (
            REKEY[0],
            REKEY[1],
            json!({"secret_shares": 3, "secret_threshold": 2}),
        ),
    ] {
        let started = vault.put(start, wish).await;
        assert_eq!(started.data()["progress"], json!(0), "{started:?}");
        let nonce = text(&started.data()["nonce"]);
        strangers(3).await;
        let one = vault.hand_in(update, &nonce, &vault.shares[0]).await;
        assert_eq!(one.data()["progress"], json!(1), "{one:?}");
        strangers(100).await;
        assert_eq!(vault.get(start).await.data()["progress"], json!(1));
        let done = vault.hand_in(update, &nonce, &vault.shares[1]).await;
        assert_eq!(done.data()["complete"], json!(true), "{done:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn strangers_with_forged_shares_put_out_no_operator_with_a_token() {
    let vault = Vault::new().await;
    let (server, root) = (&vault.server, &vault.server.root);
    let wish = json!({"secret_shares": 3, "secret_threshold": 2});
    let started = server.write(ROTATE[0], root, wish.clone()).await;
    let nonce = text(&started.data()["nonce"]);
    for byte in 0..100_u8 {
        let theirs = vault.start(false).await;
        let forged = hex::encode([byte; 33]);
        assert_eq!(vault.hand_in(REKEY[1], &theirs, &forged).await.status, 200);
    }
    let seen = server.read(ROTATE[0], root).await;
    assert_eq!(
        seen.data()["nonce"],
        json!(nonce),
        "its own, not a stranger's"
    );
    vault.hand_in(REKEY[1], &nonce, &vault.shares[0]).await;
    let done = vault.hand_in(REKEY[1], &nonce, &vault.shares[1]).await;
    assert_eq!(done.data()["complete"], json!(true), "{done:?}");
    for _ in 0..8 {
        assert_eq!(
            server.write(ROTATE[0], root, wish.clone()).await.status,
            200
        );
    }
    assert_eq!(vault.put(REKEY[0], wish).await.status, 409);
    assert_eq!(server.delete(ROTATE[0], root).await.status, 204);
    assert_eq!(vault.get(REKEY[0]).await.data()["started"], json!(false));
}

/// Shares of the former key complete nothing any more, whichever attempt they were handed to.
#[tokio::test]
async fn of_many_changes_of_the_keys_one_comes_about() {
    let vault = Arc::new(Vault::new().await);
    let mut hands = Vec::new();
    for _ in 0..6 {
        let nonce = vault.start(false).await;
        vault.hand_in(REKEY[1], &nonce, &vault.shares[0]).await;
        let vault = Arc::clone(&vault);
        hands.push(tokio::spawn(async move {
            vault.hand_in(REKEY[1], &nonce, &vault.shares[1]).await
        }));
    }
    let mut new = Vec::new();
    for hand in hands {
        let answer = hand.await.unwrap();
        if answer.data()["complete"] == json!(true) {
            new.push(texts(&answer.data()["keys"]));
        }
    }
    assert_eq!(new.len(), 1);
    assert_eq!(vault.get(REKEY[0]).await.data()["started"], json!(false));
    assert!(vault.opens(&new[0][..2]).await);
}

#[tokio::test]
async fn many_hands_at_once_complete_an_attempt_once() {
    let vault = Arc::new(Vault::new().await);
    let started = vault.put("sys/generate-root/attempt", json!({})).await;
    let nonce = text(&started.data()["nonce"]);
    let hands: Vec<_> = (0..60)
        .map(|hand| {
            let (vault, nonce) = (Arc::clone(&vault), nonce.clone());
            tokio::spawn(async move {
                let share = vault.shares[hand % 3].clone();
                let answer = vault
                    .hand_in("sys/generate-root/update", &nonce, &share)
                    .await;
                answer.data()["complete"] == json!(true)
            })
        })
        .collect();
    let mut made = 0;
    for hand in hands {
        made += usize::from(hand.await.unwrap());
    }
    assert_eq!(made, 1);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().cloned().unwrap_or_default();
    all.iter().map(text).collect()
}
