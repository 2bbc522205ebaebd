//! The kubernetes method by path, with an API server that the test holds in its hand.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_auth::kubernetes::Kubernetes;
use coffer_crypto::jose::{show_key, sign};
use coffer_crypto::sign::{Algorithm, SigningKey};
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_engine::testing::Bench;
use coffer_engine::{Answer, Fault, Login};
use parking_lot::Mutex;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const HOST: &str = "https://cluster.example:6443";
const CA: &str = include_str!("../../crypto/testdata/p256-certificate.pem");
const ISSUER: &str = "https://kubernetes.default.svc";
const UID: &str = "11111111-2222-3333-4444-555555555555";
const PUBLIC: &str = include_str!("../../crypto/testdata/p256-public.pem");

/// An API server that vouches for tokens of one key.
struct Api {
    asked: Mutex<Vec<Request>>,
    /// What it answers instead, whatever it is asked.
    instead: Mutex<Option<(u16, Vec<u8>)>>,
    /// What it says of a token instead of what is true.
    status: Mutex<Option<Value>>,
    labels: Mutex<BTreeMap<String, Value>>,
    gone: Mutex<bool>,
    key: SigningKey,
}

struct At(Arc<Api>);

impl Outbound for At {
    fn fetch<'a>(&'a self, _: &'a str, request: Request) -> Answer<'a, Response> {
        let (status, body) = self.0.answer(&request);
        self.0.asked.lock().push(request);
        let response = Response {
            status,
            media_type: "application/json".into(),
            body: coffer_crypto::Zeroizing::new(body),
        };
        Box::pin(std::future::ready(Ok(response)))
    }
}

impl Api {
    fn answer(&self, request: &Request) -> (u16, Vec<u8>) {
        if let Some(instead) = self.instead.lock().clone() {
            return instead;
        }
        let path = request.url.strip_prefix(HOST).unwrap();
        let found = match path {
            "/apis/authentication.k8s.io/v1/tokenreviews" => {
                let asked: Value = serde_json::from_slice(&request.body).unwrap();
                Some(json!({ "status": self.review(&asked["spec"]) }))
            }
            "/openid/v1/jwks" => {
                let key = show_key("one", self.key.verifying_key()).unwrap();
                Some(json!({ "keys": [key] }))
            }
            other => self.labels.lock().get(other).cloned(),
        };
        match found {
            Some(found) => (200, found.to_string().into_bytes()),
            None => (404, b"{}".to_vec()),
        }
    }

    fn review(&self, spec: &Value) -> Value {
        if let Some(status) = self.status.lock().clone() {
            return status;
        }
        let token = spec["token"].as_str().unwrap();
        let compact = coffer_crypto::jose::Compact::parse(token).unwrap();
        let Ok(payload) = compact.verify(self.key.verifying_key()) else {
            return json!({ "user": {}, "error": "invalid bearer token" });
        };
        if *self.gone.lock() {
            return json!({ "user": {}, "error": "service account is gone" });
        }
        let claims: Value = serde_json::from_slice(payload).unwrap();
        let uid = &claims["kubernetes.io"]["serviceaccount"]["uid"];
        let user = json!({ "username": claims["sub"], "uid": uid });
        json!({ "authenticated": true, "user": user, "audiences": spec["audiences"] })
    }

    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock());
        let path = |request: Request| request.url.strip_prefix(HOST).unwrap().to_owned();
        asked.into_iter().map(path).collect()
    }
}

struct Scene {
    bench: Bench<Kubernetes>,
    api: Arc<Api>,
}

impl Scene {
    /// A mount with a configuration, which `more` completes, and a role for `app` in `shop`.
    async fn new(more: Value) -> Self {
        let bench = Bench::new().await;
        let api = Arc::new(Api {
            asked: Mutex::default(),
            instead: Mutex::default(),
            status: Mutex::default(),
            labels: Mutex::default(),
            gone: Mutex::default(),
            key: SigningKey::generate(Algorithm::Es256).unwrap(),
        });
        bench.reach(At(Arc::clone(&api)));
        let scene = Self { bench, api };
        let config = with(
            json!({ "kubernetes_host": HOST, "kubernetes_ca_cert": CA }),
            more,
        );
        scene.bench.write("config", config).await.unwrap();
        scene.role(json!({})).await;
        scene
    }

