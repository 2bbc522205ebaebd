//! The jwt method by path: sign-ins with a browser, at a provider that the test holds in its hand.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_auth::jwt::Jwt;
use coffer_crypto::jose::{show_key, sign};
use coffer_crypto::sign::{Algorithm, SigningKey};
use coffer_crypto::{Zeroizing, sha256, sha512};
use coffer_engine::outbound::{Method, Outbound, Request, Response};
use coffer_engine::testing::{Answered, Bench};
use coffer_engine::{Answer, Body, Fault, Login};
use coffer_wire::Verb;
use serde_json::{Value, json};
use url::Url;

const ISSUER: &str = "https://idp.example";
const BACK: &str = "http://localhost:8250/oidc/callback";
const HERE: &str = "https://coffer.example/v1/test/oidc/callback";
const NOW: u64 = 1_800_000_000;

/// What the provider was sent: where, the body, and the headers.
type Sent = (String, String, Vec<(String, String)>);

/// What the provider says, by the path that is asked, and what it was sent.
#[derive(Default)]
struct Provider {
    pages: BTreeMap<String, (u16, Value)>,
    sent: Vec<Sent>,
}

struct At(Arc<Mutex<Provider>>);

impl Outbound for At {
    fn fetch<'a>(&'a self, _: &'a str, request: Request) -> Answer<'a, Response> {
        let mut provider = self.0.lock().unwrap();
        let path = request
            .url
            .strip_prefix(ISSUER)
            .unwrap_or("elsewhere")
            .to_owned();
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.to_string()));
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        if request.method == Method::Post || path == "/userinfo" {
            provider.sent.push((path.clone(), body, headers.collect()));
        }
        let (status, page) = provider
            .pages
            .get(&path)
            .cloned()
            .unwrap_or((404, json!({})));
        let body = Zeroizing::new(page.to_string().into_bytes());
        Box::pin(async move {
            Ok(Response {
                status,
                media_type: String::new(),
                body,
            })
        })
    }
}

struct Scene {
    bench: Bench<Jwt>,
    provider: Arc<Mutex<Provider>>,
    key: SigningKey,
}

/// A sign-in that was begun.
struct Begun {
    state: String,
    asked: BTreeMap<String, String>,
}

impl Scene {
    async fn new(role: Value) -> Self {
        let bench = Bench::<Jwt>::new().await;
        let provider = Arc::new(Mutex::new(Provider::default()));
        bench.reach(At(Arc::clone(&provider)));
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let scene = Self {
            bench,
            provider,
            key,
        };
        let shown = show_key("k", scene.key.verifying_key()).unwrap();
        scene.says("/keys", 200, json!({ "keys": [shown] }));
        scene.says("/.well-known/openid-configuration", 200, json!({
            "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys"), "authorization_endpoint": format!("{ISSUER}/authorize?tenant=1"),
            "token_endpoint": format!("{ISSUER}/token"), "userinfo_endpoint": format!("{ISSUER}/userinfo"),
            "device_authorization_endpoint": format!("{ISSUER}/device"),
        }));
        scene.configure(json!({})).await;
        let mut wish = json!({ "user_claim": "sub", "allowed_redirect_uris": [BACK, HERE] });
        wish.as_object_mut()
            .unwrap()
            .extend(role.as_object().unwrap().clone());
        scene.bench.write("role/r", wish).await.unwrap();
        scene
    }

    async fn configure(&self, more: Value) {
        let mut wish = json!({ "oidc_discovery_url": ISSUER, "oidc_client_id": "id/1", "oidc_client_secret": "s%cret", "default_role": "r" });
        wish.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.bench.write("config", wish).await.unwrap();
    }

    fn says(&self, path: &str, status: u16, page: Value) {
        let mut provider = self.provider.lock().unwrap();
        provider.pages.insert(path.to_owned(), (status, page));
    }

    fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.provider.lock().unwrap().sent)
    }

    async fn begin(&self, redirect_uri: &str) -> Begun {
        let wish = json!({ "redirect_uri": redirect_uri, "client_nonce": "mine" });
        let told = self.bench.write("oidc/auth_url", wish).await.unwrap().data;
        let url = Url::parse(told["auth_url"].as_str().unwrap()).unwrap();
        let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        Begun {
            state: asked["state"].clone(),
            asked,
        }
    }

    /// Lets the provider give tokens for any code; the claims are `more` and the usual ones.
    fn gives(&self, begun: &Begun, more: Value) {
        let token = self.token(begun, more);
        self.says(
            "/token",
            200,
            json!({ "id_token": token, "access_token": "at" }),
        );
    }

    fn token(&self, begun: &Begun, more: Value) -> String {
        let mut claims = json!({ "iss": ISSUER, "aud": "id/1", "sub": "ann", "iat": NOW, "exp": NOW + 300, "nonce": begun.asked.get("nonce") });
        claims
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        sign(&self.key, "k", claims.to_string().as_bytes()).unwrap()
    }

    async fn come_back(&self, more: Value) -> Result<Answered, Fault> {
        self.bench.request(Verb::Read, "oidc/callback", more).await
    }

    async fn enter(&self, begun: &Begun) -> Result<Box<Login>, Fault> {
        let answer = json!({ "state": begun.state, "code": "c", "client_nonce": "mine" });
        Ok(self.come_back(answer).await?.reply.login.unwrap())
    }

    async fn poll(&self, state: &str, nonce: &str) -> Result<Box<Login>, String> {
        let asked = json!({ "state": state, "client_nonce": nonce });
        match self.bench.write("oidc/poll", asked).await {
            Ok(answered) => Ok(answered.reply.login.unwrap()),
            Err(fault) => Err(fault.to_string()),
        }
    }
}

