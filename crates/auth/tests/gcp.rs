//! The gcp method by path, with a Google that the test holds in its hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_auth::gcp::Gcp;
use coffer_crypto::jose::{show_key, sign};
use coffer_crypto::sign::{Algorithm, SigningKey};
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_engine::testing::Bench;
use coffer_engine::{Answer, Fault, Login};
use parking_lot::Mutex;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const EMAIL: &str = "web@shop.iam.gserviceaccount.com";
const ID: &str = "111111111111111111111";
const MACHINE: &str =
    "https://www.googleapis.com/compute/v1/projects/shop/zones/us-east1-b/instances/vm";

/// Google: what is at its addresses, and two keys: an account's, and its own.
struct Google {
    pages: Mutex<BTreeMap<String, Value>>,
    asked: Mutex<Vec<Request>>,
    account: SigningKey,
    own: SigningKey,
}

struct At(Arc<Google>);

impl Outbound for At {
    fn fetch<'a>(&'a self, _: &'a str, request: Request) -> Answer<'a, Response> {
        let page = self.0.pages.lock().get(&request.url).cloned();
        self.0.asked.lock().push(request);
        let response = Response {
            status: if page.is_some() { 200 } else { 404 },
            media_type: "application/json".into(),
            body: coffer_crypto::Zeroizing::new(page.unwrap_or_default().to_string().into_bytes()),
        };
        Box::pin(std::future::ready(Ok(response)))
    }
}

impl Google {
    fn put(&self, url: &str, page: Value) {
        self.pages.lock().insert(url.to_owned(), page);
    }

    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock());
        asked.into_iter().map(|request| request.url).collect()
    }
}

struct Scene {
    bench: Bench<Gcp>,
    google: Arc<Google>,
}

impl Scene {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let google = Arc::new(Google {
            pages: Mutex::default(),
            asked: Mutex::default(),
            account: SigningKey::generate(Algorithm::Rs256).unwrap(),
            own: SigningKey::generate(Algorithm::Rs256).unwrap(),
        });
        let certificates = json!({ "key-1": certificate(&google.account) });
        for name in [EMAIL, ID] {
            let at = format!("https://www.googleapis.com/service_accounts/v1/metadata/x509/{name}");
            google.put(&at, certificates.clone());
        }
        let own = show_key("google-1", google.own.verifying_key()).unwrap();
        google.put(
            "https://www.googleapis.com/oauth2/v3/certs",
            json!({ "keys": [own] }),
        );
        bench.reach(At(Arc::clone(&google)));
        Self { bench, google }
    }

    /// What Google says to whom asks with credentials.
    async fn with_credentials(&self) {
        let google = &self.google;
        google.put(
            "https://oauth2.googleapis.com/token",
            json!({ "access_token": "ya29.x", "expires_in": 3599 }),
        );
        let account = json!({ "email": EMAIL, "uniqueId": ID, "projectId": "shop" });
        for name in [EMAIL, ID] {
            let at = format!("https://iam.googleapis.com/v1/projects/-/serviceAccounts/{name}");
            google.put(&at, account.clone());
        }
        let at =
            "https://compute.googleapis.com/compute/v1/projects/shop/zones/us-east1-b/instances/vm";
        google.put(
            at,
            json!({ "id": "77", "selfLink": MACHINE, "labels": { "env": "prod" } }),
        );
        let config = json!({ "credentials": credentials(&google.account).to_string() });
        self.bench.write("config", config).await.unwrap();
    }

    async fn role(&self, name: &str, wish: Value) {
        self.bench
            .write(&format!("role/{name}"), wish)
            .await
            .unwrap();
    }

    async fn login(&self, role: &str, token: &str) -> Result<Box<Login>, Fault> {
        let asked = json!({ "role": role, "jwt": token });
        let answered = self.bench.write("login", asked).await?;
        Ok(answered.reply.login.unwrap())
    }

    fn by_account(&self, more: Value) -> String {
        let claims = json!({ "sub": EMAIL, "aud": "vault/web", "exp": NOW + 900 });
        sign(
            &self.google.account,
            "key-1",
            with(claims, more).to_string().as_bytes(),
        )
        .unwrap()
    }

    fn by_google(&self, more: Value) -> String {
        sign(
            &self.google.own,
            "google-1",
            with(machine(), more).to_string().as_bytes(),
        )
        .unwrap()
    }
}