    /// The role `r`, made anew.
    async fn role(&self, more: Value) {
        self.bench.delete("role/r").await.unwrap();
        let role = json!({
            "bound_service_account_names": "app", "bound_service_account_namespaces": "shop",
        });
        self.bench.write("role/r", with(role, more)).await.unwrap();
    }

    async fn login(&self, token: &str) -> Result<Box<Login>, Fault> {
        let asked = json!({ "role": "r", "jwt": token });
        let answered = self.bench.write("login", asked).await?;
        Ok(answered.reply.login.unwrap())
    }

    fn token(&self, claims: &Value) -> String {
        sign(&self.api.key, "one", claims.to_string().as_bytes()).unwrap()
    }
}

fn with(mut value: Value, more: Value) -> Value {
    let more = serde_json::from_value::<BTreeMap<String, Value>>(more).unwrap();
    value.as_object_mut().unwrap().extend(more);
    value
}

fn claims(namespace: &str, name: &str) -> Value {
    json!({
        "iss": ISSUER, "sub": format!("system:serviceaccount:{namespace}:{name}"), "aud": [ISSUER],
        "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
        "kubernetes.io": { "namespace": namespace, "serviceaccount": { "name": name, "uid": UID } },
    })
}

fn app() -> Value {
    claims("shop", "app")
}

#[tokio::test]
async fn a_login_is_what_the_cluster_vouches_for() {
    let scene = Scene::new(json!({ "token_reviewer_jwt": "reviewer\n" })).await;
    scene
        .role(json!({ "token_policies": "p", "token_ttl": "10m" }))
        .await;
    let token = scene.token(&app());
    let login = scene.login(&token).await.unwrap();
    assert_eq!(login.policies, ["p"]);
    assert_eq!(login.display_name, "shop-app");
    let alias = login.alias.unwrap();
    assert_eq!(alias.name, UID);
    assert_eq!(login.metadata["role"], "r");
    for known in [&login.metadata, &alias.metadata] {
        assert_eq!(known["service_account_name"], "app");
        assert_eq!(known["service_account_namespace"], "shop");
        assert_eq!(known["service_account_uid"], UID);
        assert_eq!(known["service_account_secret_name"], "");
    }
    assert!(!alias.metadata.contains_key("role"));
    let asked = scene.api.asked.lock()[0].clone();
    assert_eq!(asked.roots, CA);
    let bearer = asked
        .headers
        .iter()
        .find(|(name, _)| name == "authorization");
    assert_eq!(bearer.unwrap().1.as_str(), "Bearer reviewer");
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(
        body["spec"],
        json!({ "token": token, "audiences": [ISSUER] })
    );
}

#[tokio::test]
async fn without_a_reviewer_a_token_asks_for_itself() {
    let scene = Scene::new(json!({ "disable_local_ca_jwt": true })).await;
    scene
        .role(json!({ "audience": "vault", "alias_name_source": "serviceaccount_name" }))
        .await;
    let token = scene.token(&with(app(), json!({ "aud": "vault" })));
    let login = scene.login(&token).await.unwrap();
    assert_eq!(login.alias.unwrap().name, "shop/app");
    let asked = scene.api.asked.lock()[0].clone();
    let bearer = asked
        .headers
        .iter()
        .find(|(name, _)| name == "authorization");
    assert_eq!(bearer.unwrap().1.as_str(), format!("Bearer {token}"));
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["spec"]["audiences"], json!(["vault"]));
    *scene.api.instead.lock() = Some((401, b"{}".to_vec()));
    assert!(matches!(scene.login(&token).await, Err(Fault::Denied)));
}

