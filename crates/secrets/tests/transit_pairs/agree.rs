use coffer_crypto::hkdf_sha256;
use coffer_crypto::pair::{KeyPair, PairKind, PublicKey};
use serde_json::json;

use super::*;

#[tokio::test]
async fn who_has_the_other_half_makes_the_same_key() {
    let bench = Bench::<Transit>::new().await;
    key(&bench, "base", "ecdsa-p384").await;
    let shown = bench.read("keys/base").await.unwrap().data;
    let base = PublicKey::from_pem(shown["keys"]["1"]["public_key"].as_str().unwrap()).unwrap();
    let other = KeyPair::generate(PairKind::EcdsaP384).unwrap();
    let body = json!({"base_key_name": "base", "peer_public_key": other.public().to_pem()});
    bench.write("derive-key/agreed", body).await.unwrap();
    let mut bytes = [0; 32];
    hkdf_sha256(&other.agree(&base).unwrap(), &[], &[], &mut bytes).unwrap();
    // The other one's own key, brought in, decrypts what this one encrypted.
    let sealed = data(&bench, "encrypt/agreed", json!({"plaintext": base64("x")})).await;
    let body = json!({"ciphertext": import::ciphertext(&bench, &bytes).await});
    bench.write("keys/same/import", body).await.unwrap();
    let opened = data(
        &bench,
        "decrypt/same",
        json!({"ciphertext": sealed["ciphertext"]}),
    )
    .await;
    assert_eq!(opened["plaintext"], base64("x"));
}

#[tokio::test]
async fn what_does_not_agree_is_refused_and_nothing_is_replaced() {
    let bench = Bench::<Transit>::new().await;
    for kind in ["ecdsa-p256", "ed25519", "aes256-gcm96"] {
        key(&bench, kind, kind).await;
    }
    let pem = |kind| KeyPair::generate(kind).unwrap().public().to_pem();
    let (right, other) = (pem(PairKind::EcdsaP256), pem(PairKind::EcdsaP384));
    for (body, reason) in [
        (json!({"base_key_name": "ecdsa-p256"}), "not provided"),
        (json!({"peer_public_key": right}), "base key not found"),
        (
            json!({"base_key_name": "absent", "peer_public_key": right}),
            "base key not found",
        ),
        (
            json!({"base_key_name": "ed25519", "peer_public_key": right}),
            "key agreement",
        ),
        (
            json!({"base_key_name": "aes256-gcm96", "peer_public_key": right}),
            "key agreement",
        ),
        (
            json!({"base_key_name": "ecdsa-p256", "peer_public_key": other}),
            "another curve",
        ),
        (
            json!({"base_key_name": "ecdsa-p256", "peer_public_key": "x"}),
            "no public key",
        ),
        (
            json!({"base_key_name": "ecdsa-p256", "peer_public_key": right, "base_key_version": 2}),
            "version",
        ),
        (
            json!({"base_key_name": "ecdsa-p256", "peer_public_key": right, "derived_key_type": "hmac"}),
            "unknown key type",
        ),
        (
            json!({"base_key_name": "ecdsa-p256", "peer_public_key": right, "key_derivation_algorithm": "x"}),
            "not supported",
        ),
    ] {
        let why = refusal(&bench, "derive-key/new", body.clone()).await;
        assert!(why.contains(reason), "{body}: {why}");
    }
    let good = json!({"base_key_name": "ecdsa-p256", "peer_public_key": right});
    let why = refusal(&bench, "derive-key/aes256-gcm96", good).await;
    assert!(why.contains("already exists"), "{why}");
}
