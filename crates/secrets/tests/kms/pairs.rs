//! Signatures, codes, and encryption with RSA.

use coffer_crypto::pair::{
    Input, KeyPair, Oaep, OaepHash, PairKind, PublicKey, RsaPadding, Salt, Scheme,
};
use coffer_crypto::{Hash, MacKey, Random};

use super::*;

const PKCS1: RsaPadding = RsaPadding::Pkcs1v15;
const PSS: RsaPadding = RsaPadding::Pss(Salt::Hash);

async fn public(bench: &Bench<Kms>, id: &str) -> PublicKey {
    let shown = bench
        .read(&format!("keys/{id}/public-key"))
        .await
        .unwrap()
        .data;
    assert_eq!(shown["key_id"], id);
    PublicKey::from_spki(&unb64(&shown["public_key"])).unwrap()
}

#[tokio::test]
async fn every_signing_algorithm() {
    let bench = Bench::<Kms>::new().await;
    for (spec, algorithms) in [
        (
            "RSA_2048",
            vec![
                ("RSASSA_PKCS1_V1_5_SHA_256", Hash::Sha256, PKCS1),
                ("RSASSA_PKCS1_V1_5_SHA_384", Hash::Sha384, PKCS1),
                ("RSASSA_PKCS1_V1_5_SHA_512", Hash::Sha512, PKCS1),
                ("RSASSA_PSS_SHA_256", Hash::Sha256, PSS),
                ("RSASSA_PSS_SHA_384", Hash::Sha384, PSS),
                ("RSASSA_PSS_SHA_512", Hash::Sha512, PSS),
            ],
        ),
        (
            "ECC_NIST_P256",
            vec![("ECDSA_SHA_256", Hash::Sha256, PKCS1)],
        ),
        (
            "ECC_NIST_P384",
            vec![("ECDSA_SHA_384", Hash::Sha384, PKCS1)],
        ),
        (
            "ECC_NIST_P521",
            vec![("ECDSA_SHA_512", Hash::Sha512, PKCS1)],
        ),
        (
            "ECC_NIST_EDWARDS25519",
            vec![("ED25519_SHA_512", Hash::Sha512, PKCS1)],
        ),
        ("ML_DSA_44", vec![("ML_DSA_SHAKE_256", Hash::Sha512, PKCS1)]),
        ("ML_DSA_65", vec![("ML_DSA_SHAKE_256", Hash::Sha512, PKCS1)]),
        ("ML_DSA_87", vec![("ML_DSA_SHAKE_256", Hash::Sha512, PKCS1)]),
    ] {
        let id = key(
            &bench,
            json!({"key_spec": spec, "key_usage": "SIGN_VERIFY"}),
        )
        .await;
        let named: Vec<&str> = algorithms.iter().map(|(name, ..)| *name).collect();
        let described = bench.read(&format!("keys/{id}")).await.unwrap().data;
        assert_eq!(described["signing_algorithms"], json!(named));
        let public = public(&bench, &id).await;
        for (name, hash, padding) in algorithms {
            let scheme = Scheme {
                hash: hash.into(),
                padding,
            };
            let message = vec![b'm'; 4_096];
            let fields = json!({"message": b64(&message), "signing_algorithm": name});
            let made = bench
                .write(&format!("sign/{id}"), fields)
                .await
                .unwrap()
                .data;
            let signature = unb64(&made["signature"]);
            assert!(
                public.verify(&scheme, Input::Message(&message), &signature),
                "{name}"
            );
            let digest = b64(hash.of(&message));
            let by_digest =
                json!({"message": digest, "message_type": "DIGEST", "signing_algorithm": name});
            let whole = json!({"message": b64(&message), "signing_algorithm": name});
            let takes_digests = !matches!(name, "ED25519_SHA_512" | "ML_DSA_SHAKE_256");
            if takes_digests {
                let made = bench
                    .write(&format!("sign/{id}"), by_digest.clone())
                    .await
                    .unwrap()
                    .data;
                verified(&bench, &id, whole.clone(), &made["signature"])
                    .await
                    .unwrap();
                verified(&bench, &id, by_digest, &b64(&signature).into())
                    .await
                    .unwrap();
                let short = json!({"message": b64("short"), "message_type": "DIGEST", "signing_algorithm": name});
                assert_eq!(
                    refused(&bench, &format!("sign/{id}"), short).await,
                    "ValidationException"
                );
            } else {
                assert_eq!(
                    refused(&bench, &format!("sign/{id}"), by_digest).await,
                    "ValidationException"
                );
            }
            verified(&bench, &id, whole.clone(), &b64(&signature).into())
                .await
                .unwrap();
            let mut wrong = signature.clone();
            wrong[10] ^= 1;
            for wrong in [
                wrong,
                vec![0; signature.len()],
                vec![1],
                signature[1..].to_vec(),
            ] {
                let result = verified(&bench, &id, whole.clone(), &b64(wrong).into()).await;
                assert_eq!(exception(result), "KMSInvalidSignatureException");
            }
            let other = json!({"message": b64("other"), "signing_algorithm": name});
            let result = verified(&bench, &id, other, &b64(&signature).into()).await;
            assert_eq!(exception(result), "KMSInvalidSignatureException");
        }
    }
}