#[tokio::test]
async fn an_answer_that_vouches_for_something_else_is_none() {
    let scene = Scene::new(json!({ "token_reviewer_jwt": "reviewer" })).await;
    let token = scene.token(&app());
    let user = |name: &str, uid: &str| json!({ "username": name, "uid": uid });
    let account = "system:serviceaccount:shop:app";
    let fine = json!({ "authenticated": true, "user": user(account, UID), "audiences": [ISSUER] });
    for (more, good) in [
        (json!({}), true),
        (
            json!({ "user": with(user(account, UID), json!({ "groups": [], "extra": {} })) }),
            true,
        ),
        (json!({ "authenticated": false }), false),
        (json!({ "error": "boom" }), false),
        (json!({ "audiences": [] }), false),
        (json!({ "audiences": ["other"] }), false),
        (
            json!({ "user": user("system:serviceaccount:shop:root", UID) }),
            false,
        ),
        (
            json!({ "user": user("system:serviceaccount:kube-system:app", UID) }),
            false,
        ),
        (json!({ "user": user(account, "another") }), false),
        (json!({ "user": user(account, "") }), false),
        (
            json!({ "user": user("system:serviceaccount:shop:app:x", UID) }),
            false,
        ),
        (
            json!({ "user": user("system:serviceaccount:shop", UID) }),
            false,
        ),
        (
            json!({ "user": user("System:ServiceAccount:shop:app", UID) }),
            false,
        ),
        (json!({ "user": user("system:node:shop:app", UID) }), false),
        (json!({ "user": user("app", UID) }), false),
        (json!({ "user": {} }), false),
    ] {
        *scene.api.status.lock() = Some(with(fine.clone(), more.clone()));
        match scene.login(&token).await {
            Ok(_) => assert!(good, "{more}"),
            Err(fault) => assert!(!good && matches!(fault, Fault::Denied), "{more}: {fault}"),
        }
    }
}

