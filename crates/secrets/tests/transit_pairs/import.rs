use coffer_crypto::pair::{KeyPair, Oaep, OaepHash, PairKind, PublicKey};
use coffer_crypto::{Random, key_wrap};
use serde_json::json;

use super::*;

/// A key as a client wraps it.
async fn wrapped(bench: &Bench<Transit>, hash: OaepHash, key: &[u8]) -> Vec<u8> {
    let shown = bench.read("wrapping_key").await.unwrap().data;
    let public = PublicKey::from_pem(shown["public_key"].as_str().unwrap()).unwrap();
    assert_eq!(public.kind(), PairKind::Rsa4096);
    let sealed = public
        .encrypt(Oaep::new(hash), &Random::system(), &[7; 32])
        .unwrap();
    [sealed, key_wrap::wrap_kwp(&[7; 32], key).unwrap()].concat()
}

pub(super) async fn ciphertext(bench: &Bench<Transit>, key: &[u8]) -> String {
    base64(wrapped(bench, OaepHash::Sha256, key).await)
}

fn pair(kind: PairKind) -> (KeyPair, Vec<u8>) {
    let pair = KeyPair::generate(kind).unwrap();
    let document = pair.to_pkcs8().unwrap().expose().clone();
    (pair, document)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_comes_in_and_works() {
    let bench = Bench::<Transit>::new().await;
    for (kind, of) in [
        ("ed25519", PairKind::Ed25519),
        ("ecdsa-p256", PairKind::EcdsaP256),
        ("ecdsa-p521", PairKind::EcdsaP521),
        ("rsa-2048", PairKind::Rsa2048),
        ("mldsa-65", PairKind::MlDsa65),
    ] {
        let (pair, document) = pair(of);
        let body = json!({"type": kind, "ciphertext": ciphertext(&bench, &document).await});
        bench
            .write(&format!("keys/{kind}/import"), body)
            .await
            .unwrap();
        let made = signature(&bench, kind, json!({})).await;
        assert!(is_valid(&bench, kind, &made, json!({})).await);
        let shown = bench.read(&format!("keys/{kind}")).await.unwrap().data;
        assert_eq!(shown["imported_key"], true);
        assert_eq!(shown["imported_key_allow_rotation"], false);
        let public = shown["keys"]["1"]["public_key"].as_str().unwrap();
        match of {
            PairKind::Ed25519 | PairKind::MlDsa65 => {
                assert_eq!(public, base64(pair.public().bits()));
            }
            _ => assert_eq!(public, pair.public().to_pem()),
        }
        let why = refusal(&bench, &format!("keys/{kind}/rotate"), json!({})).await;
        assert!(why.contains("does not allow rotation"), "{why}");
    }
    for (kind, length) in [
        ("aes128-gcm96", 16),
        ("xchacha20-poly1305", 32),
        ("hmac", 64),
    ] {
        let key = vec![9; length];
        let body =
            json!({"type": kind, "exportable": true, "ciphertext": ciphertext(&bench, &key).await});
        bench
            .write(&format!("keys/{kind}/import"), body)
            .await
            .unwrap();
        let part = if kind == "hmac" {
            "hmac-key"
        } else {
            "encryption-key"
        };
        let exported = bench
            .read(&format!("export/{part}/{kind}"))
            .await
            .unwrap()
            .data;
        assert_eq!(decoded(&exported["keys"]["1"]), key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hash_unwraps_its_own() {
    let bench = Bench::<Transit>::new().await;
    for (name, hash) in [
        ("SHA1", OaepHash::Sha1),
        ("SHA224", OaepHash::Sha224),
        ("sha256", OaepHash::Sha256),
        ("SHA384", OaepHash::Sha384),
        ("SHA512", OaepHash::Sha512),
    ] {
        let ciphertext = base64(wrapped(&bench, hash, &[3; 32]).await);
        let other = if name == "SHA1" { "SHA256" } else { "SHA1" };
        let wrong = json!({"ciphertext": ciphertext, "hash_function": other});
        let why = refusal(&bench, &format!("keys/{name}/import"), wrong).await;
        assert!(why.contains("can not be unwrapped"), "{why}");
        let right = json!({"ciphertext": ciphertext, "hash_function": name});
        bench
            .write(&format!("keys/{name}/import"), right)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_and_leaves_nothing() {
    let bench = Bench::<Transit>::new().await;
    let (_, curve) = pair(PairKind::EcdsaP256);
    let whole = wrapped(&bench, OaepHash::Sha256, &[3; 32]).await;
    let mut altered = whole.clone();
    altered[600 - 60] ^= 1;
    let mut outer = whole.clone();
    outer[7] ^= 1;
    for (body, reason) in [
        (json!({}), "public_key import"),
        (json!({"type": "rsa-2048"}), "give ciphertext"),
        (json!({"ciphertext": "??"}), "base64"),
        (json!({"ciphertext": base64("short")}), "too short"),
        (json!({"ciphertext": base64(&whole[..512])}), "too short"),
        (
            json!({"ciphertext": base64(&whole[..520])}),
            "can not be unwrapped",
        ),
        (json!({"ciphertext": base64(vec![1; 70_000])}), "too long"),
        (
            json!({"ciphertext": base64(&altered)}),
            "can not be unwrapped",
        ),
        (
            json!({"ciphertext": base64(&outer)}),
            "can not be unwrapped",
        ),
        (
            json!({"ciphertext": base64(&whole), "hash_function": "MD5"}),
            "unknown hash function",
        ),
        (
            json!({"ciphertext": base64(&whole), "type": "x"}),
            "unknown key type",
        ),
        (
            json!({"ciphertext": base64(&whole), "type": "aes128-gcm96"}),
            "32 bytes",
        ),
        (
            json!({"ciphertext": base64(&whole), "type": "rsa-2048"}),
            "no key of type rsa-2048",
        ),
        (
            json!({"ciphertext": ciphertext(&bench, &curve).await, "type": "ecdsa-p384"}),
            "no key of type",
        ),
        (
            json!({"ciphertext": ciphertext(&bench, &[1; 31]).await, "type": "hmac"}),
            "31 bytes",
        ),
        (
            json!({"ciphertext": ciphertext(&bench, &[1; 513]).await, "type": "hmac"}),
            "513 bytes",
        ),
        (
            json!({"ciphertext": ciphertext(&bench, &curve).await, "type": "ecdsa-p256", "derived": true}),
            "derivation",
        ),
        (
            json!({"ciphertext": base64(&whole), "auto_rotate_period": "24h"}),
            "allow_rotation",
        ),
        (
            json!({"ciphertext": base64(&whole), "auto_rotate_period": "1m", "allow_rotation": true}),
            "hour",
        ),
        (
            json!({"type": "rsa-2048", "public_key": "x"}),
            "no public key",
        ),
    ] {
        let why = refusal(&bench, "keys/k/import", body.clone()).await;
        assert!(why.contains(reason), "{body}: {why}");
    }
    let none = bench.list("keys").await;
    assert!(matches!(none, Err(coffer_engine::Fault::NotFound)));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_versions_are_brought_or_made() {
    let bench = Bench::<Transit>::new().await;
    let first = json!({"ciphertext": ciphertext(&bench, &[1; 32]).await, "exportable": true});
    bench.write("keys/k/import", first.clone()).await.unwrap();
    assert!(
        refusal(&bench, "keys/k/import", first)
            .await
            .contains("existing key")
    );
    let sealed = data(&bench, "encrypt/k", json!({"plaintext": base64("x")})).await;
    let second = json!({"ciphertext": ciphertext(&bench, &[2; 32]).await});
    bench
        .write("keys/k/import_version", second.clone())
        .await
        .unwrap();
    let exported = bench.read("export/encryption-key/k").await.unwrap().data;
    assert_eq!(decoded(&exported["keys"]["2"]), [2; 32]);
    let opened = data(
        &bench,
        "decrypt/k",
        json!({"ciphertext": sealed["ciphertext"]}),
    )
    .await;
    assert_eq!(opened["plaintext"], base64("x"));
    let numbered = json!({"ciphertext": ciphertext(&bench, &[2; 32]).await, "version": 1});
    assert!(
        refusal(&bench, "keys/k/import_version", numbered)
            .await
            .contains("does not support")
    );
    let why = refusal(&bench, "keys/absent/import_version", second.clone()).await;
    assert!(why.contains("no key found"), "{why}");
    bench.write("keys/own", json!({})).await.unwrap();
    let why = refusal(&bench, "keys/own/import_version", second).await;
    assert!(why.contains("imported key"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_half_verifies_and_is_made_whole_by_its_own_private_half_alone() {
    let bench = Bench::<Transit>::new().await;
    let (own, own_document) = pair(PairKind::EcdsaP256);
    let (other, other_document) = pair(PairKind::EcdsaP256);
    let body =
        json!({"type": "ecdsa-p256", "public_key": own.public().to_pem(), "exportable": true});
    bench.write("keys/k/import", body).await.unwrap();
    let body = json!({"input": base64("message")});
    let why = refusal(&bench, "sign/k", body).await;
    assert!(why.contains("private part"), "{why}");
    let exported = bench.read("export/signing-key/k").await.unwrap().data;
    assert_eq!(exported["keys"]["1"], "");

    let wrong = json!({"ciphertext": ciphertext(&bench, &other_document).await, "version": 1});
    let why = refusal(&bench, "keys/k/import_version", wrong).await;
    assert!(why.contains("not the one"), "{why}");
    for version in [0, 2, -1] {
        let body =
            json!({"ciphertext": ciphertext(&bench, &own_document).await, "version": version});
        let why = refusal(&bench, "keys/k/import_version", body).await;
        assert!(why.contains("no such key version"), "{why}");
    }
    let body = json!({"ciphertext": ciphertext(&bench, &own_document).await});
    bench
        .write("keys/k/import_version", body.clone())
        .await
        .unwrap();
    let made = signature(&bench, "k", json!({})).await;
    assert!(made.starts_with("vault:v1:"), "it is no new version");
    let again = json!({"ciphertext": body["ciphertext"], "version": 1});
    let why = refusal(&bench, "keys/k/import_version", again).await;
    assert!(why.contains("cannot be updated"), "{why}");
    let body = json!({"public_key": other.public().to_pem()});
    bench.write("keys/k/import_version", body).await.unwrap();
    let shown = bench.read("keys/k").await.unwrap().data;
    assert_eq!(shown["latest_version"], 2);
    assert_eq!(shown["keys"]["2"]["public_key"], other.public().to_pem());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrapping_key_is_one_however_many_ask_first() {
    let bench = std::sync::Arc::new(Bench::<Transit>::new().await);
    let asking = (0..6).map(|_| {
        let bench = std::sync::Arc::clone(&bench);
        tokio::spawn(
            async move { bench.read("wrapping_key").await.unwrap().data["public_key"].clone() },
        )
    });
    let mut seen = Vec::new();
    for asked in asking.collect::<Vec<_>>() {
        seen.push(asked.await.unwrap());
    }
    assert!(seen.iter().all(|key| *key == seen[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn ml_dsa_comes_in_as_its_seed_in_pkcs8_and_in_no_other_form() {
    let bench = Bench::<Transit>::new().await;
    let (pair, document) = pair(PairKind::MlDsa44);
    let seed = pair.seed().unwrap().expose().clone();
    let (head, seed_in_octets) = document.split_at(document.len() - 34);
    assert_eq!(seed_in_octets[2..], seed);
    // As an octet string it is an expanded key (RFC 9881 section 6), and has the wrong length.
    let expanded = [head, &[4, 32], &seed].concat();
    let other_kind = KeyPair::generate(PairKind::MlDsa65).unwrap();
    let other_kind = other_kind.to_pkcs8().unwrap().expose().clone();
    for wrong in [&seed, &expanded, &other_kind, &document[1..].to_vec()] {
        let body = json!({"type": "mldsa-44", "ciphertext": ciphertext(&bench, wrong).await});
        let why = refusal(&bench, "keys/no/import", body).await;
        assert!(why.contains("PKCS #8"), "{why}");
    }
    let spki = pair.public().to_pem();
    for wrong in [base64(pair.public().bits()), other_public()] {
        let body = json!({"type": "mldsa-44", "public_key": wrong});
        let why = refusal(&bench, "keys/no/import", body).await;
        assert!(why.contains("in PEM"), "{why}");
    }
    let body = json!({"type": "mldsa-44", "public_key": spki, "exportable": true});
    bench.write("keys/k/import", body).await.unwrap();
    refusal(&bench, "sign/k", json!({"input": base64("m")})).await;
    let exported = bench.read("export/signing-key/k").await.unwrap().data;
    assert_eq!(exported["keys"]["1"], "");
    // The private half follows.
    let body = json!({"ciphertext": ciphertext(&bench, &document).await});
    bench.write("keys/k/import_version", body).await.unwrap();
    let exported = bench.read("export/signing-key/k").await.unwrap().data;
    assert_eq!(exported["keys"], json!({"1": base64(seed)}));
    let made = signature(&bench, "k", json!({})).await;
    assert!(is_valid(&bench, "k", &made, json!({})).await);
}

fn other_public() -> String {
    KeyPair::generate(PairKind::MlDsa87)
        .unwrap()
        .public()
        .to_pem()
}
