//! Shares and root tokens that are encrypted to people's keys. That the people can read them is tested with GnuPG itself,
//! beside the crates.

mod harness;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::Random;
use coffer_kernel::{Clock, Kernel, Settings};
use coffer_storage::Memory;
use coffer_wire::{Timestamp, Verb};
use harness::{Answer, Harness};
use serde_json::{Value, json};

const RSA: (&[u8], &str) = (
    include_bytes!("../../crypto/tests/vectors/openpgp/rsa.pgp"),
    "755f4bcbc7943cdf5704fd259d636b0e1c282e83",
);
const CURVE: (&[u8], &str) = (
    include_bytes!("../../crypto/tests/vectors/openpgp/curve25519.pgp"),
    "16f59379563ef394a4d220d1bf049955b9bd9a02",
);
const SIGN_ONLY: &[u8] = include_bytes!("../../crypto/tests/vectors/openpgp/sign-only.pgp");

fn key(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A server with one share, before anything was done with it.
async fn server() -> Harness {
    Harness::with(Settings::new(Vec::new()), Arc::new(Memory::new())).await
}

async fn start(server: &Harness, wish: Value) -> Answer {
    server.write("sys/rekey/init", "", wish).await
}

async fn hand_in(server: &Harness, path: &str, share: &str, nonce: &Value) -> Answer {
    let body = json!({"key": share, "nonce": nonce});
    server.write(path, "", body).await
}

#[tokio::test(start_paused = true)]
async fn initialising_for_keys_that_are_none_makes_nothing() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    let store = Arc::new(Memory::new());
    let made = Kernel::new(
        Settings::new(Vec::new()),
        store,
        Random::system(),
        clock.clone(),
    );
    let server = Harness {
        kernel: made.await.unwrap(),
        clock,
        root: String::new(),
        key: String::new(),
    };
    let one = |keys: Value| json!({"secret_shares": 1, "secret_threshold": 1, "pgp_keys": keys});
    for wish in [
        one(json!(["keybase:somebody"])),
        one(json!([key(SIGN_ONLY)])),
        one(json!([key(RSA.0), key(CURVE.0)])),
        json!({"secret_shares": 1, "secret_threshold": 1, "root_token_pgp_key": "nonsense"}),
        json!({"secret_shares": 1, "secret_threshold": 1, "recovery_shares": 1}),
        json!({"secret_shares": 1, "secret_threshold": 1, "recovery_pgp_keys": [key(RSA.0)]}),
    ] {
        let refused = server.write("sys/init", "", wish.clone()).await;
        assert_eq!(refused.status, 400, "{wish}");
    }
    let none = server.read("sys/init", "").await;
    assert_eq!(none.data()["initialized"], json!(false));
    let wish = json!({"secret_shares": 3, "secret_threshold": 2, "root_token_pgp_key": key(RSA.0),
        "pgp_keys": [key(RSA.0), key(CURVE.0), key(CURVE.0)]});
    let made = server.write("sys/init", "", wish).await;
    assert_eq!(made.status, 200, "{made:?}");
    for (hex, base64) in made.data()["keys"]
        .as_array()
        .unwrap()
        .iter()
        .zip(made.data()["keys_base64"].as_array().unwrap())
    {
        let message = STANDARD.decode(base64.as_str().unwrap()).unwrap();
        assert_eq!(hex::encode(&message), hex.as_str().unwrap());
        assert!(message.len() > 100, "a message, not a share");
    }
    let token = made.data()["root_token"].as_str().unwrap();
    assert!(STANDARD.decode(token).unwrap().len() > 300, "{token}");
}