/// What the token of a machine says.
fn machine() -> Value {
    json!({
        "iss": "https://accounts.google.com", "sub": ID, "email": EMAIL, "email_verified": true,
        "aud": "http://vault/vm", "iat": NOW, "exp": NOW + 3600, "azp": ID,
        "google": { "compute_engine": {
            "project_id": "shop", "project_number": 42, "zone": "us-east1-b", "instance_id": "77",
            "instance_name": "vm", "instance_creation_timestamp": 1_700_000_000,
        } },
    })
}

fn with(mut value: Value, more: Value) -> Value {
    let more = serde_json::from_value::<BTreeMap<String, Value>>(more).unwrap();
    value.as_object_mut().unwrap().extend(more);
    value
}

fn certificate(key: &SigningKey) -> String {
    let pair = rcgen::KeyPair::from_pem_and_sign_algo(&pem(key), &rcgen::PKCS_RSA_SHA256).unwrap();
    let parameters = rcgen::CertificateParams::new(vec![EMAIL.to_owned()]).unwrap();
    parameters.self_signed(&pair).unwrap().pem()
}

fn pem(key: &SigningKey) -> String {
    let body = STANDARD.encode(key.to_pkcs8().unwrap().expose());
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

fn credentials(key: &SigningKey) -> Value {
    json!({
        "type": "service_account", "project_id": "ops", "private_key_id": "k1", "private_key": pem(key),
        "client_email": "coffer@ops.iam.gserviceaccount.com", "client_id": "9", "token_uri": "https://oauth2.googleapis.com/token",
    })
}

fn iam() -> Value {
    json!({ "type": "iam", "bound_service_accounts": EMAIL })
}

fn gce() -> Value {
    json!({ "type": "gce", "bound_projects": "shop" })
}

#[tokio::test]
async fn a_service_account_signs_its_own_way_in() {
    let scene = Scene::new().await;
    scene
        .role("Web", with(iam(), json!({ "policies": "p", "ttl": "10m" })))
        .await;
    let login = scene
        .login("web", &scene.by_account(json!({})))
        .await
        .unwrap();
    assert_eq!(
        (login.policies.as_slice(), login.ttl.as_secs()),
        (&["p".to_owned()][..], 600)
    );
    let shown = scene.bench.read("role/web").await.unwrap().data;
    let alias = login.alias.unwrap();
    assert_eq!(alias.name, shown["role_id"].as_str().unwrap());
    assert_eq!(login.display_name, EMAIL);
    for metadata in [&login.metadata, &alias.metadata] {
        assert_eq!(metadata["service_account_email"], EMAIL);
        assert_eq!(
            (metadata["role"].as_str(), metadata["project_id"].as_str()),
            ("web", "shop")
        );
    }
    let asked = scene.google.asked();
    assert_eq!(
        asked,
        [format!(
            "https://www.googleapis.com/service_accounts/v1/metadata/x509/{EMAIL}"
        )]
    );
    for aud in [json!("http://vault/web"), json!(["x", "vault/WEB"])] {
        scene
            .login("WEB", &scene.by_account(json!({ "aud": aud })))
            .await
            .unwrap();
    }
    assert!(scene.google.asked().is_empty(), "keys are remembered");
}

#[tokio::test]
async fn tokens_of_accounts_are_for_one_role_and_a_short_time() {
    let scene = Scene::new().await;
    scene.role("web", iam()).await;
    for (more, word) in [
        (json!({ "aud": "vault/other" }), "audience"),
        (json!({ "aud": "web" }), "audience"),
        (json!({ "aud": "https://evil/vault/web" }), "audience"),
        (json!({ "aud": [] }), "audience"),
        (json!({ "exp": null }), "no expiration"),
        (json!({ "exp": NOW - 61 }), "expired"),
        (json!({ "exp": NOW + 901 }), "within 900 seconds"),
        (json!({ "nbf": NOW + 61 }), "not yet valid"),
        (json!({ "iat": NOW + 61 }), "not yet valid"),
    ] {
        let fault = scene
            .login("web", &scene.by_account(more.clone()))
            .await
            .unwrap_err();
        assert!(
            matches!(&fault, Fault::Forbidden(text) if text.contains(word)),
            "{more}: {fault}"
        );
    }
    scene.role("web", json!({ "max_jwt_exp": "1h" })).await;
    scene
        .login("web", &scene.by_account(json!({ "exp": NOW + 3600 })))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_stranger_sends_becomes_no_address() {
    let scene = Scene::new().await;
    scene.role("web", iam()).await;
    scene
        .role(
            "all",
            json!({ "type": "iam", "bound_service_accounts": "*" }),
        )
        .await;
    for sub in [
        json!("other@shop.iam.gserviceaccount.com"),
        json!("ann@example.com"),
        json!("../../../oauth2/v3/certs"),
        json!("web@shop.iam.gserviceaccount.com/../x"),
        json!("web@shop.iam.gserviceaccount.com?x=y"),
        json!("web@evilgserviceaccount.com"),
        json!(5),
        json!([EMAIL]),
        json!(null),
    ] {
        let token = scene.by_account(json!({ "sub": sub, "iss": "https://evil.example" }));
        assert!(
            matches!(scene.login("web", &token).await, Err(Fault::Denied)),
            "{sub}"
        );
    }
    assert!(scene.google.asked().is_empty());
    let token = scene
        .by_account(json!({ "sub": "other@shop.iam.gserviceaccount.com", "aud": "vault/all" }));
    let fault = scene.login("all", &token).await.unwrap_err();
    assert!(
        matches!(fault, Fault::Forbidden(_)),
        "Google knows no keys of it: {fault}"
    );
}

#[tokio::test]
async fn forged_tokens_are_refused_alike() {
    let scene = Scene::new().await;
    scene.role("web", iam()).await;
    scene.role("vm", gce()).await;
    let other = SigningKey::generate(Algorithm::Rs256).unwrap();
    let es = SigningKey::generate(Algorithm::Es256).unwrap();
    let claims = json!({ "sub": EMAIL, "aud": "vault/web", "exp": NOW + 900 }).to_string();
    let part =
        |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    for token in [
        "x".to_owned(),
        "x.y.z".to_owned(),
        format!(
            "{}.{}.AA",
            part(&json!({ "alg": "none" })),
            part(&json!({ "sub": EMAIL }))
        ),
        format!(
            "{}.{}.AA",
            part(&json!({ "alg": "HS256" })),
            part(&json!({ "sub": EMAIL }))
        ),
        sign(&other, "key-1", claims.as_bytes()).unwrap(),
        sign(&es, "key-1", claims.as_bytes()).unwrap(),
        // Signed by the one, and said to be the other's.
        sign(&scene.google.own, "key-1", claims.as_bytes()).unwrap(),
        sign(
            &scene.google.account,
            "google-1",
            machine().to_string().as_bytes(),
        )
        .unwrap(),
        scene.by_account(json!({ "x": "x".repeat(20_000) })),
    ] {
        for role in ["web", "vm"] {
            let fault = scene.login(role, &token).await.unwrap_err();
            assert!(
                matches!(fault, Fault::Denied | Fault::Forbidden(_)),
                "{fault}"
            );
        }
        assert!(matches!(
            scene.login("web", &token).await,
            Err(Fault::Denied)
        ));
    }
}

#[tokio::test]
async fn a_machine_is_what_google_says() {
    let scene = Scene::new().await;
    scene.role("vm", gce()).await;
    let config = json!({ "gce_alias": "instance_id", "gce_metadata": "instance_id,zone,role" });
    scene.bench.write("config", config).await.unwrap();
    let login = scene
        .login("vm", &scene.by_google(json!({})))
        .await
        .unwrap();
    let alias = login.alias.unwrap();
    assert_eq!(
        (alias.name.as_str(), login.display_name.as_str()),
        ("77", "vm")
    );
    let known = json!({ "instance_id": "77", "zone": "us-east1-b", "role": "vm" });
    assert_eq!(json!(login.metadata), known);
    assert_eq!(json!(alias.metadata), known);
    assert_eq!(
        scene.google.asked(),
        ["https://www.googleapis.com/oauth2/v3/certs"]
    );
    scene
        .bench
        .write("config", json!({ "gce_metadata": "default" }))
        .await
        .unwrap();
    let login = scene
        .login("vm", &scene.by_google(json!({})))
        .await
        .unwrap();
    assert_eq!(login.metadata.len(), 9);
    assert_eq!(login.metadata["project_number"], "42");
    for more in [
        json!({ "google": {} }),
        json!({ "google": { "compute_engine": 5 } }),
        json!({ "email_verified": false }),
        json!({ "email_verified": "true" }),
        json!({ "email": "ann@example.com" }),
        json!({ "sub": "ann" }),
        json!({ "aud": "http://vault/other" }),
        json!({ "exp": NOW - 61 }),
        json!({ "iss": "https://accounts.google.com.evil.example" }),
    ] {
        let refused = scene.login("vm", &scene.by_google(more.clone())).await;
        assert!(
            matches!(refused, Err(Fault::Denied | Fault::Forbidden(_))),
            "{more}"
        );
    }
}

#[tokio::test]
async fn bounds_of_machines_hold() {
    let scene = Scene::new().await;
    for (more, fine) in [
        (json!({ "bound_zones": "us-east1-b,eu-west2-a" }), true),
        (json!({ "bound_zones": "us-east1-c" }), false),
        (json!({ "bound_regions": "us-east1" }), true),
        (json!({ "bound_regions": "us-east" }), false),
        (
            json!({ "bound_zones": "us-east1-b", "bound_regions": "elsewhere" }),
            true,
        ),
        (json!({ "bound_projects": "other" }), false),
        (json!({ "bound_service_accounts": EMAIL }), true),
        (json!({ "bound_service_accounts": ID }), true),
        (
            json!({ "bound_service_accounts": "other@shop.iam.gserviceaccount.com" }),
            false,
        ),
    ] {
        scene.bench.delete("role/vm").await.unwrap();
        scene.role("vm", with(gce(), more.clone())).await;
        assert_eq!(
            scene.login("vm", &scene.by_google(json!({}))).await.is_ok(),
            fine,
            "{more}"
        );
    }
    let without = json!({ "type": "gce", "bound_zones": "us-east1-b" });
    assert!(scene.bench.write("role/open", without).await.is_err());
}

#[tokio::test]
async fn labels_and_groups_are_asked_by_the_credentials() {
    let scene = Scene::new().await;
    scene
        .role("vm", with(gce(), json!({ "bound_labels": "env:prod" })))
        .await;
    let fault = scene
        .login("vm", &scene.by_google(json!({})))
        .await
        .unwrap_err();
    assert!(
        matches!(&fault, Fault::Upstream(text) if text.contains("credentials")),
        "{fault}"
    );
    scene.with_credentials().await;
    scene
        .login("vm", &scene.by_google(json!({})))
        .await
        .unwrap();
    let asked = scene.google.asked.lock().clone();
    let bearer = asked
        .last()
        .unwrap()
        .headers
        .iter()
        .find(|(name, _)| name == "authorization");
    assert_eq!(bearer.unwrap().1.as_str(), "Bearer ya29.x");
    scene.google.asked();
    scene
        .role("vm", json!({ "bound_labels": "env:test" }))
        .await;
    assert!(
        scene
            .login("vm", &scene.by_google(json!({})))
            .await
            .is_err()
    );
    assert!(
        !scene
            .google
            .asked()
            .iter()
            .any(|url| url.contains("oauth2.googleapis")),
        "the token is remembered"
    );
    let group = json!({ "bound_labels": "", "bound_zones": "us-east1-b", "bound_instance_groups": "front,back" });
    scene.role("vm", group).await;
    assert!(
        scene
            .login("vm", &scene.by_google(json!({})))
            .await
            .is_err()
    );
    let at = "https://compute.googleapis.com/compute/v1/projects/shop/zones/us-east1-b/instanceGroups/back/listInstances";
    scene.google.put(
        at,
        json!({ "items": [{ "instance": "other" }], "nextPageToken": "two" }),
    );
    assert!(
        scene
            .login("vm", &scene.by_google(json!({})))
            .await
            .is_err()
    );
    scene.google.put(
        &format!("{at}?pageToken=two"),
        json!({ "items": [{ "instance": MACHINE }] }),
    );
    scene
        .login("vm", &scene.by_google(json!({})))
        .await
        .unwrap();
    // A machine of the same name that was made anew is another.
    let named =
        "https://compute.googleapis.com/compute/v1/projects/shop/zones/us-east1-b/instances/vm";
    scene
        .google
        .put(named, json!({ "id": "78", "selfLink": MACHINE }));
    assert!(
        scene
            .login("vm", &scene.by_google(json!({})))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_token_of_a_machine_will_do_for_its_account_where_that_is_allowed() {
    let scene = Scene::new().await;
    scene.role("web", iam()).await;
    let token = scene.by_google(json!({ "aud": "vault/web" }));
    let login = scene.login("web", &token).await.unwrap();
    assert_eq!(login.metadata["service_account_id"], ID);
    assert!(!login.metadata.contains_key("instance_id"));
    let pod = scene.by_google(json!({ "aud": "vault/web", "google": {} }));
    scene.login("web", &pod).await.unwrap();
    scene
        .role("web", json!({ "allow_gce_inference": false }))
        .await;
    assert!(scene.login("web", &token).await.is_err());
}

#[tokio::test]
async fn accounts_are_asked_for_by_the_credentials() {
    let scene = Scene::new().await;
    scene
        .role(
            "web",
            json!({ "type": "iam", "bound_service_accounts": ID }),
        )
        .await;
    let token = scene.by_account(json!({}));
    let fault = scene.login("web", &token).await.unwrap_err();
    assert!(
        matches!(fault, Fault::Upstream(_)),
        "whose id that is only Google can say"
    );
    scene.with_credentials().await;
    scene
        .bench
        .write("config", json!({ "iam_alias": "unique_id" }))
        .await
        .unwrap();
    for sub in [EMAIL, ID] {
        let login = scene
            .login("web", &scene.by_account(json!({ "sub": sub })))
            .await
            .unwrap();
        assert_eq!(login.alias.unwrap().name, ID);
        assert_eq!(login.metadata["service_account_email"], EMAIL);
    }
    let login = scene.login("web", &token).await.unwrap();
    let stay = || async { scene.bench.stay(login.payload.clone()).await.unwrap() };
    stay().await.unwrap();
    for name in [EMAIL, ID] {
        let at = format!("https://iam.googleapis.com/v1/projects/-/serviceAccounts/{name}");
        let disabled =
            json!({ "email": EMAIL, "uniqueId": ID, "projectId": "shop", "disabled": true });
        scene.google.put(&at, disabled);
    }
    assert!(scene.login("web", &token).await.is_err());
    assert!(stay().await.is_err(), "a renewal asks again");
    for name in [EMAIL, ID] {
        let at = format!("https://iam.googleapis.com/v1/projects/-/serviceAccounts/{name}");
        scene.google.put(
            &at,
            json!({ "email": EMAIL, "uniqueId": "222222222222", "projectId": "shop" }),
        );
    }
    assert!(
        stay().await.is_err(),
        "an account that was made anew is another"
    );
}

#[tokio::test]
async fn a_renewal_asks_the_role_again() {
    let scene = Scene::new().await;
    scene.role("web", iam()).await;
    let login = scene
        .login("web", &scene.by_account(json!({})))
        .await
        .unwrap();
    let stay = || async { scene.bench.stay(login.payload.clone()).await.unwrap() };
    scene.role("web", json!({ "token_ttl": 77 })).await;
    assert_eq!(stay().await.unwrap().ttl.unwrap().as_secs(), 77);
    scene
        .role("web", json!({ "bound_projects": "other" }))
        .await;
    assert!(stay().await.is_err());
    scene
        .role("web", json!({ "bound_projects": "shop,other" }))
        .await;
    stay().await.unwrap();
    scene.bench.delete("role/web").await.unwrap();
    assert!(stay().await.is_err());
    scene.role("web", iam()).await;
    assert!(
        stay().await.is_err(),
        "a role that was made anew is another"
    );
}

#[tokio::test]
async fn folders_and_organisations_are_groups() {
    let scene = Scene::new().await;
    scene.with_credentials().await;
    let ancestor = |kind: &str, id: &str| json!({ "resourceId": { "type": kind, "id": id } });
    let ancestry = json!({ "ancestor": [ancestor("project", "shop"), ancestor("folder", "5"), ancestor("organization", "6"), ancestor("odd", "7")] });
    scene.google.put(
        "https://cloudresourcemanager.googleapis.com/v1/projects/shop:getAncestry",
        ancestry,
    );
    scene
        .role("web", with(iam(), json!({ "add_group_aliases": true })))
        .await;
    let login = scene
        .login("web", &scene.by_account(json!({})))
        .await
        .unwrap();
    assert_eq!(
        login.group_aliases,
        ["project-shop", "folder-5", "organization-6"]
    );
    let stay = scene.bench.stay(login.payload).await.unwrap().unwrap();
    assert_eq!(stay.group_aliases.unwrap().len(), 3);
}

#[tokio::test]
async fn credentials_are_never_shown_and_addresses_are_checked() {
    let scene = Scene::new().await;
    assert!(matches!(
        scene.bench.read("config").await,
        Err(Fault::NotFound)
    ));
    scene.with_credentials().await;
    let shown = scene.bench.read("config").await.unwrap().data;
    assert_eq!(shown["client_email"], "coffer@ops.iam.gserviceaccount.com");
    assert_eq!(
        (&shown["private_key_id"], &shown["project_id"]),
        (&json!("k1"), &json!("ops"))
    );
    assert_eq!(
        (&shown["iam_alias"], &shown["gce_alias"]),
        (&json!("role_id"), &json!("role_id"))
    );
    assert!(!shown.to_string().contains("PRIVATE"));
    let key = credentials(&scene.google.account);
    for (config, word) in [
        (json!({ "credentials": "x" }), "credentials"),
        (json!({ "credentials": "{}" }), "credentials"),
        (
            json!({ "credentials": with(key.clone(), json!({ "type": "authorized_user" })).to_string() }),
            "service_account",
        ),
        (
            json!({ "credentials": with(key.clone(), json!({ "private_key": "x" })).to_string() }),
            "private_key",
        ),
        (
            json!({ "credentials": with(key, json!({ "token_uri": "http://evil.example" })).to_string() }),
            "https",
        ),
        (json!({ "iam_alias": "instance_id" }), "iam_alias"),
        (json!({ "gce_alias": "unique_id" }), "gce_alias"),
        (json!({ "iam_metadata": "zone" }), "iam_metadata"),
        (json!({ "gce_metadata": "default,zone" }), "gce_metadata"),
        (
            json!({ "custom_endpoint": { "other": "h" } }),
            "custom_endpoint",
        ),
        (json!({ "custom_endpoint": { "api": "http://h" } }), "https"),
        (
            json!({ "google_certs_endpoint": "http://h/certs" }),
            "https",
        ),
        (json!({ "identity_token_audience": "x" }), "federation"),
    ] {
        let fault = scene
            .bench
            .write("config", config.clone())
            .await
            .unwrap_err();
        let text = fault.to_string();
        assert!(
            matches!(fault, Fault::Invalid(_)) && text.contains(word) && !text.contains("PRIVATE"),
            "{text}"
        );
    }
    let config = json!({ "custom_endpoint": "api=http://127.0.0.1:1,iam=private.example:8443", "iam_metadata": [] });
    scene.bench.write("config", config).await.unwrap();
    let shown = scene.bench.read("config").await.unwrap().data;
    assert_eq!(shown["iam_metadata"], json!([]));
    assert_eq!(shown["client_id"], "9", "what is not named stays");
    scene.bench.delete("config").await.unwrap();
    assert!(matches!(
        scene.bench.read("config").await,
        Err(Fault::NotFound)
    ));
}

#[tokio::test]
async fn roles_are_of_one_type() {
    let scene = Scene::new().await;
    for (wish, word) in [
        (json!({}), "type"),
        (json!({ "type": "aws" }), "type"),
        (json!({ "type": "iam" }), "service account"),
        (with(iam(), json!({ "bound_zones": "z" })), "gce"),
        (with(iam(), json!({ "bound_labels": "a:b" })), "gce"),
        (with(iam(), json!({ "max_jwt_exp": "2h" })), "max_jwt_exp"),
        (with(iam(), json!({ "max_jwt_exp": 0 })), "max_jwt_exp"),
        (
            with(
                iam(),
                json!({ "bound_service_accounts": "ann@example.com" }),
            ),
            "bound_service_accounts",
        ),
        (with(gce(), json!({ "max_jwt_exp": "5m" })), "iam"),
        (with(gce(), json!({ "allow_gce_inference": true })), "iam"),
        (with(gce(), json!({ "bound_instance_groups": "g" })), "zone"),
        (with(gce(), json!({ "bound_labels": "a" })), "labels"),
        (json!({ "type": "gce" }), "bound_projects"),
        (
            json!({ "type": "gce", "bound_service_accounts": "*" }),
            "bound_projects",
        ),
    ] {
        let fault = scene.bench.write("role/x", wish.clone()).await.unwrap_err();
        assert!(
            matches!(&fault, Fault::Invalid(text) if text.contains(word)),
            "{wish}: {fault}"
        );
    }
    scene.role("web", iam()).await;
    assert!(
        scene
            .bench
            .write("role/web", json!({ "type": "gce" }))
            .await
            .is_err()
    );
    let edit = |path: &'static str, add: &str, remove: &str| {
        let edit = json!({ "add": add, "remove": remove });
        scene.bench.write(path, edit)
    };
    edit("role/web/service-accounts", "222222222222", EMAIL)
        .await
        .unwrap();
    let shown = scene.bench.read("role/web").await.unwrap().data;
    assert_eq!(shown["bound_service_accounts"], json!(["222222222222"]));
    assert_eq!(
        (&shown["max_jwt_exp"], &shown["allow_gce_inference"]),
        (&json!(900), &json!(true))
    );
    assert!(
        edit("role/web/service-accounts", "", "222222222222")
            .await
            .is_err(),
        "nobody would be left"
    );
    assert!(edit("role/web/labels", "a:b", "").await.is_err());
    scene
        .role("vm", with(gce(), json!({ "bound_labels": "a:b,c:d" })))
        .await;
    edit("role/vm/labels", "a:x,e:f", "c").await.unwrap();
    let shown = scene.bench.read("role/vm").await.unwrap().data;
    assert_eq!(shown["bound_labels"], json!({ "a": "x", "e": "f" }));
    assert!(edit("role/vm/labels", "", "").await.is_err());
    assert!(edit("role/vm/service-accounts", EMAIL, "").await.is_err());
    assert!(edit("role/nosuch/labels", "a:b", "").await.is_err());
    assert_eq!(scene.bench.list("roles").await.unwrap(), ["vm", "web"]);
    for (asked, word) in [
        (json!({}), "role"),
        (json!({ "role": "web" }), "jwt"),
        (json!({ "role": "nosuch", "jwt": "x" }), "not found"),
    ] {
        let fault = scene.bench.write("login", asked).await.unwrap_err();
        assert!(
            matches!(&fault, Fault::Invalid(text) if text.contains(word)),
            "{fault}"
        );
    }
}