#[tokio::test]
async fn a_hostile_api_server_lets_nobody_in() {
    let scene = Scene::new(json!({ "token_reviewer_jwt": "reviewer" })).await;
    let token = scene.token(&app());
    let deep = "[".repeat(100_000).into_bytes();
    for (status, body) in [
        (500, b"oops".to_vec()),
        (401, b"{}".to_vec()),
        (302, b"{}".to_vec()),
        (400, b"{}".to_vec()),
        (200, b"hello".to_vec()),
        (200, b"[]".to_vec()),
        (200, b"{}".to_vec()),
        (200, br#"{"status":null}"#.to_vec()),
        (200, br#"{"status":{"authenticated":"true"}}"#.to_vec()),
        (200, deep),
        (200, vec![0xff; 64]),
    ] {
        *scene.api.instead.lock() = Some((status, body));
        let fault = scene.login(&token).await.unwrap_err();
        let text = fault.to_string();
        assert!(matches!(fault, Fault::Upstream(_)), "{text}");
        assert!(
            !text.contains("cluster.example") && !text.contains("reviewer"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn nobody_learns_what_a_role_is_for_by_forging_tokens() {
    let scene = Scene::new(json!({ "token_reviewer_jwt": "reviewer" })).await;
    let other = SigningKey::generate(Algorithm::Es256).unwrap();
    for (namespace, name) in [("shop", "app"), ("shop", "other"), ("other", "app")] {
        let forged = sign(
            &other,
            "one",
            claims(namespace, name).to_string().as_bytes(),
        )
        .unwrap();
        assert!(matches!(scene.login(&forged).await, Err(Fault::Denied)));
        assert_eq!(scene.api.asked().len(), 1, "asked all the same");
    }
    for (namespace, name, word) in [
        ("shop", "other", "service account name"),
        ("other", "app", "namespace"),
        ("SHOP", "app", "namespace"),
        ("shop", "App", "service account name"),
    ] {
        let honest = scene.token(&claims(namespace, name));
        let fault = scene.login(&honest).await.unwrap_err();
        assert!(
            matches!(&fault, Fault::Forbidden(text) if text.contains(word)),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn what_no_cluster_would_sign_is_refused_without_asking() {
    let scene = Scene::new(json!({})).await;
    let part = |value: &Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
    };
    let unsigned = |header: Value| format!("{}.{}.AA", part(&header), part(&app()));
    let without = |claim: &str| {
        let mut claims = app();
        claims.as_object_mut().unwrap().remove(claim);
        scene.token(&claims)
    };
    let long = scene.token(&with(app(), json!({ "x": "x".repeat(20_000) })));
    for token in [
        "x".to_owned(),
        "x.y.z".to_owned(),
        unsigned(json!({ "alg": "none" })),
        unsigned(json!({ "alg": "NONE" })),
        unsigned(json!({ "alg": "HS256" })),
        unsigned(json!({ "alg": "ES256", "crit": ["x"] })),
        format!(" {}", scene.token(&app())),
        format!("Bearer {}", scene.token(&app())),
        without("kubernetes.io"),
        scene.token(&with(app(), json!({ "aud": 5 }))),
        scene.token(&with(app(), json!({ "aud": null }))),
        scene.token(&with(app(), json!({ "exp": "soon" }))),
        scene.token(&with(
            app(),
            json!({ "sub": "system:serviceaccount:shop:root" }),
        )),
        scene.token(&claims("shop", "app:x")),
        scene.token(&claims("shop", "")),
        long,
    ] {
        let fault = scene.login(&token).await.unwrap_err();
        assert!(matches!(fault, Fault::Denied), "{token:.60}: {fault}");
    }
    for (more, word) in [
        (json!({ "exp": NOW - 61 }), "expired"),
        (json!({ "nbf": NOW + 61 }), "not yet valid"),
        (json!({ "iat": NOW + 61 }), "in the future"),
    ] {
        let fault = scene
            .login(&scene.token(&with(app(), more)))
            .await
            .unwrap_err();
        assert!(
            matches!(&fault, Fault::Forbidden(text) if text.contains(word)),
            "{fault}"
        );
    }
    assert!(scene.api.asked().is_empty());
    let fine = scene.token(&with(
        app(),
        json!({ "exp": NOW - 59, "nbf": NOW + 59, "iat": NOW + 59 }),
    ));
    scene.login(&fine).await.unwrap();
    scene.login(&without("exp")).await.unwrap();
}

#[tokio::test]
async fn audiences_and_issuers_hold_where_they_are_said() {
    let config = json!({ "issuer": ISSUER, "disable_iss_validation": false });
    let scene = Scene::new(config).await;
    scene.role(json!({ "audience": "vault" })).await;
    for more in [
        json!({}),
        json!({ "aud": ["Vault", "vault ", "vaul"] }),
        json!({ "aud": [] }),
        json!({ "aud": ["vault"], "iss": "https://other" }),
        json!({ "aud": ["vault"], "iss": null }),
    ] {
        let fault = scene
            .login(&scene.token(&with(app(), more)))
            .await
            .unwrap_err();
        // Nothing is learnt of the role by tokens that nobody has vouched for.
        assert!(matches!(fault, Fault::Denied), "{fault}");
    }
    for aud in [json!("vault"), json!(["x", "vault"])] {
        let token = scene.token(&with(app(), json!({ "aud": aud })));
        scene.login(&token).await.unwrap();
    }
}

#[tokio::test]
async fn labels_of_a_namespace_may_let_in_what_its_name_does_not() {
    let scene = Scene::new(json!({ "token_reviewer_jwt": "reviewer" })).await;
    let selector = r#"{"matchLabels":{"team":"red"},"matchExpressions":[{"key":"env","operator":"In","values":["prod"]}]}"#;
    let role = json!({
        "bound_service_account_namespaces": "named", "bound_service_account_namespace_selector": selector,
    });
    scene.role(role).await;
    let namespace =
        |name: &str, labels: Value| json!({ "metadata": { "name": name, "labels": labels } });
    let right = json!({ "team": "red", "env": "prod" });
    let all = [
        ("red", namespace("red", right.clone())),
        (
            "blue",
            namespace("blue", json!({ "team": "blue", "env": "prod" })),
        ),
        ("bare", json!({ "metadata": { "name": "bare" } })),
        ("liar", namespace("red", right)),
    ];
    *scene.api.labels.lock() = all
        .into_iter()
        .map(|(name, value)| (format!("/api/v1/namespaces/{name}"), value))
        .collect();
    for (name, fine, requests) in [
        ("named", true, 1),
        ("red", true, 2),
        ("blue", false, 2),
        ("bare", false, 2),
        ("liar", false, 2),
        ("unknown", false, 2),
        ("..", false, 1),
        ("../red", false, 1),
        ("red?x=y#z", false, 1),
        ("RED", false, 1),
    ] {
        let token = scene.token(&claims(name, "app"));
        assert_eq!(scene.login(&token).await.is_ok(), fine, "{name}");
        assert_eq!(scene.api.asked().len(), requests, "{name}");
    }
    let other = SigningKey::generate(Algorithm::Es256).unwrap();
    let forged = sign(&other, "one", claims("red", "app").to_string().as_bytes()).unwrap();
    assert!(scene.login(&forged).await.is_err());
    assert_eq!(
        scene.api.asked().len(),
        1,
        "no namespace is read for a forged token"
    );
}

#[tokio::test]
async fn a_renewal_asks_again() {
    let scene = Scene::new(json!({ "token_reviewer_jwt": "reviewer" })).await;
    let login = scene.login(&scene.token(&app())).await.unwrap();
    let stay = || async { scene.bench.stay(login.payload.clone()).await.unwrap() };
    let write = |more: Value| scene.bench.write("role/r", more);
    write(json!({ "token_ttl": 77 })).await.unwrap();
    assert_eq!(stay().await.unwrap().ttl.unwrap().as_secs(), 77);
    assert_eq!(scene.api.asked().len(), 2);
    *scene.api.gone.lock() = true;
    assert!(stay().await.is_err(), "the account is gone");
    *scene.api.gone.lock() = false;
    write(json!({ "bound_service_account_names": "other" }))
        .await
        .unwrap();
    assert!(stay().await.is_err(), "the role is for others now");
    write(json!({ "bound_service_account_names": "a*" }))
        .await
        .unwrap();
    stay().await.unwrap();
    write(json!({ "audience": "other" })).await.unwrap();
    assert!(stay().await.is_err(), "the role wants another audience");
    scene.bench.delete("role/r").await.unwrap();
    assert!(stay().await.is_err(), "the role is gone");
}

#[tokio::test]
async fn a_tokens_end_ends_renewals() {
    let mut scene = Scene::new(json!({})).await;
    let login = scene.login(&scene.token(&app())).await.unwrap();
    scene
        .bench
        .advance(std::time::Duration::from_secs(3600 + 61));
    assert!(scene.bench.stay(login.payload).await.unwrap().is_err());
}

#[tokio::test]
async fn batch_tokens_carry_nothing_of_the_accounts_token() {
    let scene = Scene::new(json!({})).await;
    scene.role(json!({ "token_type": "batch" })).await;
    let login = scene.login(&scene.token(&app())).await.unwrap();
    assert!(login.payload.is_null());
}

#[tokio::test]
async fn keys_of_the_cluster_do_without_a_review() {
    let scene = Scene::new(json!({ "disable_token_review": true })).await;
    let shown = scene.bench.read("config").await.unwrap().data;
    assert_eq!(shown["disable_token_review"], true);
    let token = scene.token(&app());
    let without = scene.login(&token).await.unwrap_err().to_string();
    assert!(without.contains("audience"), "{without}");
    scene.role(json!({ "audience": ISSUER })).await;
    scene.login(&token).await.unwrap();
    *scene.api.gone.lock() = true;
    let login = scene.login(&token).await.unwrap();
    assert_eq!(
        scene.api.asked(),
        ["/openid/v1/jwks"],
        "keys are remembered"
    );
    assert_eq!(login.alias.unwrap().name, UID);
    let mut endless = app();
    endless.as_object_mut().unwrap().remove("exp");
    assert!(scene.login(&scene.token(&endless)).await.is_err());
    let other = SigningKey::generate(Algorithm::Es256).unwrap();
    let forged = sign(&other, "one", app().to_string().as_bytes()).unwrap();
    assert!(matches!(scene.login(&forged).await, Err(Fault::Denied)));
}

#[tokio::test]
async fn keys_that_are_configured_hold_beside_a_review() {
    let scene = Scene::new(json!({ "pem_keys": [PUBLIC] })).await;
    let token = scene.token(&app());
    assert!(matches!(scene.login(&token).await, Err(Fault::Denied)));
    assert!(
        scene.api.asked().is_empty(),
        "nobody is asked about what the keys refuse"
    );
}

#[tokio::test]
async fn a_configuration_is_written_whole_and_its_token_never_shown() {
    let scene =
        Scene::new(json!({ "token_reviewer_jwt": "hunter2", "pem_keys": PUBLIC, "issuer": "i" }))
            .await;
    let shown = scene.bench.read("config").await.unwrap().data;
    assert_eq!(
        shown,
        json!({
            "disable_iss_validation": true, "disable_local_ca_jwt": false, "issuer": "i",
            "kubernetes_ca_cert": CA, "kubernetes_host": HOST, "pem_keys": [PUBLIC.trim()], "token_reviewer_jwt_set": true,
        })
    );
    let again = json!({ "kubernetes_host": "elsewhere:1", "kubernetes_ca_cert": CA });
    scene.bench.write("config", again).await.unwrap();
    let shown = scene.bench.read("config").await.unwrap().data;
    assert_eq!(
        shown["token_reviewer_jwt_set"], false,
        "a new host does not get the old token"
    );
    assert_eq!(
        (&shown["pem_keys"], &shown["issuer"]),
        (&json!([]), &json!(""))
    );
    for (config, word) in [
        (json!({}), "no host"),
        (json!({ "kubernetes_host": "h" }), "ca.crt"),
        (
            json!({ "kubernetes_host": "h", "disable_local_ca_jwt": true }),
            "kubernetes_ca_cert",
        ),
        (
            json!({ "kubernetes_host": "h", "kubernetes_ca_cert": "x" }),
            "kubernetes_ca_cert",
        ),
        (
            json!({ "kubernetes_host": "h", "kubernetes_ca_cert": CA, "pem_keys": "x" }),
            "pem_keys",
        ),
        (
            json!({ "kubernetes_host": "h", "kubernetes_ca_cert": CA, "token_reviewer_jwt": "a b" }),
            "token_reviewer_jwt",
        ),
    ] {
        let fault = scene.bench.write("config", config).await.unwrap_err();
        assert!(
            matches!(&fault, Fault::Invalid(text) if text.contains(word)),
            "{fault}"
        );
    }
    for host in [
        "ftp://h",
        "://",
        "https://u:p@h",
        "https://h?x",
        "https://h#x",
        "a b",
        "file:///etc",
        "https://",
    ] {
        let config = json!({ "kubernetes_host": host, "kubernetes_ca_cert": CA });
        let fault = scene.bench.write("config", config).await.unwrap_err();
        assert!(
            fault.to_string().contains("kubernetes_host"),
            "{host}: {fault}"
        );
    }
}

#[tokio::test]
async fn roles_say_who_and_from_where() {
    let mut scene = Scene::new(json!({})).await;
    for (wish, word) in [
        (json!({}), "bound_service_account_names"),
        (
            json!({ "bound_service_account_names": "a" }),
            "bound_service_account_namespaces",
        ),
        (
            json!({ "bound_service_account_names": "*,a", "bound_service_account_namespaces": "n" }),
            "mix",
        ),
        (
            json!({ "bound_service_account_names": "a", "bound_service_account_namespaces": "*,n" }),
            "mix",
        ),
        (
            json!({ "bound_service_account_names": "a", "bound_service_account_namespace_selector": "{\"a\":1}" }),
            "selector",
        ),
        (
            json!({ "bound_service_account_names": "a", "bound_service_account_namespaces": "n", "alias_name_source": "x" }),
            "alias_name_source",
        ),
    ] {
        let fault = scene.bench.write("role/other", wish).await.unwrap_err();
        assert!(
            matches!(&fault, Fault::Invalid(text) if text.contains(word)),
            "{fault}"
        );
    }
    assert_eq!(scene.bench.list("role").await.unwrap(), ["r"]);
    scene
        .role(json!({ "token_bound_cidrs": "10.0.0.0/8" }))
        .await;
    let token = scene.token(&app());
    assert!(matches!(scene.login(&token).await, Err(Fault::Denied)));
    scene.bench.client = Some("10.1.2.3".parse().unwrap());
    scene.login(&token).await.unwrap();
    for (asked, word) in [
        (json!({}), "missing role"),
        (json!({ "jwt": token }), "missing role"),
        (json!({ "role": "r" }), "missing jwt"),
        (
            json!({ "role": "nosuch", "jwt": token }),
            "invalid role name",
        ),
        (json!({ "role": "../r", "jwt": token }), "invalid role name"),
    ] {
        let fault = scene.bench.write("login", asked).await.unwrap_err();
        assert!(
            matches!(&fault, Fault::Invalid(text) if text.contains(word)),
            "{fault}"
        );
    }
}
