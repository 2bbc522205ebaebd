//! The cert method by path.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coffer_auth::cert::Cert;
use coffer_crypto::Zeroizing;
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_engine::testing::Bench;
use coffer_engine::{Answer, Fault, Login};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// An authority.
struct Authority {
    pem: String,
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate.
struct Made {
    pem: String,
    der: Vec<u8>,
}

fn params(common_name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_after = date_time_ymd(2030, 1, 1);
    params
}

fn authority(common_name: &str) -> Authority {
    let mut params = params(common_name, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    Authority {
        pem: made.pem(),
        der: made.der().to_vec(),
        issuer: Issuer::new(params, key),
    }
}

impl Authority {
    fn sign(&self, common_name: &str, serial: u64) -> Made {
        let mut params = params(common_name, serial);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        Made {
            pem: made.pem(),
            der: made.der().to_vec(),
        }
    }

    /// A list of these, made in a year.
    fn revoking(&self, serials: &[u64], year: i32) -> Vec<u8> {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(year, 1, 1),
            next_update: date_time_ymd(2028, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().der().to_vec()
    }
}

async fn role(bench: &Bench<Cert>, name: &str, certificate: &str, more: Value) {
    let mut fields = json!({ "certificate": certificate, "token_policies": "p" });
    for (field, value) in more.as_object().unwrap() {
        fields[field] = value.clone();
    }
    bench.write(&format!("certs/{name}"), fields).await.unwrap();
}

fn show(bench: &mut Bench<Cert>, certificates: &[&[u8]]) {
    bench.certificates = certificates.iter().map(|der| der.to_vec()).collect();
}

async fn login(bench: &Bench<Cert>) -> Result<Box<Login>, Fault> {
    Ok(bench.write("login", json!({})).await?.reply.login.unwrap())
}

async fn refused(bench: &Bench<Cert>) -> String {
    login(bench).await.map(drop).unwrap_err().to_string()
}

#[tokio::test]
async fn the_table_is_free_of_faults() {
    use coffer_engine::Engine;
    assert!(Cert::routes().faults().is_empty());
}

#[tokio::test]
async fn a_login_is_what_role_and_certificate_say() {
    let (ca, mut bench) = (authority("CA"), Bench::<Cert>::new().await);
    let web = ca.sign("web", 77);
    let more = json!({ "token_ttl": "20m", "display_name": "Web" });
    role(&bench, "Web", &ca.pem, more).await;
    show(&mut bench, &[&web.der]);
    let made = login(&bench).await.unwrap();
    assert_eq!(made.policies, ["p"]);
    assert_eq!(
        (made.ttl.as_secs(), made.display_name.as_str()),
        (1200, "Web")
    );
    assert_eq!(made.metadata["cert_name"], "web");
    assert_eq!(made.metadata["serial_number"], "77");
    let alias = made.alias.unwrap();
    assert_eq!((alias.name.as_str(), alias.metadata.len()), ("web", 0));
    bench
        .write("config", json!({ "enable_identity_alias_metadata": true }))
        .await
        .unwrap();
    let notes = json!({ "alias_metadata": { "team": "red", "common_name": "other" } });
    role(&bench, "web", &ca.pem, notes).await;
    let alias = login(&bench).await.unwrap().alias.unwrap();
    assert_eq!(alias.metadata["common_name"], "web");
    assert_eq!(alias.metadata["team"], "red");
}

#[tokio::test]
async fn time_ends_certificates() {
    let (ca, mut bench) = (authority("CA"), Bench::<Cert>::new().await);
    role(&bench, "web", &ca.pem, json!({})).await;
    let web = ca.sign("web", 2);
    role(&bench, "pin", &web.pem, json!({})).await;
    show(&mut bench, &[&web.der]);
    login(&bench).await.unwrap();
    bench.advance(4 * 365 * DAY);
    assert!(refused(&bench).await.contains("expired"));
}

#[tokio::test]
async fn who_shows_nothing_or_too_much_is_refused() {
    let (ca, mut bench) = (authority("CA"), Bench::<Cert>::new().await);
    role(&bench, "web", &ca.pem, json!({})).await;
    assert_eq!(refused(&bench).await, "no client certificate found");
    let web = ca.sign("web", 2);
    let (junk, long) = (vec![0_u8; 10], vec![0_u8; 300_000]);
    let mut many: Vec<&[u8]> = vec![&web.der];
    many.resize(128, &junk);
    show(&mut bench, &many);
    login(&bench).await.unwrap();
    many.push(&junk);
    show(&mut bench, &many);
    assert!(refused(&bench).await.contains("too many certificates"));
    show(&mut bench, &[&web.der, &long]);
    assert!(refused(&bench).await.contains("too many certificates"));
    show(&mut bench, &[&junk]);
    assert!(refused(&bench).await.contains("invalid certificate"));
}

/// A hundred authorities of one name, strangers to one another or all with one key: the work that a client can cause ends.
#[tokio::test]
async fn paths_that_never_end_are_given_up() {
    let (ca, mut bench) = (authority("CA"), Bench::<Cert>::new().await);
    role(&bench, "web", &ca.pem, json!({})).await;
    let between = authority("Between");
    let web = between.sign("web", 2);
    let strangers: Vec<Vec<u8>> = (0..100).map(|_| authority("Between").der).collect();
    let twins: Vec<Vec<u8>> = (0..100).map(|serial| again(&between, serial)).collect();
    for others in [&strangers, &twins] {
        let mut shown: Vec<&[u8]> = vec![&web.der];
        shown.extend(others.iter().map(Vec::as_slice));
        shown.push(&ca.der);
        show(&mut bench, &shown);
        let begun = std::time::Instant::now();
        login(&bench).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}

/// Another certificate of an authority's own key.
fn again(of: &Authority, serial: u64) -> Vec<u8> {
    let mut params = params("Between", serial);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let made = params.self_signed(of.issuer.key()).unwrap();
    made.der().to_vec()
}

#[tokio::test]
async fn a_renewal_asks_again() {
    let (ca, mut bench) = (authority("CA"), Bench::<Cert>::new().await);
    role(&bench, "web", &ca.pem, json!({ "token_ttl": "20m" })).await;
    let (web, other) = (ca.sign("web", 2), ca.sign("web", 2));
    show(&mut bench, &[&web.der]);
    let payload = login(&bench).await.unwrap().payload;
    assert!(!payload.to_string().contains("BEGIN"));
    role(&bench, "web", &ca.pem, json!({ "token_ttl": "10m" })).await;
    let stay = bench.stay(payload.clone()).await.unwrap().unwrap();
    assert_eq!(stay.ttl, Some(Duration::from_secs(600)));
    show(&mut bench, &[&other.der]);
    let why = bench.stay(payload.clone()).await.unwrap().unwrap_err();
    assert!(why.to_string().contains("not matching"));
    bench
        .write("config", json!({ "disable_binding": true }))
        .await
        .unwrap();
    bench.stay(payload.clone()).await.unwrap().unwrap();
    bench.delete("certs/web").await.unwrap();
    assert!(bench.stay(payload).await.unwrap().is_err());
}

/// A publisher of a list, or a responder.
struct Fake {
    body: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
}

impl Outbound for Fake {
    fn fetch<'a>(&'a self, _: &'a str, request: Request) -> Answer<'a, Response> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(request.most <= 8 << 20);
        let body = self.body.lock().unwrap().clone();
        let response = Response {
            status: 200,
            media_type: String::new(),
            body: Zeroizing::new(body),
        };
        Box::pin(std::future::ready(Ok(response)))
    }
}

#[tokio::test]
async fn a_fetched_list_is_fetched_again_and_never_goes_back() {
    let (ca, mut bench) = (authority("CA"), Bench::<Cert>::new().await);
    let (web, mail) = (ca.sign("web", 2), ca.sign("mail", 3));
    role(&bench, "web", &ca.pem, json!({})).await;
    let body = Arc::new(Mutex::new(ca.revoking(&[2], 2026)));
    let asked = Arc::new(AtomicUsize::new(0));
    bench.reach(Fake {
        body: Arc::clone(&body),
        asked: Arc::clone(&asked),
    });
    bench
        .write("crls/cdp", json!({ "url": "http://crl/" }))
        .await
        .unwrap();
    show(&mut bench, &[&web.der]);
    assert!(refused(&bench).await.contains("revoked"));
    bench.tick().await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1, "it is not due");

    // What comes does not count: nonsense, another issuer's, an older one.
    for wrong in [
        b"nonsense".to_vec(),
        authority("Other").revoking(&[], 2026),
        ca.revoking(&[], 2025),
    ] {
        *body.lock().unwrap() = wrong;
        bench.advance(DAY);
        bench.tick().await.unwrap();
        assert!(refused(&bench).await.contains("revoked"));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 4);

    *body.lock().unwrap() = ca.revoking(&[2, 3], 2027);
    bench.advance(DAY);
    bench.tick().await.unwrap();
    show(&mut bench, &[&mail.der]);
    assert!(refused(&bench).await.contains("revoked"));

    // One with the right name that somebody else signed lets nobody in.
    *body.lock().unwrap() = authority("CA").revoking(&[], 2027);
    bench.advance(DAY);
    bench.tick().await.unwrap();
    assert!(refused(&bench).await.contains("not signed by its issuer"));
    bench.delete("crls/cdp").await.unwrap();
    login(&bench).await.unwrap();
}

#[tokio::test]
async fn an_unreachable_responder_refuses_unless_the_role_lets_it_pass() {
    let (ca, mut bench) = (authority("CA"), Bench::<Cert>::new().await);
    let fields = json!({ "ocsp_enabled": true, "ocsp_servers_override": "http://ocsp/" });
    role(&bench, "web", &ca.pem, fields).await;
    show(&mut bench, &[&ca.sign("web", 2).der]);
    assert!(refused(&bench).await.contains("no OCSP responder"));
    role(&bench, "web", &ca.pem, json!({ "ocsp_fail_open": true })).await;
    login(&bench).await.unwrap();
}

#[tokio::test]
async fn lists_are_given_in_both_forms_and_shown_by_number() {
    let (ca, bench) = (authority("CA"), Bench::<Cert>::new().await);
    assert!(bench.read("crls/a").await.is_err());
    assert!(bench.delete("crls/a").await.is_err());
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2028, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let pem = list.signed_by(&ca.issuer).unwrap().pem().unwrap();
    bench.write("crls/A", json!({ "crl": pem })).await.unwrap();
    assert_eq!(bench.list("crls").await.unwrap(), ["a"]);
    let shown = bench.read("crls/a").await.unwrap().data;
    assert_eq!(shown, json!({ "serials": {} }));
}

/// Many roles, and a client that names none: the right one is found, and a change of a role counts at once.
#[tokio::test]
async fn a_role_is_found_among_many() {
    let (ca, mut bench) = (authority("CA"), Bench::<Cert>::new().await);
    let other = authority("Other");
    for at in 0..250 {
        role(&bench, &format!("r{at:03}"), &other.pem, json!({})).await;
    }
    show(&mut bench, &[&ca.sign("web", 2).der]);
    assert!(refused(&bench).await.contains("invalid certificate"));
    role(&bench, "r249", &ca.pem, json!({})).await;
    let made = login(&bench).await.unwrap();
    assert_eq!(made.metadata["cert_name"], "r249");
    role(&bench, "r249", &other.pem, json!({})).await;
    assert!(refused(&bench).await.contains("invalid certificate"));
}