async fn verified(
    bench: &Bench<Kms>,
    id: &str,
    mut fields: Value,
    signature: &Value,
) -> Result<(), Fault> {
    fields["signature"] = signature.clone();
    let answer = bench.write(&format!("verify/{id}"), fields).await?.data;
    assert_eq!(answer["signature_valid"], true);
    Ok(())
}

#[tokio::test]
async fn signing_that_is_refused() {
    let bench = Bench::<Kms>::new().await;
    let id = key(
        &bench,
        json!({"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"}),
    )
    .await;
    let mac = key(
        &bench,
        json!({"key_spec": "HMAC_256", "key_usage": "GENERATE_VERIFY_MAC"}),
    )
    .await;
    let path = format!("sign/{id}");
    for (fields, wanted) in [
        (
            json!({"signing_algorithm": "ECDSA_SHA_384"}),
            "InvalidKeyUsageException",
        ),
        (
            json!({"signing_algorithm": "RSASSA_PSS_SHA_256"}),
            "InvalidKeyUsageException",
        ),
        (
            json!({"signing_algorithm": "SM2DSA"}),
            "UnsupportedOperationException",
        ),
        (
            json!({"signing_algorithm": "ED25519_PH_SHA_512"}),
            "UnsupportedOperationException",
        ),
        (json!({"signing_algorithm": "none"}), "ValidationException"),
        (
            json!({"signing_algorithm": "ECDSA_SHA_256", "message_type": "EXTERNAL_MU"}),
            "UnsupportedOperationException",
        ),
        (
            json!({"signing_algorithm": "ECDSA_SHA_256", "message_type": "TEXT"}),
            "ValidationException",
        ),
        (
            json!({"signing_algorithm": "ECDSA_SHA_256", "message": b64(vec![0; 4_097])}),
            "ValidationException",
        ),
        (
            json!({"signing_algorithm": "ECDSA_SHA_256", "message": ""}),
            "ValidationException",
        ),
        (
            json!({"signing_algorithm": "ECDSA_SHA_256", "dry_run": true}),
            "DryRunOperationException",
        ),
        (
            json!({"signing_algorithm": "ECDSA_SHA_256", "grant_tokens": "x"}),
            "InvalidGrantTokenException",
        ),
    ] {
        let mut all = json!({"message": b64("m")});
        all.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        assert_eq!(refused(&bench, &path, all).await, wanted, "{fields}");
    }
    let ecdsa = json!({"message": b64("m"), "signing_algorithm": "ECDSA_SHA_256"});
    for other in [&mac, &symmetric(&bench).await] {
        let result = refused(&bench, &format!("sign/{other}"), ecdsa.clone()).await;
        assert_eq!(result, "InvalidKeyUsageException");
        let public = bench.read(&format!("keys/{other}/public-key")).await;
        assert_eq!(exception(public), "UnsupportedOperationException");
    }
    let encrypting = refused(
        &bench,
        &format!("encrypt/{id}"),
        json!({"plaintext": b64("x")}),
    )
    .await;
    assert_eq!(encrypting, "InvalidKeyUsageException");
}

