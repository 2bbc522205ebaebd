use coffer_crypto::Hash;
use coffer_crypto::pair::{Input, PairKind, PublicKey, RsaPadding, Scheme};
use coffer_engine::Fault;
use der::{Decode as _, Encode as _};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData, SignatureAlgorithm,
};
use serde_json::json;
use x509_cert::request::CertReq;

use super::*;

fn authority() -> (String, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap().pem();
    (certificate, Issuer::new(params, key))
}

/// The key of a request whose signature is right.
struct Requested(PublicKey);

impl Requested {
    fn read(csr: &str) -> Self {
        let (_, document) = coffer_crypto::pem::read(csr).unwrap();
        let request = CertReq::from_der(&document).unwrap();
        let key = request.info.public_key.to_der().unwrap();
        let key = PublicKey::from_spki(&key).unwrap();
        let hash = match key.kind() {
            PairKind::EcdsaP384 => Hash::Sha384,
            _ => Hash::Sha256,
        };
        let scheme = Scheme {
            hash: hash.into(),
            padding: RsaPadding::Pkcs1v15,
        };
        let signed = request.info.to_der().unwrap();
        let signature = request.signature.as_bytes().unwrap();
        assert!(key.verify(&scheme, Input::Message(&signed), signature));
        Self(key)
    }

    fn certified(&self, issuer: &Issuer<'_, KeyPair>) -> String {
        let params = CertificateParams::default();
        params.signed_by(self, issuer).unwrap().pem()
    }
}

impl PublicKeyData for Requested {
    fn der_bytes(&self) -> &[u8] {
        Box::leak(self.0.bits().into_boxed_slice())
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.0.kind() {
            PairKind::Ed25519 => &rcgen::PKCS_ED25519,
            PairKind::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            PairKind::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            _ => &rcgen::PKCS_RSA_SHA256,
        }
    }
}

async fn request(bench: &Bench<Transit>, name: &str, body: Value) -> String {
    let made = data(bench, &format!("keys/{name}/csr"), body).await;
    made["csr"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_becomes_a_certificate_that_stays_with_its_version() {
    let bench = Bench::<Transit>::new().await;
    let (root, issuer) = authority();
    for kind in ["ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-2048"] {
        key(&bench, kind, kind).await;
        // Whoever reads it checks its signature.
        let csr = request(&bench, kind, json!({})).await;
        let leaf = Requested::read(&csr).certified(&issuer);
        let chain = format!("{leaf}{root}");
        let path = format!("keys/{kind}/set-certificate");
        let kept = data(&bench, &path, json!({"certificate_chain": chain})).await;
        assert_eq!(
            kept["certificate_chain"]
                .as_str()
                .unwrap()
                .replace('\r', ""),
            chain.replace('\r', "")
        );
        let exported = bench
            .read(&format!("export/certificate-chain/{kind}"))
            .await
            .unwrap();
        let exported = exported.data["keys"]["1"].as_str().unwrap().to_owned();
        assert!(exported.contains("BEGIN CERTIFICATE") && !exported.ends_with('\n'));
        let shown = bench.read(&format!("keys/{kind}")).await.unwrap().data;
        assert_eq!(
            shown["keys"]["1"]["certificate_chain"]
                .as_str()
                .unwrap()
                .trim_end(),
            exported
        );
        bench
            .write(&format!("keys/{kind}/rotate"), json!({}))
            .await
            .unwrap();
        let why = refusal(&bench, &path, json!({"certificate_chain": chain})).await;
        assert!(why.contains("another key"), "{why}");
        let one = json!({"certificate_chain": chain, "version": 1});
        bench.write(&path, one).await.unwrap();
    }
}

#[tokio::test]
async fn a_template_gives_its_subject_and_attributes() {
    let bench = Bench::<Transit>::new().await;
    key(&bench, "k", "ecdsa-p256").await;
    let template = CertificateParams::new(vec!["a.example.com".to_owned()]).unwrap();
    let template = template
        .serialize_request(&KeyPair::generate().unwrap())
        .unwrap();
    let csr = request(&bench, "k", json!({"csr": template.pem().unwrap()})).await;
    let (_, document) = coffer_crypto::pem::read(&csr).unwrap();
    let read = |text: &[u8]| text.windows(13).any(|window| window == b"a.example.com");
    assert!(read(&document), "the alternative name is there");
    Requested::read(&csr);
    let own = bench.read("keys/k").await.unwrap().data;
    let own = own["keys"]["1"]["public_key"].as_str().unwrap();
    let (_, own) = coffer_crypto::pem::read(own).unwrap();
    assert!(
        document.windows(own.len()).any(|window| window == &own[..]),
        "the key is its own"
    );
}

#[tokio::test]
async fn what_is_no_chain_of_the_key_is_refused() {
    let bench = Bench::<Transit>::new().await;
    key(&bench, "k", "ecdsa-p256").await;
    key(&bench, "aes", "aes256-gcm96").await;
    bench
        .write("keys/d", json!({"type": "ed25519", "derived": true}))
        .await
        .unwrap();
    let (root, issuer) = authority();
    let csr = request(&bench, "k", json!({})).await;
    let leaf = Requested::read(&csr).certified(&issuer);
    let stranger = CertificateParams::default();
    let stranger = stranger
        .signed_by(&KeyPair::generate().unwrap(), &issuer)
        .unwrap()
        .pem();
    for (chain, reason) in [
        ("", "did not contain"),
        ("x", "PEM block"),
        (&format!("{leaf}x"), "PEM block"),
        (&leaf.replace("MII", "MIX"), "certificate"),
        (&root, "leaf"),
        (&format!("{root}{leaf}"), "leaf"),
        (&format!("{leaf}{stranger}"), "CA certificate"),
        (&stranger, "another key"),
        (&format!("{leaf}{}", root.repeat(32)), "more than 32"),
    ] {
        let body = json!({"certificate_chain": chain});
        let why = refusal(&bench, "keys/k/set-certificate", body).await;
        assert!(why.contains(reason), "{chain:.40}: {why}");
    }
    let good = json!({"certificate_chain": format!("{leaf}{root}"), "version": 2});
    assert!(
        refusal(&bench, "keys/k/set-certificate", good)
            .await
            .contains("no such key version")
    );
    let none = bench.read("export/certificate-chain/k").await;
    assert!(matches!(none, Err(Fault::Invalid(why)) if why.contains("does not have")));
    for (name, body, reason) in [
        ("absent", json!({}), "not found"),
        ("aes", json!({}), "does not support signing"),
        ("d", json!({}), "derivation"),
        ("k", json!({"version": 0}), "no such key version"),
        ("k", json!({"version": 2}), "no such key version"),
        ("k", json!({"csr": "x"}), "PEM"),
        ("k", json!({"csr": leaf}), "PEM"),
        (
            "k",
            json!({"csr": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"}),
            "parse",
        ),
    ] {
        let why = refusal(&bench, &format!("keys/{name}/csr"), body).await;
        assert!(why.contains(reason), "{name}: {why}");
    }
}
