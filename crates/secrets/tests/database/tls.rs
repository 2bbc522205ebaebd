use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::json;

use super::postgres::Postgres;
use super::{bench, invalid, login, role};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Certificate and key for this host, in PEM.
    fn sign(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

#[tokio::test]
async fn modes_check_what_they_promise() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("localhost");
    let server = Postgres::start_with_tls(&certificate, &key);
    let (own, stranger) = (authority.pem.as_str(), Authority::new().pem);
    let bench = bench().await;
    for (host, query, ca, refusal) in [
        ("localhost", "sslmode=verify-full", own, None),
        (
            "localhost",
            "sslmode=verify-full&channel_binding=require",
            own,
            None,
        ),
        (
            "localhost",
            "sslmode=verify-full",
            stranger.as_str(),
            Some("certificate"),
        ),
        ("localhost", "sslmode=verify-full", "", Some("certificate")),
        ("127.0.0.1", "sslmode=verify-full", own, Some("certificate")),
        ("127.0.0.1", "sslmode=verify-ca", own, None),
        (
            "127.0.0.1",
            "sslmode=verify-ca",
            stranger.as_str(),
            Some("certificate"),
        ),
        ("127.0.0.1", "sslmode=verify-ca", "", Some("certificate")),
        ("127.0.0.1", "sslmode=require", "", None),
        ("127.0.0.1", "sslmode=require", own, None),
        (
            "127.0.0.1",
            "sslmode=require",
            stranger.as_str(),
            Some("certificate"),
        ),
        ("127.0.0.1", "sslmode=prefer", "", None),
        ("127.0.0.1", "sslmode=allow", "", None),
        ("127.0.0.1", "", "", None),
        ("127.0.0.1", "sslmode=disable", "", Some("no encryption")),
        ("localhost", "sslmode=verify-full", "no PEM", Some("tls_ca")),
    ] {
        let mut config = server.config();
        config["connection_url"] = json!(server.url(host, query));
        config["tls_ca"] = json!(ca);
        let answer = bench.write("config/pg", config).await;
        match refusal {
            None => assert!(answer.is_ok(), "{host} {query}: {answer:?}"),
            Some(reason) => {
                let text = invalid(answer);
                assert!(text.contains(reason), "{host} {query}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn users_are_made_over_tls() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("localhost");
    let server = Postgres::start_with_tls(&certificate, &key);
    let bench = bench().await;
    let mut config = server.config();
    config["connection_url"] = json!(server.url("localhost", "sslmode=verify-full"));
    config["tls_ca"] = json!(authority.pem);
    bench.write("config/pg", config).await.unwrap();
    role(&bench, json!({})).await;
    let (user, password, lease) = login(&bench.read("creds/app").await.unwrap());
    // And tried as the configuration says.
    let tried = json!({"username": user, "password": password});
    let said = bench.write("verify-login/pg", tried.clone()).await.unwrap();
    assert_eq!(said.data["accepted"], true, "{said:?}");
    bench.revoke(&lease).await.unwrap();
    let said = bench.write("verify-login/pg", tried).await.unwrap();
    assert_eq!(said.data["accepted"], false, "{said:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_taken_for_one_with() {
    let server = Postgres::start();
    let bench = bench().await;
    for (mode, works) in [
        ("prefer", true),
        ("allow", true),
        ("require", false),
        ("verify-full", false),
    ] {
        let mut config = server.config();
        config["connection_url"] = json!(server.url("127.0.0.1", &format!("sslmode={mode}")));
        assert_eq!(
            bench.write("config/pg", config).await.is_ok(),
            works,
            "{mode}"
        );
    }
}