#[tokio::test]
async fn codes() {
    let bench = Bench::<Kms>::new().await;
    for bits in ["224", "256", "384", "512"] {
        let fields =
            json!({"key_spec": format!("HMAC_{bits}"), "key_usage": "GENERATE_VERIFY_MAC"});
        let id = key(&bench, fields).await;
        let fields = json!({"message": b64("m"), "mac_algorithm": format!("HMAC_SHA_{bits}")});
        let made = bench
            .write(&format!("mac/{id}"), fields.clone())
            .await
            .unwrap()
            .data;
        let mac = unb64(&made["mac"]);
        assert_eq!(mac.len() * 8, bits.parse::<usize>().unwrap());
        let verify = |mac: &[u8], message: &str| {
            let mut fields = fields.clone();
            fields["mac"] = json!(b64(mac));
            fields["message"] = json!(b64(message));
            let (bench, path) = (&bench, format!("verify-mac/{id}"));
            async move { bench.write(&path, fields).await }
        };
        assert_eq!(verify(&mac, "m").await.unwrap().data["mac_valid"], true);
        assert_eq!(
            exception(verify(&mac[1..], "m").await),
            "KMSInvalidMacException"
        );
        assert_eq!(exception(verify(&mac, "n").await), "KMSInvalidMacException");
        assert_eq!(
            exception(verify(&[0; 600], "m").await),
            "KMSInvalidMacException"
        );
        let path = format!("mac/{id}");
        let other = if bits == "256" {
            "HMAC_SHA_512"
        } else {
            "HMAC_SHA_256"
        };
        for (name, wanted) in [
            (other, "InvalidKeyUsageException"),
            ("HMAC_MD5", "ValidationException"),
        ] {
            let fields = json!({"message": b64("m"), "mac_algorithm": name});
            assert_eq!(refused(&bench, &path, fields).await, wanted);
        }
        let dry = json!({"message": b64("m"), "mac_algorithm": format!("HMAC_SHA_{bits}"), "dry_run": true});
        assert_eq!(
            refused(&bench, &path, dry).await,
            "DryRunOperationException"
        );
    }
    let id = symmetric(&bench).await;
    let fields = json!({"message": b64("m"), "mac_algorithm": "HMAC_SHA_256"});
    assert_eq!(
        refused(&bench, &format!("mac/{id}"), fields).await,
        "InvalidKeyUsageException"
    );
    // RFC 4231, test case 2, says what the library does with a short key.
    let code = MacKey::new(Hash::Sha256, b"Jefe").sign(b"what do ya want for nothing?");
    assert_eq!(hex::encode(&code[..4]), "5bdcc146");
}

