use coffer_crypto::Hash;
use coffer_crypto::pair::{Input, PublicKey, RsaPadding, Salt, Scheme, SignHash};
use coffer_engine::testing::Bench;
use serde_json::json;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_signs_and_verifies_its_own() {
    let bench = Bench::<Transit>::new().await;
    for kind in KINDS {
        key(&bench, kind, kind).await;
        let made = signature(&bench, kind, json!({})).await;
        assert!(made.starts_with("vault:v1:"), "{made}");
        assert!(is_valid(&bench, kind, &made, json!({})).await, "{kind}");
        let other = json!({"input": base64("massage")});
        assert!(!is_valid(&bench, kind, &made, other).await, "{kind}");
        let jws = json!({"marshaling_algorithm": "jws"});
        let made = signature(&bench, kind, jws.clone()).await;
        assert!(!made.contains(['=', '+', '/']), "{made}");
        assert!(is_valid(&bench, kind, &made, jws).await, "{kind}");
        let wrong = json!({"input": base64("message"), "signature": "vault:v1:AA!!"});
        let why = refusal(&bench, &format!("verify/{kind}"), wrong).await;
        assert!(why.contains("base64"), "{why}");
    }
}

#[tokio::test]
async fn hash_and_padding_are_those_that_are_asked_for() {
    let bench = Bench::<Transit>::new().await;
    key(&bench, "rsa", "rsa-2048").await;
    let shown = bench.read("keys/rsa").await.unwrap().data;
    let public = shown["keys"]["1"]["public_key"].as_str().unwrap();
    let public = PublicKey::from_pem(public).unwrap();
    let cases = [
        (
            json!({}),
            Hash::Sha256.into(),
            RsaPadding::Pss(Salt::Length(222)),
        ),
        (
            json!({"salt_length": "hash"}),
            Hash::Sha256.into(),
            RsaPadding::Pss(Salt::Hash),
        ),
        (
            json!({"salt_length": -1}),
            Hash::Sha256.into(),
            RsaPadding::Pss(Salt::Hash),
        ),
        (
            json!({"salt_length": 20}),
            Hash::Sha256.into(),
            RsaPadding::Pss(Salt::Length(20)),
        ),
        (
            json!({"hash_algorithm": "sha1"}),
            SignHash::Sha1,
            RsaPadding::Pss(Salt::Auto),
        ),
        (
            json!({"hash_algorithm": "sha3-384", "signature_algorithm": "pkcs1v15"}),
            Hash::Sha3_384.into(),
            RsaPadding::Pkcs1v15,
        ),
        (
            json!({"algorithm": "sha2-512", "signature_algorithm": "pkcs1v15"}),
            Hash::Sha512.into(),
            RsaPadding::Pkcs1v15,
        ),
        (
            json!({"hash_algorithm": "none", "prehashed": true, "signature_algorithm": "pkcs1v15"}),
            SignHash::None,
            RsaPadding::Pkcs1v15,
        ),
    ];
    for (body, hash, padding) in cases {
        let made = signature(&bench, "rsa", body.clone()).await;
        let bytes = STANDARD
            .decode(made.strip_prefix("vault:v1:").unwrap())
            .unwrap();
        let scheme = Scheme { hash, padding };
        assert!(
            public.verify(&scheme, Input::Message(b"message"), &bytes),
            "{body}"
        );
        assert!(is_valid(&bench, "rsa", &made, body.clone()).await, "{body}");
        // Another scheme is another signature.
        let other = json!({"hash_algorithm": "sha2-384", "signature_algorithm": "pkcs1v15"});
        assert!(!is_valid(&bench, "rsa", &made, other).await, "{body}");
    }
    let by_path = json!({"input": base64("message"), "hash_algorithm": "sha2-256"});
    let made = data(&bench, "sign/rsa/sha2-512", by_path).await;
    let made = made["signature"].as_str().unwrap();
    assert!(is_valid(&bench, "rsa", made, json!({"hash_algorithm": "sha2-512"})).await);
}

