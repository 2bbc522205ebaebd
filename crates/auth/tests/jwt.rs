//! The jwt method by path: tokens that others have signed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use coffer_auth::jwt::Jwt;
use coffer_crypto::jose::sign;
use coffer_crypto::sign::{Algorithm, PublicParts, SigningKey};
use coffer_engine::testing::Bench;
use coffer_engine::{Fault, Login};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const SIGNATURE: &str = "error validating token: error verifying token signature: no known key successfully validated the token signature";

struct Scene {
    bench: Bench<Jwt>,
    key: SigningKey,
}

impl Scene {
    /// A mount with one public key, and the role `r` for the audience `a`.
    async fn new(algorithm: Algorithm) -> Self {
        let scene = Self {
            bench: Bench::new().await,
            key: SigningKey::generate(algorithm).unwrap(),
        };
        scene.configure(json!({})).await.unwrap();
        scene.role(json!({})).await.unwrap();
        scene
    }

    async fn configure(&self, more: Value) -> Result<(), Fault> {
        let wish = json!({ "jwt_validation_pubkeys": [pem(&self.key)] });
        let mut wish = merged(wish, more);
        if wish["jwt_validation_pubkeys"] == "<none>" {
            wish["jwt_validation_pubkeys"].take();
        }
        self.bench.write("config", wish).await?;
        Ok(())
    }

    /// The role `r` as it is made anew.
    async fn role(&self, more: Value) -> Result<(), Fault> {
        self.bench.delete("role/r").await?;
        let wish = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": "a" });
        self.bench.write("role/r", merged(wish, more)).await?;
        Ok(())
    }

    fn token(&self, more: Value) -> String {
        sign(&self.key, "k", claims(more).to_string().as_bytes()).unwrap()
    }

    async fn enter(&self, token: &str) -> Result<Box<Login>, Fault> {
        let wish = json!({ "role": "r", "jwt": token });
        let answered = self.bench.write("login", wish).await?;
        Ok(answered.reply.login.unwrap())
    }

    async fn enters(&self, more: Value) -> Result<Box<Login>, Fault> {
        self.enter(&self.token(more)).await
    }

    async fn refused(&self, more: Value) -> String {
        match self.enters(more).await {
            Err(Fault::Invalid(why)) => why,
            other => panic!("{other:?}"),
        }
    }
}

/// What a token says; `<none>` takes a claim out.
fn claims(more: Value) -> Value {
    let usual =
        json!({ "iss": "https://issuer", "sub": "me", "aud": "a", "iat": NOW, "exp": NOW + 300 });
    let mut all = merged(usual, more);
    if let Some(all) = all.as_object_mut() {
        all.retain(|_, value| *value != json!("<none>"));
    }
    all
}

fn merged(usual: Value, more: Value) -> Value {
    let (Value::Object(mut usual), Value::Object(more)) = (usual, more) else {
        panic!("objects");
    };
    usual.extend(more);
    Value::Object(usual)
}