#[tokio::test]
async fn encryption_with_rsa() {
    let bench = Bench::<Kms>::new().await;
    let id = key(
        &bench,
        json!({"key_spec": "RSA_2048", "key_usage": "ENCRYPT_DECRYPT"}),
    )
    .await;
    let public = public(&bench, &id).await;
    for (name, hash, room) in [
        ("RSAES_OAEP_SHA_1", OaepHash::Sha1, 214),
        ("RSAES_OAEP_SHA_256", OaepHash::Sha256, 190),
    ] {
        let most = vec![b'x'; room];
        let fields = json!({"plaintext": b64(&most), "encryption_algorithm": name});
        let made = bench
            .write(&format!("encrypt/{id}"), fields)
            .await
            .unwrap()
            .data;
        let open = |blob: &Value, name: &str| {
            let fields = json!({"ciphertext_blob": blob, "encryption_algorithm": name});
            let (bench, path) = (&bench, format!("decrypt/{id}"));
            async move { bench.write(&path, fields).await }
        };
        let opened = open(&made["ciphertext_blob"], name).await.unwrap().data;
        assert_eq!(unb64(&opened["plaintext"]), most);
        assert!(opened.get("key_material_id").is_none());
        // What was encrypted outside with the public key opens, too.
        let outside = public
            .encrypt(Oaep::new(hash), &Random::system(), b"outside")
            .unwrap();
        let opened = open(&json!(b64(outside)), name).await.unwrap().data;
        assert_eq!(unb64(&opened["plaintext"]), b"outside");
        let other = if name.ends_with('1') {
            "RSAES_OAEP_SHA_256"
        } else {
            "RSAES_OAEP_SHA_1"
        };
        assert_eq!(
            exception(open(&made["ciphertext_blob"], other).await),
            "InvalidCiphertextException"
        );
        assert_eq!(
            exception(open(&json!(b64([1; 256])), name).await),
            "InvalidCiphertextException"
        );
        assert_eq!(
            exception(open(&json!(b64([1; 5])), name).await),
            "InvalidCiphertextException"
        );
        assert_eq!(
            exception(open(&made["ciphertext_blob"], "").await),
            "InvalidKeyUsageException"
        );
        let long = json!({"plaintext": b64(vec![0; room + 1]), "encryption_algorithm": name});
        assert_eq!(
            refused(&bench, &format!("encrypt/{id}"), long).await,
            "ValidationException"
        );
        let context = json!({"plaintext": b64("x"), "encryption_algorithm": name, "encryption_context": {"a": "b"}});
        assert_eq!(
            refused(&bench, &format!("encrypt/{id}"), context).await,
            "ValidationException"
        );
    }
    // From RSA to a symmetric key, and what is too long for the way back.
    let to = symmetric(&bench).await;
    let fields = json!({"plaintext": b64("text"), "encryption_algorithm": "RSAES_OAEP_SHA_256"});
    let made = bench
        .write(&format!("encrypt/{id}"), fields)
        .await
        .unwrap()
        .data;
    let fields = json!({"ciphertext_blob": made["ciphertext_blob"], "source_encryption_algorithm": "RSAES_OAEP_SHA_256"});
    let moved = bench
        .write(&format!("re-encrypt/{id}/{to}"), fields)
        .await
        .unwrap()
        .data;
    let blob = moved["ciphertext_blob"].as_str().unwrap();
    assert_eq!(decrypt(&bench, &to, blob).await.unwrap(), "text");
    let long = encrypt(&bench, &to, &"x".repeat(300)).await;
    let fields =
        json!({"ciphertext_blob": long, "destination_encryption_algorithm": "RSAES_OAEP_SHA_256"});
    assert_eq!(
        refused(&bench, &format!("re-encrypt/{to}/{id}"), fields).await,
        "ValidationException"
    );
}

#[tokio::test]
async fn data_key_pairs_open_with_their_master_key() {
    let bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    for (spec, kind) in [
        ("RSA_2048", PairKind::Rsa2048),
        ("ECC_NIST_P256", PairKind::EcdsaP256),
        ("ECC_NIST_P384", PairKind::EcdsaP384),
        ("ECC_NIST_P521", PairKind::EcdsaP521),
        ("ECC_NIST_EDWARDS25519", PairKind::Ed25519),
    ] {
        let fields = json!({"key_pair_spec": spec, "encryption_context": {"a": "b"}});
        let made = bench
            .write(&format!("data-key-pair/{id}"), fields.clone())
            .await
            .unwrap()
            .data;
        let private = unb64(&made["private_key_plaintext"]);
        let pair = KeyPair::from_pkcs8(kind, &private).unwrap();
        assert_eq!(pair.public().to_spki(), unb64(&made["public_key"]));
        let open = json!({"ciphertext_blob": made["private_key_ciphertext_blob"], "encryption_context": {"a": "b"}});
        let opened = bench
            .write(&format!("decrypt/{id}"), open)
            .await
            .unwrap()
            .data;
        assert_eq!(unb64(&opened["plaintext"]), private);
        let path = format!("data-key-pair-without-plaintext/{id}");
        let without = bench.write(&path, fields).await.unwrap().data;
        assert!(without.get("private_key_plaintext").is_none());
        assert_ne!(without["public_key"], made["public_key"]);
    }
    let path = format!("data-key-pair/{id}");
    for (spec, wanted) in [
        ("SM2", "UnsupportedOperationException"),
        ("ECC_SECG_P256K1", "UnsupportedOperationException"),
        ("ML_KEM_512", "UnsupportedOperationException"),
        ("ML_DSA_44", "ValidationException"),
        ("SYMMETRIC_DEFAULT", "ValidationException"),
        ("HMAC_256", "ValidationException"),
        ("", "ValidationException"),
    ] {
        assert_eq!(
            refused(&bench, &path, json!({"key_pair_spec": spec})).await,
            wanted,
            "{spec}"
        );
    }
}