fn page(answered: &Answered) -> String {
    match &answered.reply.body {
        Body::Raw { media_type, bytes } if media_type.starts_with("text/html") => {
            String::from_utf8(bytes.to_vec()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn word(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"confirmation\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_becomes_a_login() {
    let scene = Scene::new(json!({ "oidc_scopes": "email,openid", "max_age": "1h", "groups_claim": "groups", "claim_mappings": "mail=mail" })).await;
    let begun = scene.begin(BACK).await;
    for (name, value) in [
        ("client_id", "id/1"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("max_age", "3600"),
        ("code_challenge_method", "S256"),
        ("tenant", "1"),
    ] {
        assert_eq!(begun.asked[name], value, "{name}");
    }
    scene.gives(
        &begun,
        json!({ "auth_time": NOW - 60, "mail": "from the token", "iss": ISSUER }),
    );
    scene.says(
        "/userinfo",
        200,
        json!({ "sub": "ann", "mail": "a@x", "groups": ["g"], "aud": "evil", "iss": "evil" }),
    );
    let login = scene.enter(&begun).await.unwrap();
    assert_eq!(
        (
            login.metadata["mail"].as_str(),
            login.metadata["role"].as_str()
        ),
        ("a@x", "r")
    );
    assert_eq!(login.group_aliases, ["g"]);
    assert!(
        login.payload.to_string().contains("id/1"),
        "the audience is the token's"
    );
    let sent = scene.sent();
    let (path, body, headers) = &sent[0];
    let form: BTreeMap<_, _> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(
        (
            path.as_str(),
            form["grant_type"].as_str(),
            form["code"].as_str()
        ),
        ("/token", "authorization_code", "c")
    );
    let challenge = URL_SAFE_NO_PAD.encode(sha256(form["code_verifier"].as_bytes()));
    assert_eq!(begun.asked["code_challenge"], challenge);
    assert_eq!(form["redirect_uri"], BACK);
    let basic = headers
        .iter()
        .find(|(name, _)| name == "authorization")
        .unwrap();
    assert_eq!(basic.1, "Basic aWQlMkYxOnMlMjVjcmV0", "id%2F1:s%25cret");
    assert_eq!(sent[1].2[0].1, "Bearer at");
    assert!(scene.enter(&begun).await.is_err(), "once");
    assert!(
        scene.sent().is_empty(),
        "the provider is not asked about what is over"
    );
}

#[tokio::test]
async fn a_token_must_be_for_this_client_and_this_sign_in() {
    let scene = Scene::new(
        json!({ "max_age": 60, "bound_audiences": "id/1,second", "bound_subject": "ann" }),
    )
    .await;
    let usual = json!({ "auth_time": NOW });
    let with = |more: Value| {
        let mut all = usual.clone();
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    for (more, fine) in [
        (json!({}), true),
        (json!({ "nonce": "n_other" }), false),
        (json!({ "nonce": null }), false),
        (json!({ "iss": "https://honest.example" }), false),
        (json!({ "iss": format!("{ISSUER}/") }), false),
        (json!({ "aud": "other" }), false),
        (json!({ "aud": ["id/1", "other"] }), false),
        (json!({ "aud": ["id/1", "other"], "azp": "id/1" }), true),
        (json!({ "aud": ["other", "second"], "azp": "id/1" }), false),
        (json!({ "azp": "other" }), false),
        (json!({ "azp": 5 }), false),
        (json!({ "exp": NOW - 1 }), false),
        (json!({ "exp": null }), false),
        (json!({ "iat": NOW + 61 }), false),
        (json!({ "auth_time": NOW - 120 }), true),
        (json!({ "auth_time": NOW - 121 }), false),
        (json!({ "auth_time": null }), false),
        (json!({ "sub": "bob" }), false),
        (
            json!({ "at_hash": URL_SAFE_NO_PAD.encode(&sha256(b"at")[..16]) }),
            true,
        ),
        (
            json!({ "at_hash": URL_SAFE_NO_PAD.encode(&sha256(b"another")[..16]) }),
            false,
        ),
        (
            json!({ "at_hash": URL_SAFE_NO_PAD.encode(&sha512(b"at")[..32]) }),
            false,
        ),
        (json!({ "at_hash": 5 }), false),
    ] {
        let begun = scene.begin(BACK).await;
        scene.gives(&begun, with(more.clone()));
        let entered = scene.enter(&begun).await;
        assert_eq!(entered.is_ok(), fine, "{more} {:?}", entered.err());
    }
    let begun = scene.begin(BACK).await;
    let mine = SigningKey::generate(Algorithm::Es256).unwrap();
    let forged = sign(
        &mine,
        "k",
        json!({ "iss": ISSUER, "aud": "id/1", "nonce": begun.asked["nonce"], "exp": NOW + 9 })
            .to_string()
            .as_bytes(),
    );
    scene.says(
        "/token",
        200,
        json!({ "id_token": forged.unwrap(), "access_token": "at" }),
    );
    assert!(
        scene
            .enter(&begun)
            .await
            .unwrap_err()
            .to_string()
            .contains("signature")
    );
}

#[tokio::test]
async fn what_the_provider_refuses_is_told_without_its_noise() {
    let scene = Scene::new(json!({})).await;
    for (status, answer, words) in [
        (
            400,
            json!({ "error": "invalid_grant", "error_description": "spent\n<b>" }),
            "invalid_grant: spent<b>",
        ),
        (500, json!({}), "status 500"),
        (200, json!([]), "not understood"),
        (200, json!({ "access_token": "at" }), "id_token is missing"),
        (400, json!({ "error": "x".repeat(5_000) }), "xxx"),
    ] {
        let begun = scene.begin(BACK).await;
        scene.says("/token", status, answer);
        let told = scene.enter(&begun).await.unwrap_err().to_string();
        assert!(told.contains(words) && told.len() < 600, "{told}");
    }
    let begun = scene.begin(BACK).await;
    let told = scene
        .come_back(
            json!({ "state": begun.state, "error": "access_denied", "client_nonce": "mine" }),
        )
        .await;
    assert!(told.unwrap_err().to_string().contains("access_denied"));
    assert!(
        scene
            .enter(&begun)
            .await
            .unwrap_err()
            .to_string()
            .contains("state"),
        "it is over"
    );
}

#[tokio::test]
async fn what_others_say_about_somebody_else_is_left_out() {
    let scene = Scene::new(json!({ "bound_claims": { "mail": "a@x" } })).await;
    for (status, told, fine) in [
        (200, json!({ "sub": "ann", "mail": "a@x" }), true),
        (200, json!({ "sub": "bob", "mail": "a@x" }), false),
        (200, json!({ "mail": "a@x" }), false),
        (200, json!(["mail"]), false),
        (401, json!({ "sub": "ann", "mail": "a@x" }), false),
    ] {
        let begun = scene.begin(BACK).await;
        scene.gives(&begun, json!({}));
        scene.says("/userinfo", status, told.clone());
        assert_eq!(scene.enter(&begun).await.is_ok(), fine, "{told}");
    }
}

#[tokio::test]
async fn a_sign_in_ends_after_five_minutes_and_with_the_wrong_word() {
    let mut scene = Scene::new(json!({})).await;
    let (late, stranger) = (scene.begin(BACK).await, scene.begin(BACK).await);
    scene.gives(&stranger, json!({}));
    for nonce in ["", "theirs"] {
        let begun = scene.begin(BACK).await;
        let answer = json!({ "state": begun.state, "code": "c", "client_nonce": nonce });
        assert!(
            scene
                .come_back(answer)
                .await
                .unwrap_err()
                .to_string()
                .contains("client_nonce")
        );
        assert!(scene.enter(&begun).await.is_err());
    }
    scene.bench.advance(Duration::from_secs(299));
    assert!(scene.enter(&stranger).await.is_ok());
    scene.bench.advance(Duration::from_secs(1));
    let told = scene.enter(&late).await.unwrap_err().to_string();
    let unknown = scene
        .come_back(json!({ "state": "st_nosuch", "code": "c" }))
        .await;
    assert_eq!(told, unknown.unwrap_err().to_string());
    let sent = scene.sent();
    let asked = sent.iter().filter(|(path, ..)| path == "/token");
    assert_eq!(
        asked.count(),
        1,
        "the provider is asked about the one that was right"
    );
}

#[tokio::test]
async fn a_role_that_is_gone_or_changed_lets_nobody_finish() {
    let scene = Scene::new(json!({})).await;
    let begun = scene.begin(BACK).await;
    scene.gives(&begun, json!({}));
    let wish =
        json!({ "user_claim": "sub", "allowed_redirect_uris": BACK, "bound_subject": "bob" });
    scene.bench.write("role/r", wish).await.unwrap();
    assert!(scene.enter(&begun).await.is_err());
    let begun = scene.begin(BACK).await;
    scene.bench.delete("role/r").await.unwrap();
    assert!(matches!(scene.enter(&begun).await, Err(Fault::Invalid(_))));
}

#[tokio::test]
async fn the_person_at_the_browser_is_asked_first() {
    let mut scene =
        Scene::new(json!({ "callback_mode": "direct", "token_strictly_bind_ip": true })).await;
    scene.bench.client = Some("10.0.0.1".parse().unwrap());
    let begun = scene.begin(HERE).await;
    scene.gives(&begun, json!({}));
    assert_eq!(
        scene.poll(&begun.state, "mine").await.unwrap_err(),
        "authorization_pending"
    );
    scene.bench.client = Some("10.0.0.2".parse().unwrap());
    let asked = scene
        .come_back(json!({ "state": begun.state, "code": "c" }))
        .await
        .unwrap();
    let html = page(&asked);
    assert!(html.contains("10.0.0.1") && html.contains("<b>r</b>") && !html.contains("10.0.0.2"));
    assert!(
        scene.sent().is_empty(),
        "nothing happens before they say yes"
    );
    assert_eq!(
        scene.poll(&begun.state, "mine").await.unwrap_err(),
        "authorization_pending"
    );
    let yes = json!({ "state": begun.state, "confirmation": word(&html) });
    assert!(page(&scene.come_back(yes.clone()).await.unwrap()).contains("signed in"));
    let again = scene.come_back(yes).await.unwrap();
    assert_eq!(again.reply.status, Some(400));
    scene.bench.client = Some("10.0.0.1".parse().unwrap());
    let login = scene.poll(&begun.state, "mine").await.unwrap();
    assert_eq!(
        login.bound_cidrs[0].to_string(),
        "10.0.0.1/32",
        "the token is bound to who began"
    );
    assert!(scene.poll(&begun.state, "mine").await.is_err(), "once");
}

#[tokio::test]
async fn a_guessed_word_or_a_second_code_ends_it() {
    let scene = Scene::new(json!({ "callback_mode": "direct" })).await;
    for wrong in [
        json!({ "confirmation": "guess" }),
        json!({ "confirmation": "" }),
        json!({ "code": "another" }),
    ] {
        let begun = scene.begin(HERE).await;
        scene
            .come_back(json!({ "state": begun.state, "code": "c" }))
            .await
            .unwrap();
        let mut answer = json!({ "state": begun.state });
        answer
            .as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        assert_eq!(
            scene.come_back(answer).await.unwrap().reply.status,
            Some(400)
        );
        assert!(
            scene
                .poll(&begun.state, "mine")
                .await
                .unwrap_err()
                .contains("state")
        );
    }
    let begun = scene.begin(HERE).await;
    assert!(
        scene
            .poll(&begun.state, "theirs")
            .await
            .unwrap_err()
            .contains("client_nonce")
    );
    assert!(
        scene
            .poll(&begun.state, "mine")
            .await
            .unwrap_err()
            .contains("state"),
        "it is over"
    );
    let without = scene
        .bench
        .write("oidc/auth_url", json!({ "redirect_uri": HERE }))
        .await;
    assert_eq!(without.unwrap_err().to_string(), "missing client_nonce");
}

#[tokio::test]
async fn pages_hold_nothing_that_strangers_write() {
    let scene = Scene::new(json!({ "callback_mode": "direct" })).await;
    let begun = scene.begin(HERE).await;
    let evil = "<script>alert(1)</script>";
    let told = scene
        .come_back(json!({ "state": begun.state, "error": evil, "error_description": evil }))
        .await;
    let html = page(&told.unwrap());
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
}

#[tokio::test]
async fn without_a_question_if_the_role_says_so() {
    let scene = Scene::new(
        json!({ "callback_mode": "direct", "oidc_disable_confirmation": true, "poll_interval": 9 }),
    )
    .await;
    let wish = json!({ "redirect_uri": HERE, "client_nonce": "mine" });
    let told = scene.bench.write("oidc/auth_url", wish).await.unwrap().data;
    assert_eq!(
        (told["poll_interval"].as_str(), told["state"].is_string()),
        (Some("9"), true)
    );
    let begun = scene.begin(HERE).await;
    scene.gives(&begun, json!({}));
    let done = scene
        .come_back(json!({ "state": begun.state, "code": "c" }))
        .await
        .unwrap();
    assert!(page(&done).contains("signed in"));
    assert!(scene.poll(&begun.state, "mine").await.is_ok());
    let begun = scene.begin(HERE).await;
    scene.gives(&begun, json!({ "nonce": "n_other" }));
    let failed = scene
        .come_back(json!({ "state": begun.state, "code": "c" }))
        .await
        .unwrap();
    assert_eq!(failed.reply.status, Some(400));
    assert!(scene.poll(&begun.state, "mine").await.is_err());
}

#[tokio::test]
async fn answers_come_as_forms_only_where_they_are_expected() {
    let scene = Scene::new(json!({})).await;
    let post = async |begun: &Begun, more: Value| {
        let mut form = json!({ "state": begun.state });
        form.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        scene
            .bench
            .write("oidc/callback", form)
            .await
            .unwrap()
            .reply
            .status
    };
    let begun = scene.begin(HERE).await;
    assert_eq!(
        post(&begun, json!({ "code": "c" })).await,
        Some(400),
        "a query was expected"
    );
    scene
        .configure(json!({ "oidc_response_mode": "form_post", "oidc_response_types": "id_token" }))
        .await;
    let begun = scene.begin(BACK).await;
    assert_eq!(
        post(&begun, json!({ "id_token": "x" })).await,
        Some(400),
        "not at this server"
    );
    let begun = scene.begin(HERE).await;
    assert_eq!(begun.asked["response_type"], "id_token");
    assert!(!begun.asked.contains_key("code_challenge"));
    assert_eq!(
        post(&begun, json!({ "id_token": "x".repeat(20_000) })).await,
        Some(400)
    );
    let begun = scene.begin(HERE).await;
    assert_eq!(
        post(
            &begun,
            json!({ "id_token": scene.token(&begun, json!({})) })
        )
        .await,
        None
    );
    let login = scene.enter(&begun).await.unwrap();
    assert_eq!(login.alias.unwrap().name, "ann");
    let begun = scene.begin(HERE).await;
    assert!(
        scene
            .enter(&begun)
            .await
            .unwrap_err()
            .to_string()
            .contains("not the one that was asked for"),
        "a code for a token"
    );
}

#[tokio::test]
async fn a_device_waits_for_a_person() {
    let mut scene = Scene::new(json!({ "callback_mode": "device" })).await;
    let given = json!({ "device_code": "dc", "user_code": "AB-CD", "verification_uri": "https://idp.example/dev", "interval": 4, "expires_in": 600 });
    scene.says("/device", 200, given);
    let told = scene
        .bench
        .write("oidc/auth_url", json!({ "client_nonce": "mine" }))
        .await
        .unwrap()
        .data;
    assert_eq!(
        (told["auth_url"].as_str(), told["user_code"].as_str()),
        (Some("https://idp.example/dev"), Some("AB-CD"))
    );
    assert_eq!(told["poll_interval"], "4");
    let state = told["state"].as_str().unwrap().to_owned();
    scene.says("/token", 400, json!({ "error": "authorization_pending" }));
    assert_eq!(
        scene.poll(&state, "mine").await.unwrap_err(),
        "authorization_pending"
    );
    assert!(
        scene
            .sent()
            .iter()
            .any(|(path, body, _)| path == "/token" && body.contains("device_code=dc"))
    );
    assert_eq!(scene.poll(&state, "mine").await.unwrap_err(), "slow_down");
    assert!(
        scene.sent().is_empty(),
        "the provider is not asked by strangers' haste"
    );
    let begun = Begun {
        state: state.clone(),
        asked: BTreeMap::new(),
    };
    assert!(
        scene.enter(&begun).await.is_err(),
        "a device has no browser"
    );
    let told = scene
        .bench
        .write("oidc/auth_url", json!({ "client_nonce": "mine" }))
        .await
        .unwrap()
        .data;
    let state = told["state"].as_str().unwrap().to_owned();
    scene.gives(&begun, json!({}));
    assert_eq!(
        scene.poll(&state, "mine").await.unwrap().display_name,
        "ann"
    );
    assert!(scene.poll(&state, "mine").await.is_err(), "once");
    let told = scene
        .bench
        .write("oidc/auth_url", json!({ "client_nonce": "mine" }))
        .await
        .unwrap()
        .data;
    let state = told["state"].as_str().unwrap().to_owned();
    scene.says("/token", 400, json!({ "error": "access_denied" }));
    scene.bench.advance(Duration::from_secs(4));
    assert!(
        scene
            .poll(&state, "mine")
            .await
            .unwrap_err()
            .contains("access_denied")
    );
    assert!(
        scene
            .poll(&state, "mine")
            .await
            .unwrap_err()
            .contains("state")
    );
    scene.says(
        "/device",
        200,
        json!({ "device_code": "dc", "user_code": "x", "verification_uri": "javascript:alert(1)" }),
    );
    assert!(
        scene
            .bench
            .write("oidc/auth_url", json!({ "client_nonce": "mine" }))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn namespaces_travel_in_the_state() {
    let scene = Scene::new(json!({})).await;
    let begun = scene.begin(&format!("{BACK}?namespace=team%2Fa")).await;
    assert!(begun.state.ends_with(",ns=team/a"));
    assert_eq!(begun.asked["redirect_uri"], BACK);
    scene.gives(&begun, json!({}));
    let (bare, _) = begun.state.split_once(',').unwrap();
    assert!(
        scene
            .come_back(json!({ "state": bare, "code": "c", "client_nonce": "mine" }))
            .await
            .is_err()
    );
    assert!(scene.enter(&begun).await.is_ok());
    scene
        .configure(json!({ "namespace_in_state": false }))
        .await;
    let told = scene
        .bench
        .write(
            "oidc/auth_url",
            json!({ "redirect_uri": format!("{BACK}?namespace=a") }),
        )
        .await;
    assert_eq!(
        told.unwrap().data["auth_url"],
        "",
        "it is another address then"
    );
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_by_an_empty_address() {
    let scene = Scene::new(json!({})).await;
    assert_eq!(
        scene
            .bench
            .write(
                "oidc/auth_url",
                json!({ "redirect_uri": "http://evil.example/" })
            )
            .await
            .unwrap()
            .data["auth_url"],
        ""
    );
    scene.says("/.well-known/openid-configuration", 500, json!({}));
    let away = json!({ "oidc_discovery_url": "https://away.example", "oidc_client_id": "x", "oidc_client_secret": "y", "default_role": "r", "skip_jwks_validation": true });
    scene.bench.write("config", away).await.unwrap();
    let told = scene
        .bench
        .write("oidc/auth_url", json!({ "redirect_uri": BACK }))
        .await
        .unwrap()
        .data;
    assert_eq!(told, json!({ "auth_url": "" }));
    for wish in [json!({}), json!({ "redirect_uri": BACK, "role": "nosuch" })] {
        assert!(matches!(
            scene.bench.write("oidc/auth_url", wish).await,
            Err(Fault::Invalid(_))
        ));
    }
    let many = json!({ "redirect_uri": BACK, "client_nonce": "x".repeat(300) });
    assert!(scene.bench.write("oidc/auth_url", many).await.is_err());
}
