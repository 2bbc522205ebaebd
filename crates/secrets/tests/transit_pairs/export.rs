use coffer_crypto::pair::{KeyPair, Oaep, OaepHash, PairKind, PublicKey};
use coffer_crypto::{key_wrap, pem};
use coffer_engine::Fault;
use coffer_wire::Verb;
use serde_json::json;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn each_part_of_each_kind() {
    let bench = Bench::<Transit>::new().await;
    let ciphers = [
        "aes128-gcm96",
        "aes256-gcm96",
        "chacha20-poly1305",
        "xchacha20-poly1305",
    ];
    for kind in KINDS.into_iter().chain(ciphers).chain(["hmac"]) {
        key(&bench, kind, kind).await;
        let mut parts = Vec::new();
        for part in ["encryption-key", "signing-key", "hmac-key", "public-key"] {
            match bench.read(&format!("export/{part}/{kind}")).await {
                Ok(answered) => {
                    assert_eq!(answered.data["type"], kind);
                    assert!(
                        answered.data["keys"]["1"]
                            .as_str()
                            .is_some_and(|key| !key.is_empty())
                    );
                    parts.push(part);
                }
                Err(Fault::Invalid(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        let wanted: &[&str] = match kind {
            "hmac" => &["hmac-key"],
            "rsa-2048" => &["encryption-key", "signing-key", "hmac-key", "public-key"],
            kind if ciphers.contains(&kind) => &["encryption-key", "hmac-key"],
            _ => &["signing-key", "hmac-key", "public-key"],
        };
        assert_eq!(parts, wanted, "{kind}");
    }
    assert!(matches!(
        bench.read("export/x/ed25519").await,
        Err(Fault::Invalid(_))
    ));
    assert!(matches!(
        bench.read("export/signing-key/absent").await,
        Err(Fault::NotFound)
    ));
}

#[tokio::test]
async fn what_is_exported_is_the_key_that_signs() {
    let bench = Bench::<Transit>::new().await;
    key(&bench, "ed", "ed25519").await;
    let exported = bench.read("export/signing-key/ed").await.unwrap().data;
    let whole = decoded(&exported["keys"]["1"]);
    let seed: &[u8; 32] = whole.first_chunk().unwrap();
    let pair = KeyPair::from_seed(PairKind::Ed25519, seed).unwrap();
    assert_eq!(pair.public().bits(), whole[32..]);
    key(&bench, "curve", "ecdsa-p384").await;
    let exported = bench.read("export/signing-key/curve").await.unwrap().data;
    let text = exported["keys"]["1"].as_str().unwrap();
    assert_eq!(pem::read(text).unwrap().0, pem::EC_PRIVATE_KEY);
    assert!(!text.ends_with('\n'));
    let public = bench.read("export/public-key/curve").await.unwrap().data;
    let public = public["keys"]["1"].as_str().unwrap();
    assert_eq!(
        PublicKey::from_pem(public).unwrap().kind(),
        PairKind::EcdsaP384
    );
}

#[tokio::test]
async fn only_what_may_leave_does_and_only_usable_versions() {
    let bench = Bench::<Transit>::new().await;
    bench
        .write("keys/kept", json!({"type": "ed25519"}))
        .await
        .unwrap();
    for part in ["signing-key", "hmac-key"] {
        let refused = bench.read(&format!("export/{part}/kept")).await;
        assert!(matches!(refused, Err(Fault::Invalid(why)) if why.contains("not exportable")));
    }
    assert!(bench.read("export/public-key/kept").await.is_ok());
    key(&bench, "k", "aes256-gcm96").await;
    for _ in 0..2 {
        bench.write("keys/k/rotate", json!({})).await.unwrap();
    }
    bench
        .write("keys/k/config", json!({"min_decryption_version": 2}))
        .await
        .unwrap();
    let numbers = |data: &Value| {
        data["keys"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let all = bench.read("export/encryption-key/k").await.unwrap().data;
    assert_eq!(numbers(&all), ["2", "3"]);
    let latest = bench
        .read("export/encryption-key/k/latest")
        .await
        .unwrap()
        .data;
    assert_eq!(numbers(&latest), ["3"]);
    for version in ["0", "1", "4", "-1", "x", "99999999999"] {
        let refused = bench
            .read(&format!("export/encryption-key/k/{version}"))
            .await;
        assert!(matches!(refused, Err(Fault::Invalid(_))), "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrapped_in_another_key_only_its_holder_reads_it() {
    let bench = Bench::<Transit>::new().await;
    key(&bench, "outer", "rsa-2048").await;
    let outer = bench.read("export/signing-key/outer").await.unwrap().data;
    let backup = bench.read("backup/outer").await.unwrap();
    drop(backup);
    let outer = outer["keys"]["1"].as_str().unwrap();
    let (_, pkcs1) = pem::read(outer).unwrap();
    for (kind, length) in [("aes256-gcm96", 32), ("hmac", 32), ("ed25519", 48)] {
        key(&bench, kind, kind).await;
        let wrapped = bench
            .read(&format!("byok-export/outer/{kind}"))
            .await
            .unwrap()
            .data;
        let wrapped = decoded(&wrapped["keys"]["1"]);
        let (sealed, inner) = wrapped.split_at(256);
        let ephemeral = private(&pkcs1)
            .decrypt(Oaep::new(OaepHash::Sha256), sealed)
            .unwrap();
        let inner = key_wrap::unwrap_kwp(&ephemeral, inner).unwrap();
        assert_eq!(inner.len(), length, "{kind}");
    }
    bench.write("keys/kept", json!({})).await.unwrap();
    for path in [
        "outer/kept",
        "aes256-gcm96/outer",
        "absent/outer",
        "outer/absent",
    ] {
        let refused = bench.read(&format!("byok-export/{path}")).await;
        assert!(matches!(refused, Err(Fault::Invalid(_))), "{path}");
    }
}

/// A pair from PKCS #1, put into PKCS #8 (RFC 5208) by hand.
fn private(pkcs1: &[u8]) -> KeyPair {
    let algorithm = hex::decode("300d06092a864886f70d0101010500").unwrap();
    let long = |tag: u8, content: Vec<u8>| {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        [vec![tag, 0x82, high, low], content].concat()
    };
    let inner = [
        hex::decode("020100").unwrap(),
        algorithm,
        long(0x04, pkcs1.to_vec()),
    ]
    .concat();
    KeyPair::from_pkcs8(PairKind::Rsa2048, &long(0x30, inner)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_format_is_the_same_key() {
    let bench = Bench::<Transit>::new().await;
    let read = async |path: String| {
        let (path, format) = path.split_once("?format=").unwrap_or((&path, ""));
        let answer = bench.request(Verb::Read, path, json!({"format": format}));
        answer.await.map(|answer| answer.data["keys"]["1"].clone())
    };
    for kind in KINDS {
        key(&bench, kind, kind).await;
        let (private, public) = (
            format!("export/signing-key/{kind}"),
            format!("export/public-key/{kind}"),
        );
        let of = PublicKey::from_spki(&decoded(
            &read(format!("{public}?format=der")).await.unwrap(),
        ));
        let of = of.unwrap();
        let text = read(format!("{public}?format=pem")).await.unwrap();
        assert_eq!(PublicKey::from_pem(text.as_str().unwrap()).unwrap(), of);
        let document = decoded(&read(format!("{private}?format=der")).await.unwrap());
        let pair = KeyPair::from_pkcs8(of.kind(), &document).unwrap();
        assert_eq!(pair.public(), &of);
        let text = read(format!("{private}?format=pem")).await.unwrap();
        let (label, inner) = pem::read(text.as_str().unwrap()).unwrap();
        assert_eq!((label, &*inner), (pem::PRIVATE_KEY, &document));
        let (raw, natural) = (
            read(format!("{public}?format=raw")).await,
            read(public).await.unwrap(),
        );
        if of.kind().has_seed() {
            assert_eq!(decoded(&natural), of.bits());
            assert_eq!(raw.unwrap(), natural);
            let seed = decoded(&read(format!("{private}?format=raw")).await.unwrap());
            assert_eq!(seed[..32], pair.seed().unwrap().expose()[..]);
            assert_eq!(seed.len(), if kind == "ed25519" { 64 } else { 32 });
        } else {
            assert!(matches!(raw, Err(Fault::Invalid(why)) if why.contains("`der`")));
            let refused = read(format!("{private}?format=raw")).await;
            assert!(matches!(refused, Err(Fault::Invalid(_))), "{kind}");
        }
    }
    key(&bench, "cipher", "aes256-gcm96").await;
    for (path, taken) in [
        ("export/encryption-key/cipher?format=raw", true),
        ("export/encryption-key/cipher?format=der", false),
        ("export/hmac-key/ed25519?format=raw", true),
        ("export/hmac-key/ed25519?format=pem", false),
        ("export/public-key/ed25519?format=x", false),
        ("export/public-key/absent?format=x", false),
    ] {
        match read(path.to_owned()).await {
            Ok(_) => assert!(taken, "{path}"),
            Err(Fault::Invalid(_)) => assert!(!taken, "{path}"),
            Err(other) => panic!("{path}: {other:?}"),
        }
    }
}