#[tokio::test(start_paused = true)]
async fn new_shares_are_encrypted_and_kept_as_asked() {
    let server = server().await;
    let refused = start(
        &server,
        json!({"secret_shares": 2, "secret_threshold": 2, "pgp_keys": [key(RSA.0)]}),
    );
    assert_eq!(refused.await.status, 400);
    let wish = json!({"secret_shares": 2, "secret_threshold": 2, "backup": true,
        "pgp_keys": [key(RSA.0), key(CURVE.0)]});
    let started = start(&server, wish).await;
    assert_eq!(
        started.data()["pgp_fingerprints"],
        json!([RSA.1, CURVE.1]),
        "{started:?}"
    );
    assert_eq!(started.data()["backup"], json!(true));
    let nonce = started.data()["nonce"].clone();
    let none = server.read("sys/rekey/backup", &server.root).await;
    assert_eq!(
        (none.status, none.error()),
        (400, "no backed-up keys found".into())
    );
    let done = hand_in(&server, "sys/rekey/update", &server.key, &nonce).await;
    assert_eq!(done.data()["complete"], json!(true), "{done:?}");
    assert_eq!(done.data()["pgp_fingerprints"], json!([RSA.1, CURVE.1]));
    assert_eq!(done.data()["backup"], json!(true));
    for path in ["sys/rekey/backup", "sys/rotate/root/backup"] {
        let kept = server.read(path, &server.root).await;
        assert_eq!(kept.data()["nonce"], nonce);
        for encoding in ["keys", "keys_base64"] {
            for (at, person) in [RSA.1, CURVE.1].iter().enumerate() {
                let kept = &kept.data()[encoding][person];
                assert_eq!(
                    kept,
                    &json!([done.data()[encoding][at]]),
                    "{path} {encoding}"
                );
            }
        }
    }
    assert_eq!(
        server
            .delete("sys/rotate/root/backup", &server.root)
            .await
            .status,
        204
    );
    assert_eq!(
        server.read("sys/rekey/backup", &server.root).await.status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn copies_belong_to_the_shares_in_force() {
    let server = server().await;
    let one = |more: Value| {
        let mut wish = json!({"secret_shares": 1, "secret_threshold": 1});
        wish.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        wish
    };
    let wish = one(json!({"pgp_keys": [key(RSA.0)], "backup": true, "require_verification": true}));
    let nonce = start(&server, wish).await.data()["nonce"].clone();
    let made = hand_in(&server, "sys/rekey/update", &server.key, &nonce).await;
    assert_eq!(
        made.data()["verification_required"],
        json!(true),
        "{made:?}"
    );
    // Nobody handed the new share back, so it does not hold, and no copy of it is kept.
    assert_eq!(
        server.read("sys/rekey/backup", &server.root).await.status,
        400
    );
    let wish = one(json!({"pgp_keys": [key(RSA.0)], "backup": true}));
    let nonce = start(&server, wish).await.data()["nonce"].clone();
    hand_in(&server, "sys/rekey/update", &server.key, &nonce).await;
    let kept = server.read("sys/rekey/backup", &server.root).await;
    assert_eq!(kept.data()["nonce"], nonce, "{kept:?}");
    assert_eq!(kept.data()["keys"][RSA.1].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_root_token_can_be_made_for_a_key() {
    let server = server().await;
    for path in ["sys/generate-root", "sys/generate-root-token"] {
        let (attempt, update) = (format!("{path}/attempt"), format!("{path}/update"));
        let both = json!({"pgp_key": key(CURVE.0), "otp": "x".repeat(28)});
        assert_eq!(server.write(&attempt, &server.root, both).await.status, 400);
        let wish = json!({"pgp_key": key(CURVE.0)});
        let started = server.write(&attempt, &server.root, wish).await;
        assert_eq!(
            started.data()["pgp_fingerprint"],
            json!(CURVE.1),
            "{started:?}"
        );
        assert_eq!(started.data()["otp"], json!(""));
        let body = json!({"key": server.key, "nonce": started.data()["nonce"]});
        let done = server.write(&update, &server.root, body).await;
        assert_eq!(done.data()["pgp_fingerprint"], json!(CURVE.1), "{done:?}");
        let message = STANDARD.decode(done.data()["encoded_token"].as_str().unwrap());
        assert!(message.unwrap().len() > 150);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shamir_seal_has_no_recovery_keys_and_says_so() {
    let server = server().await;
    let refused = [Verb::Read, Verb::Write, Verb::Delete];
    for (path, verbs) in [
        ("sys/rekey-recovery-key/init", &refused[..]),
        ("sys/rekey-recovery-key/update", &refused[1..2]),
        ("sys/rekey-recovery-key/verify", &refused),
        ("sys/rotate/recovery/init", &refused[..2]),
        ("sys/rotate/recovery/update", &refused[1..2]),
        ("sys/rotate/recovery/verify", &refused),
        ("sys/rotate/recovery/backup", &refused[..1]),
        ("sys/rekey/recovery-key-backup", &refused[..1]),
    ] {
        for verb in verbs {
            let body = json!({"secret_shares": 1, "secret_threshold": 1});
            let answer = server.request(*verb, path, &server.root, body).await;
            assert_eq!(answer.status, 400, "{verb} {path} {answer:?}");
        }
    }
    for path in [
        "sys/rotate/recovery/init",
        "sys/rotate/recovery/backup",
        "sys/rekey/recovery-key-backup",
    ] {
        assert_eq!(
            server.delete(path, &server.root).await.status,
            204,
            "{path}"
        );
        assert_eq!(server.delete(path, "").await.status, 403, "{path}");
    }
}