#[tokio::test]
async fn digests_are_signed_as_their_messages_are() {
    let bench = Bench::<Transit>::new().await;
    let digest = base64(Hash::Sha256.of(b"message"));
    for kind in ["rsa-2048", "ecdsa-p256", "ecdsa-p521"] {
        key(&bench, kind, kind).await;
        let body = json!({"input": digest, "prehashed": true});
        let made = data(&bench, &format!("sign/{kind}"), body).await;
        let made = made["signature"].as_str().unwrap();
        assert!(is_valid(&bench, kind, made, json!({})).await, "{kind}");
        for wrong in ["", "x", &"x".repeat(31), &"x".repeat(100)] {
            let body = json!({"input": base64(wrong), "prehashed": true});
            let why = refusal(&bench, &format!("sign/{kind}"), body).await;
            assert!(why.contains("digest"), "{why}");
        }
    }
    // Clients leave out which hash it was: a signature of ECDSA does not name it.
    let long = base64(Hash::Sha384.of(b"message"));
    let body = json!({"input": long, "prehashed": true});
    let made = data(&bench, "sign/ecdsa-p256", body).await;
    let made = made["signature"].as_str().unwrap();
    assert!(
        is_valid(
            &bench,
            "ecdsa-p256",
            made,
            json!({"hash_algorithm": "sha2-384"})
        )
        .await
    );
    // Ed25519 hashes in its own way.
    key(&bench, "ed", "ed25519").await;
    let made = signature(
        &bench,
        "ed",
        json!({"prehashed": true, "hash_algorithm": "none"}),
    )
    .await;
    assert!(is_valid(&bench, "ed", &made, json!({})).await);
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_its_reason() {
    let bench = Bench::<Transit>::new().await;
    for kind in ["rsa-2048", "ecdsa-p256", "aes256-gcm96", "hmac"] {
        key(&bench, kind, kind).await;
    }
    let input = base64("message");
    for (name, body, reason) in [
        ("absent", json!({}), "signing key not found"),
        ("aes256-gcm96", json!({}), "does not support signing"),
        ("hmac", json!({}), "does not support signing"),
        ("rsa-2048", json!({"input": "??"}), "base64"),
        (
            "rsa-2048",
            json!({"hash_algorithm": "md5"}),
            "invalid hash algorithm",
        ),
        (
            "rsa-2048",
            json!({"hash_algorithm": "none"}),
            "requires both",
        ),
        (
            "ecdsa-p256",
            json!({"hash_algorithm": "none", "prehashed": true}),
            "requires both",
        ),
        (
            "rsa-2048",
            json!({"signature_algorithm": "x"}),
            "signature algorithm x",
        ),
        (
            "rsa-2048",
            json!({"marshaling_algorithm": "x"}),
            "marshaling",
        ),
        ("rsa-2048", json!({"salt_length": "max"}), "salt length"),
        ("rsa-2048", json!({"salt_length": -5}), "salt length"),
        ("rsa-2048", json!({"salt_length": 223}), "salt_length"),
        (
            "rsa-2048",
            json!({"key_version": 2}),
            "higher than the latest",
        ),
        ("rsa-2048", json!({"key_version": -1}), "negative"),
        (
            "rsa-2048",
            json!({"batch_input": []}),
            "missing batch input",
        ),
    ] {
        let mut whole = json!({"input": input});
        whole
            .as_object_mut()
            .unwrap()
            .extend(body.as_object().unwrap().clone());
        let why = refusal(&bench, &format!("sign/{name}"), whole).await;
        assert!(why.contains(reason), "{name} {body}: {why}");
    }
    for (signature, reason) in [
        ("", "no prefix"),
        ("x", "no prefix"),
        ("vault:v1", "number of fields"),
        ("vault:vx:AAAA", "could not be decoded"),
        ("vault:v2:AAAA", "too new"),
        ("vault:v-1:AAAA", "too old"),
        ("vault:v99999999999:AAAA", "too new"),
        ("vault:v1:????", "base64"),
    ] {
        let body = json!({"input": input, "signature": signature});
        let why = refusal(&bench, "verify/rsa-2048", body).await;
        assert!(why.contains(reason), "{signature}: {why}");
    }
    assert!(!is_valid(&bench, "rsa-2048", "vault:v1:AAAA", json!({})).await);
}

#[tokio::test]
async fn each_item_of_a_batch_has_its_own_result() {
    let bench = Bench::<Transit>::new().await;
    key(&bench, "k", "ecdsa-p256").await;
    let items = json!([{"input": base64("a")}, {"input": "??", "reference": 5}, {"input": base64("b"), "reference": "r"}]);
    let made = data(&bench, "sign/k", json!({"batch_input": items})).await;
    let results = made["batch_results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    assert_eq!(results[1]["key_version"], 0);
    assert_eq!(results[1]["reference"], "5");
    assert!(results[1].get("signature").is_none());
    assert!(results[1]["error"].as_str().unwrap().contains("base64"));
    assert_eq!(results[2]["reference"], "r");
    let items = json!([
        {"input": base64("a"), "signature": results[0]["signature"]},
        {"input": base64("a"), "signature": results[2]["signature"]},
        {"input": base64("a"), "signature": "x"},
    ]);
    let checked = data(&bench, "verify/k", json!({"batch_input": items})).await;
    let checked = checked["batch_results"].as_array().unwrap();
    assert_eq!(checked[0], json!({"valid": true, "reference": ""}));
    assert_eq!(checked[1]["valid"], false);
    assert!(checked[2]["error"].as_str().unwrap().contains("prefix"));
}

#[tokio::test]
async fn each_context_has_a_pair_of_its_own() {
    let bench = Bench::<Transit>::new().await;
    bench
        .write("keys/d", json!({"type": "ed25519", "derived": true}))
        .await
        .unwrap();
    let body = json!({"input": base64("message"), "context": base64("one")});
    let made = data(&bench, "sign/d", body).await;
    assert_eq!(decoded(&made["public_key"]).len(), 32);
    let made = made["signature"].as_str().unwrap();
    assert!(is_valid(&bench, "d", made, json!({"context": base64("one")})).await);
    assert!(!is_valid(&bench, "d", made, json!({"context": base64("two")})).await);
    for body in [json!({}), json!({"context": "??"})] {
        let mut body = body;
        body["input"] = json!(base64("message"));
        let why = refusal(&bench, "sign/d", body).await;
        assert!(why.contains("context"), "{why}");
    }
    let refused = json!({"type": "ecdsa-p256", "derived": true});
    assert!(
        refusal(&bench, "keys/e", refused)
            .await
            .contains("derivation")
    );
}

#[tokio::test]
async fn old_versions_verify_until_they_may_no_more() {
    let bench = Bench::<Transit>::new().await;
    key(&bench, "k", "ed25519").await;
    let old = signature(&bench, "k", json!({})).await;
    bench.write("keys/k/rotate", json!({})).await.unwrap();
    let new = signature(&bench, "k", json!({})).await;
    assert!(old.starts_with("vault:v1:") && new.starts_with("vault:v2:"));
    assert!(is_valid(&bench, "k", &old, json!({})).await);
    let again = signature(&bench, "k", json!({"key_version": 1})).await;
    assert_eq!(again, old);
    let swapped = old.replace("v1", "v2");
    assert!(!is_valid(&bench, "k", &swapped, json!({})).await);
    let config = json!({"min_decryption_version": 2, "min_encryption_version": 2});
    bench.write("keys/k/config", config).await.unwrap();
    let body = json!({"input": base64("message"), "signature": old});
    assert!(refusal(&bench, "verify/k", body).await.contains("too old"));
    let body = json!({"input": base64("message"), "key_version": 1});
    assert!(
        refusal(&bench, "sign/k", body)
            .await
            .contains("less than the minimum")
    );
    bench.delete("keys/k/soft-delete").await.unwrap();
    let body = json!({"input": base64("message")});
    assert!(
        refusal(&bench, "sign/k", body)
            .await
            .contains("soft-deleted")
    );
}

#[tokio::test]
async fn a_mu_that_was_computed_elsewhere_is_refused_by_name() {
    let bench = Bench::<Transit>::new().await;
    for kind in ["mldsa-44", "ed25519"] {
        key(&bench, kind, kind).await;
        for body in [
            json!({"input": base64([7; 64]), "hash_algorithm": "mldsa-mu", "prehashed": true}),
            json!({"input": base64([7; 64]), "algorithm": "mldsa-mu"}),
            json!({"batch_input": [{"input": base64([7; 64])}], "hash_algorithm": "mldsa-mu", "prehashed": true}),
        ] {
            let why = refusal(&bench, &format!("sign/{kind}"), body).await;
            assert!(why.contains("mldsa-mu is not supported"), "{why}");
        }
        let body = json!({"input": base64([7; 64]), "signature": "vault:v1:AAAA"});
        let why = refusal(&bench, &format!("verify/{kind}/mldsa-mu"), body).await;
        assert!(why.contains("mldsa-mu is not supported"), "{why}");
    }
}