/// A public key as an operator has it.
fn pem(key: &SigningKey) -> String {
    let parts = key.verifying_key().parts().unwrap();
    let (head, bits) = match (key.algorithm(), parts) {
        (Algorithm::Es256, PublicParts::Curve { x, y }) => (
            hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap(),
            [&[4], x.as_slice(), y].concat(),
        ),
        (Algorithm::EdDsa, PublicParts::Edwards { x }) => {
            (hex::decode("302a300506032b6570032100").unwrap(), x.clone())
        }
        (_, PublicParts::Rsa { n, e }) => {
            let key = der(0x30, &[number(n), number(e)].concat());
            let kind = hex::decode("300d06092a864886f70d0101010500").unwrap();
            let bits = der(0x03, &[vec![0], key].concat());
            (Vec::new(), der(0x30, &[kind, bits].concat()))
        }
        _ => panic!("another kind of key"),
    };
    let body = STANDARD.encode([head, bits].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

fn number(bytes: &[u8]) -> Vec<u8> {
    let sign = bytes.first().is_some_and(|first| *first >= 0x80);
    der(0x02, &[vec![0; usize::from(sign)], bytes.to_vec()].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let mut all = match length {
        0..0x80 => vec![tag, u8::try_from(length).unwrap()],
        _ => [vec![tag, 0x82], length.to_be_bytes().to_vec()].concat(),
    };
    all.extend_from_slice(content);
    all
}

#[tokio::test]
async fn a_login_is_what_token_and_role_say() {
    let scene = Scene::new(Algorithm::Rs256).await;
    scene
        .role(json!({
            "token_policies": "b,A", "token_ttl": "30m", "token_coalesce_window": "1m", "alias_metadata": "team=no,kind=job", "groups_claim": "/org/groups", "user_claim": "/org/mail",
            "user_claim_json_pointer": true, "claim_mappings": { "team": "team", "/org/dept": "dept", "nosuch": "x" },
        }))
        .await
        .unwrap();
    let org = json!({ "mail": "Ann@x", "groups": ["g2", "g1", "g2", ""], "dept": "d" });
    let login = scene
        .enters(json!({ "org": org, "team": "t" }))
        .await
        .unwrap();
    assert_eq!(login.policies, ["a", "b"]);
    assert_eq!(login.ttl.as_secs(), 1800);
    let alias = login.alias.clone().unwrap();
    assert_eq!(
        (alias.name.as_str(), login.display_name.as_str()),
        ("Ann@x", "Ann@x")
    );
    assert_eq!(login.group_aliases, ["g1", "g2"]);
    let noted = json!({ "role": "r", "team": "t", "dept": "d" });
    assert_eq!(serde_json::to_value(&login.metadata).unwrap(), noted);
    assert_eq!(
        (
            alias.metadata["team"].as_str(),
            alias.metadata["kind"].as_str()
        ),
        ("t", "job")
    );
    assert_eq!(login.coalesce_window.as_secs(), 60);
}

#[tokio::test]
async fn every_algorithm_with_a_public_key_is_taken() {
    for algorithm in [
        Algorithm::Rs256,
        Algorithm::Ps512,
        Algorithm::Es256,
        Algorithm::EdDsa,
    ] {
        let scene = Scene::new(algorithm).await;
        assert!(scene.enters(json!({})).await.is_ok(), "{algorithm}");
        scene
            .configure(json!({ "jwt_supported_algs": "RS512" }))
            .await
            .unwrap();
        assert_eq!(scene.refused(json!({})).await, SIGNATURE);
        scene
            .configure(json!({ "jwt_supported_algs": [algorithm.name()] }))
            .await
            .unwrap();
        assert!(scene.enters(json!({})).await.is_ok(), "{algorithm}");
    }
}

/// A token with this header and a signature of these bytes over whatever it says.
fn forged(header: &Value, signature: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", text(header), text(&claims(json!({}))));
    let signature = URL_SAFE_NO_PAD.encode(signature(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[tokio::test]
async fn forged_tokens_are_all_refused_in_the_same_words() {
    let scene = Scene::new(Algorithm::Es256).await;
    let mine = SigningKey::generate(Algorithm::Es256).unwrap();
    let Some(PublicParts::Curve { x, y }) = mine.verifying_key().parts() else {
        panic!("a point");
    };
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) });
    let public = pem(&scene.key);
    let by_me = |signed: &[u8]| mine.sign(signed).unwrap();
    let by_hmac = |signed: &[u8]| coffer_crypto::hmac_sha256(public.as_bytes(), signed).to_vec();
    let order =
        hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
    let good = scene.token(json!({}));
    let (rest, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = rest.split_once('.').unwrap();
    let swapped = format!(
        "{header}.{}.{signature}",
        text(claims(json!({ "sub": "root" })).to_string().as_bytes())
    );
    let es256 = |more: Value| merged(json!({ "alg": "ES256" }), more);
    for (what, token) in [
        (
            "no algorithm",
            forged(&json!({ "alg": "none" }), |_| Vec::new()),
        ),
        (
            "none in capitals",
            forged(&json!({ "alg": "NONE" }), |_| Vec::new()),
        ),
        (
            "none with a signature",
            forged(&json!({ "alg": "none" }), by_me),
        ),
        ("no alg at all", forged(&json!({ "typ": "JWT" }), by_me)),
        (
            "HMAC with the public key",
            forged(&json!({ "alg": "HS256" }), by_hmac),
        ),
        (
            "another curve's name",
            forged(&json!({ "alg": "ES384" }), by_me),
        ),
        ("another key", forged(&es256(json!({})), by_me)),
        ("zeros", forged(&es256(json!({})), |_| vec![0; 64])),
        (
            "the order of the curve twice",
            forged(&es256(json!({})), |_| {
                [order.clone(), order.clone()].concat()
            }),
        ),
        (
            "one and nothing",
            forged(&es256(json!({})), |_| {
                [vec![0; 31], vec![1], vec![0; 32]].concat()
            }),
        ),
        (
            "an empty signature",
            forged(&es256(json!({})), |_| Vec::new()),
        ),
        ("its own key", forged(&es256(json!({ "jwk": jwk })), by_me)),
        (
            "the address of its own key",
            forged(&es256(json!({ "jku": "https://evil/keys" })), by_me),
        ),
        (
            "its own certificate",
            forged(&es256(json!({ "x5c": ["MIIB"] })), by_me),
        ),
        (
            "the address of its own certificate",
            forged(&es256(json!({ "x5u": "https://evil/x" })), by_me),
        ),
        (
            "a path as the key's name",
            forged(&es256(json!({ "kid": "../../dev/null" })), by_me),
        ),
        (
            "a query as the key's name",
            forged(&es256(json!({ "kid": "x' UNION SELECT 'k" })), by_me),
        ),
        (
            "a list as the key's name",
            forged(&es256(json!({ "kid": ["k"] })), by_me),
        ),
        (
            "extensions that matter",
            forged(&es256(json!({ "crit": ["exp"] })), by_me),
        ),
        ("other claims under a good signature", swapped),
        ("padding", format!("{good}=")),
        ("no token", "x".into()),
        ("five parts", "a.b.c.d.e".into()),
        ("too long", format!("{good}{}", "A".repeat(70_000))),
    ] {
        match scene.enter(&token).await {
            Err(Fault::Invalid(why)) => assert_eq!(why, SIGNATURE, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
    assert!(scene.enter(&good).await.is_ok());
    assert!(
        scene.enter(&format!(" {good}\n")).await.is_ok(),
        "blanks of a file"
    );
}

#[tokio::test]
async fn a_token_of_one_algorithm_is_none_of_another_with_the_same_key() {
    let scene = Scene::new(Algorithm::Rs256).await;
    let good = scene.token(json!({}));
    let (_, rest) = good.split_once('.').unwrap();
    for other in ["RS384", "PS256", "HS256", "ES256"] {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": other }).to_string());
        let refused = scene.enter(&format!("{header}.{rest}")).await.unwrap_err();
        assert_eq!(refused.to_string(), SIGNATURE, "{other}");
    }
}

#[tokio::test]
async fn claims_are_looked_at() {
    let scene = Scene::new(Algorithm::Es256).await;
    scene
        .configure(json!({ "bound_issuer": "https://issuer" }))
        .await
        .unwrap();
    scene
        .role(json!({ "bound_subject": "me", "bound_claims": { "c": ["x", 5] } }))
        .await
        .unwrap();
    assert!(scene.enters(json!({ "c": "x" })).await.is_ok());
    assert!(scene.enters(json!({ "c": ["y", 5] })).await.is_ok());
    for (more, word) in [
        (json!({ "iss": "https://issuer/" }), "(iss)"),
        (json!({ "iss": "<none>" }), "(iss)"),
        (json!({ "iss": 5 }), "iss"),
        (json!({ "sub": "ME" }), "(sub)"),
        (json!({ "sub": ["me"] }), "sub"),
        (json!({ "aud": "b" }), "(aud)"),
        (json!({ "aud": ["b", "A"] }), "(aud)"),
        (json!({ "aud": [] }), "(aud)"),
        (json!({ "aud": "<none>" }), "(aud)"),
        (json!({ "aud": { "a": "a" } }), "aud"),
        (json!({ "aud": [["a"]] }), "aud"),
        (json!({ "aud": 5 }), "aud"),
        (json!({ "exp": NOW - 61 }), "expired"),
        (json!({ "exp": "<none>", "iat": "<none>" }), "no issued at"),
        (json!({ "exp": "soon" }), "exp"),
        (json!({ "nbf": NOW + 61 }), "not yet valid"),
        (json!({ "iat": NOW + 61, "nbf": NOW }), "future"),
        (json!({ "c": "z" }), "\"c\" does not match"),
        (json!({ "c": "<none>" }), "\"c\" is missing"),
    ] {
        let why = scene
            .refused(merged(json!({ "c": "x" }), more.clone()))
            .await;
        assert!(why.contains(word), "{more} {why}");
    }
}

#[tokio::test]
async fn times_are_counted_from_the_request() {
    let mut scene = Scene::new(Algorithm::EdDsa).await;
    let token = scene.token(json!({}));
    scene.bench.advance(Duration::from_secs(360));
    assert!(scene.enter(&token).await.is_ok());
    scene.bench.advance(Duration::from_millis(1));
    assert!(
        scene
            .enter(&token)
            .await
            .unwrap_err()
            .to_string()
            .contains("expired")
    );
    scene
        .role(json!({ "clock_skew_leeway": "2m" }))
        .await
        .unwrap();
    assert!(scene.enter(&token).await.is_ok());
    scene
        .role(json!({ "clock_skew_leeway": -1 }))
        .await
        .unwrap();
    assert!(scene.enter(&token).await.is_err());
}

#[tokio::test]
async fn an_audience_that_nobody_expects_is_refused() {
    let scene = Scene::new(Algorithm::Es256).await;
    scene
        .role(json!({ "bound_audiences": "", "bound_subject": "me" }))
        .await
        .unwrap();
    assert!(
        scene
            .refused(json!({}))
            .await
            .contains("no audiences bound")
    );
    assert!(scene.enters(json!({ "aud": "<none>" })).await.is_ok());
}

#[tokio::test]
async fn who_somebody_is_must_be_a_text() {
    let scene = Scene::new(Algorithm::Es256).await;
    scene
        .role(json!({ "user_claim": "u", "groups_claim": "g" }))
        .await
        .unwrap();
    let fine = json!({ "u": "x", "g": ["a"] });
    assert!(scene.enters(fine.clone()).await.is_ok());
    for odd in [
        json!({ "u": "<none>" }),
        json!({ "u": null }),
        json!({ "u": 5 }),
        json!({ "u": ["x"] }),
        json!({ "u": "" }),
        json!({ "u": "x".repeat(2_000) }),
        json!({ "g": "<none>" }),
        json!({ "g": [5] }),
        json!({ "g": { "a": 1 } }),
        json!({ "g": vec!["a"; 1_001] }),
    ] {
        let refused = scene.enters(merged(fine.clone(), odd.clone())).await;
        assert!(matches!(refused, Err(Fault::Invalid(_))), "{odd}");
    }
}

#[tokio::test]
async fn policies_may_hold_claims() {
    let scene = Scene::new(Algorithm::Es256).await;
    let wish = json!({ "token_policies": ["team-{{.Team}}", "p", "{{.none}}"], "token_policies_template_claims": true });
    scene.role(wish).await.unwrap();
    let login = scene
        .enters(json!({ "Team": "Blue", "none": "" }))
        .await
        .unwrap();
    assert_eq!(login.policies, ["p", "team-blue"]);
    assert!(
        scene
            .refused(json!({ "none": "" }))
            .await
            .contains("template")
    );
    let odd =
        json!({ "token_policies": ["{{if .x}}y{{end}}"], "token_policies_template_claims": true });
    assert!(matches!(scene.role(odd).await, Err(Fault::Invalid(_))));
}

#[tokio::test]
async fn a_renewal_asks_the_role_again() {
    let scene = Scene::new(Algorithm::Es256).await;
    scene
        .role(json!({ "bound_claims": { "/d/c": "x" }, "token_ttl": 60 }))
        .await
        .unwrap();
    let login = scene
        .enters(json!({ "d": { "c": "x", "secret": "s" } }))
        .await
        .unwrap();
    assert!(
        !login.payload.to_string().contains("secret"),
        "only what is bound is kept"
    );
    let stay = async || scene.bench.stay(login.payload.clone()).await.unwrap();
    assert_eq!(stay().await.unwrap().ttl.unwrap().as_secs(), 60);
    scene
        .role(json!({ "bound_claims": { "/d/c": ["y", "x"] }, "token_ttl": 30 }))
        .await
        .unwrap();
    assert_eq!(stay().await.unwrap().ttl.unwrap().as_secs(), 30);
    for changed in [
        json!({ "bound_claims": { "/d/c": "y" } }),
        json!({ "bound_claims": { "/d/c": "x", "new": "z" } }),
        json!({ "bound_subject": "other" }),
        json!({ "bound_audiences": "other" }),
    ] {
        scene.role(changed.clone()).await.unwrap();
        assert!(matches!(stay().await, Err(Fault::Invalid(_))), "{changed}");
    }
    scene.role(json!({})).await.unwrap();
    assert!(stay().await.is_ok());
    scene.bench.delete("role/r").await.unwrap();
    assert!(matches!(stay().await, Err(Fault::Invalid(_))));
}

#[tokio::test]
async fn a_bound_address_holds_for_the_login() {
    let mut scene = Scene::new(Algorithm::Es256).await;
    scene
        .role(json!({ "token_bound_cidrs": "10.0.0.0/8" }))
        .await
        .unwrap();
    assert!(matches!(scene.enters(json!({})).await, Err(Fault::Denied)));
    scene.bench.client = Some("10.1.1.1".parse().unwrap());
    assert!(scene.enters(json!({})).await.is_ok());
}

#[tokio::test]
async fn roles_keep_what_is_not_named() {
    let scene = Scene::new(Algorithm::Es256).await;
    let all = json!({
        "bound_subject": "s", "bound_claims": { "c": "*" }, "bound_claims_type": "glob", "claim_mappings": "a=b",
        "groups_claim": "g", "expiration_leeway": "-5m", "not_before_leeway": 7, "callback_mode": "direct",
        "poll_interval": 4, "token_policies": "p", "allowed_redirect_uris": "http://localhost/x", "oidc_scopes": "q,r",
    });
    scene.role(all).await.unwrap();
    let change = json!({ "role_type": "jwt", "ttl": "1h" });
    scene.bench.write("role/R", change).await.unwrap();
    let seen = scene.bench.read("role/r").await.unwrap().data;
    for (name, value) in [
        ("bound_subject", json!("s")),
        ("bound_claims", json!({ "c": "*" })),
        ("bound_claims_type", json!("string")),
        ("callback_mode", json!("client")),
        ("claim_mappings", json!({ "a": "b" })),
        ("expiration_leeway", json!(-300)),
        ("oidc_scopes", json!(["q", "r"])),
        ("poll_interval", json!(4)),
        ("role_type", json!("jwt")),
        ("ttl", json!(3600)),
        ("token_ttl", json!(3600)),
        ("token_policies", json!(["p"])),
    ] {
        assert_eq!(seen[name], value, "{name}");
    }
    assert_eq!(scene.bench.list("role").await.unwrap(), ["r"]);
}

#[tokio::test]
async fn what_a_role_can_not_be() {
    let scene = Scene::new(Algorithm::Es256).await;
    for (wish, word) in [
        (json!({ "role_type": "x" }), "role_type"),
        (json!({ "role_type": "oidc" }), "allowed_redirect_uris"),
        (json!({ "user_claim": "" }), "user claim"),
        (json!({ "bound_audiences": "" }), "bound constraint"),
        (json!({ "bound_claims_type": "x" }), "bound_claims_type"),
        (
            json!({ "bound_claims_type": "glob", "bound_claims": { "a": 5 } }),
            "not a string",
        ),
        (json!({ "callback_mode": "x" }), "callback_mode"),
        (json!({ "claim_mappings": { "a": "role" } }), "reserved"),
        (
            json!({ "claim_mappings": { "a": "x", "b": "x" } }),
            "multiple keys",
        ),
        (
            json!({ "oauth2_metadata": "access_token" }),
            "oauth2_metadata",
        ),
        (json!({ "max_age": -1 }), "max_age"),
        (json!({ "clock_skew_leeway": "x" }), "clock_skew_leeway"),
        (
            json!({ "token_policies": "{{.x", "token_policies_template_claims": true }),
            "unclosed",
        ),
        (
            json!({ "token_ttl": "2h", "token_max_ttl": "1h" }),
            "token_ttl",
        ),
    ] {
        match scene.role(wish.clone()).await {
            Err(Fault::Invalid(why)) => assert!(why.contains(word), "{wish} {why}"),
            other => panic!("{wish}: {other:?}"),
        }
    }
    for name in ["-a", "a-", "a b", "ä"] {
        let refused = scene.bench.write(&format!("role/{name}"), json!({})).await;
        assert!(matches!(refused, Err(Fault::UnsupportedPath)), "{name}");
    }
}

#[tokio::test]
async fn what_a_configuration_can_not_be() {
    let scene = Scene::new(Algorithm::Es256).await;
    let both = "both 'oidc_client_id' and 'oidc_client_secret'";
    for (wish, word) in [
        (json!({ "jwt_validation_pubkeys": [] }), "exactly one"),
        (json!({ "jwks_url": "http://127.0.0.1:1/" }), "exactly one"),
        (
            json!({ "jwt_validation_pubkeys": ["x"] }),
            "error parsing public key",
        ),
        (json!({ "jwt_supported_algs": "RS256,HS256" }), "\"HS256\""),
        (json!({ "jwt_supported_algs": "none" }), "\"none\""),
        (json!({ "oidc_client_id": "x" }), both),
        (json!({ "oidc_client_secret": "hunter2" }), both),
        (
            json!({ "oidc_client_id": "x", "oidc_client_secret": "hunter2" }),
            "'oidc_discovery_url' must be set",
        ),
        (json!({ "oidc_response_mode": "x" }), "response_mode"),
        (json!({ "oidc_response_types": "x" }), "response_types"),
        (
            json!({ "oidc_response_types": "id_token" }),
            "query response_mode",
        ),
        (
            json!({ "provider_config": { "provider": "azure" } }),
            "provider_config",
        ),
        (
            json!({ "override_allowed_server_names": "x" }),
            "override_allowed_server_names",
        ),
        (
            json!({ "jwt_validation_pubkeys": "<none>", "jwks_url": "http://127.0.0.1:1/" }),
            "error checking jwks URL",
        ),
    ] {
        match scene.configure(wish.clone()).await {
            Err(Fault::Invalid(why)) => assert!(
                why.contains(word) && !why.contains("hunter2"),
                "{wish} {why}"
            ),
            other => panic!("{wish}: {other:?}"),
        }
    }
    let many: Vec<String> = vec![pem(&scene.key); 101];
    assert!(
        scene
            .configure(json!({ "jwt_validation_pubkeys": many }))
            .await
            .is_err()
    );
    assert!(scene.enters(json!({})).await.is_ok(), "it is as it was");
    let unreachable = json!({ "jwt_validation_pubkeys": "<none>", "jwks_url": "http://127.0.0.1:1/", "skip_jwks_validation": true });
    scene.configure(unreachable).await.unwrap();
    let seen = scene.bench.read("config").await.unwrap();
    assert_eq!(seen.data["status"], "invalid");
    assert!(scene.refused(json!({})).await.contains("fetching keys"));
}

#[tokio::test]
async fn a_login_says_what_is_missing() {
    let scene = Scene::new(Algorithm::Es256).await;
    let told = async |wish: Value| match scene.bench.write("login", wish).await {
        Err(Fault::Invalid(why)) => why,
        other => panic!("{other:?}"),
    };
    let token = scene.token(json!({}));
    assert_eq!(told(json!({ "jwt": token })).await, "missing role");
    assert_eq!(told(json!({ "role": "r" })).await, "missing token");
    assert!(
        told(json!({ "role": "x", "jwt": token }))
            .await
            .contains("could not be found")
    );
    scene
        .configure(json!({ "default_role": "R" }))
        .await
        .unwrap();
    let answered = scene
        .bench
        .write("login", json!({ "jwt": token }))
        .await
        .unwrap();
    assert_eq!(answered.reply.login.unwrap().metadata["role"], "r");
    let people = json!({ "role_type": "oidc", "allowed_redirect_uris": "http://localhost/x" });
    scene.role(people).await.unwrap();
    assert!(scene.refused(json!({})).await.contains("oidc role_type"));
    let bench = Bench::<Jwt>::new().await;
    let told = bench
        .write("login", json!({ "role": "r", "jwt": "x" }))
        .await
        .unwrap_err();
    assert_eq!(told.to_string(), "could not load configuration");
    assert!(matches!(bench.read("config").await, Err(Fault::NotFound)));
}

#[tokio::test]
async fn words_of_the_parser_are_no_way_into_a_claim() {
    let scene = Scene::new(Algorithm::Es256).await;
    assert!(scene.enters(json!({})).await.is_ok());
    let raw = |text: &str| json!({ "$serde_json::private::RawValue": text });
    for claims in [
        json!({ "aud": raw("\"a\"") }),
        json!({ "sub": raw("\"me\"") }),
        json!({ "exp": { "$serde_json::private::Number": "9999999999" } }),
    ] {
        assert!(scene.enters(claims.clone()).await.is_err(), "{claims}");
    }
}

#[tokio::test]
async fn names_that_the_identity_store_takes_for_others_are_nobodys() {
    let scene = Scene::new(Algorithm::Es256).await;
    for name in [" me", "me\u{a0}", "mi\u{212a}e"] {
        assert!(
            scene.enters(json!({ "sub": name })).await.is_err(),
            "{name:?}"
        );
    }
    assert!(scene.enters(json!({ "sub": "jörg" })).await.is_ok());
}
