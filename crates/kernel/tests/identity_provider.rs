//! The OpenID provider: applications sign people in, by codes that are good once.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use coffer_crypto::jose::{Compact, KeySet};
use coffer_crypto::sign::Algorithm;
use coffer_crypto::{Hash, sha256};
use coffer_wire::Verb;
use harness::faulty::Faulty;
use harness::{Answer, Harness};
use serde_json::{Map, Value, json};

const BACK: &str = "https://app.example.com/back";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A server with a provider `shop`, a client of each kind, and somebody who may sign in.
struct Shop {
    h: Harness,
    ann: String,
    entity: String,
    client: Client,
    public: Client,
}

#[derive(Clone)]
struct Client {
    name: &'static str,
    id: String,
    secret: String,
}

impl Shop {
    async fn open() -> Self {
        Self::over(Harness::new().await).await
    }

    async fn over(h: Harness) -> Self {
        h.enable_passport().await;
        put(
            &h,
            "key/k",
            json!({ "algorithm": "EdDSA", "allowed_client_ids": "*" }),
        )
        .await;
        put(
            &h,
            "scope/groups",
            json!({ "template": r#"{"groups": {{identity.entity.groups.names}}}"# }),
        )
        .await;
        let client = client(&h, "shop", json!({})).await;
        let public = client_of(&h, "phone", json!({ "client_type": "public" })).await;
        let provider =
            json!({ "allowed_client_ids": [client.id, public.id], "scopes_supported": "groups" });
        put(&h, "provider/shop", provider).await;
        let login = h
            .write("auth/passport/login", "", json!({ "name": "ann" }))
            .await;
        let entity = login.auth()["entity_id"].as_str().unwrap().to_owned();
        let group = json!({ "name": "staff", "member_entity_ids": [entity] });
        assert_eq!(h.write("identity/group", &h.root, group).await.status, 200);
        Self {
            ann: login.token(),
            entity,
            client,
            public,
            h,
        }
    }

    async fn authorize(&self, over: Value) -> Answer {
        let wish = merged(
            json!({ "client_id": self.client.id, "redirect_uri": BACK, "response_type": "code",
                    "scope": "openid groups", "state": "st", "nonce": "no" }),
            over,
        );
        let path = "identity/oidc/provider/shop/authorize";
        self.h.write(path, &self.ann, wish).await
    }

    async fn code(&self, over: Value) -> String {
        let answer = self.authorize(over).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.data()["code"].as_str().unwrap().to_owned()
    }

    async fn exchange(&self, code: &str, over: Value) -> Answer {
        let wish = merged(
            json!({ "grant_type": "authorization_code", "redirect_uri": BACK, "code": code,
                    "client_id": self.client.id, "client_secret": self.client.secret }),
            over,
        );
        self.h
            .write("identity/oidc/provider/shop/token", "", wish)
            .await
    }

    async fn tokens(&self) -> Value {
        let code = self.code(json!({})).await;
        let answer = self.exchange(&code, json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.data().clone()
    }

    async fn userinfo(&self, provider: &str, token: &str) -> Answer {
        let path = format!("identity/oidc/provider/{provider}/userinfo");
        let bearer = |request: &mut coffer_kernel::Request| {
            let scheme = vec!["Bearer".to_owned()];
            request.headers.insert("authorization".into(), scheme);
        };
        self.h
            .request_with(Verb::Read, &path, token, Value::Null, bearer)
            .await
    }

    async fn claims(&self, token: &Value) -> Map<String, Value> {
        let path = "identity/oidc/provider/shop/.well-known/keys";
        let keys = self.h.read(path, "").await;
        let set = KeySet::read(keys.data(), &Algorithm::ALL).unwrap();
        let token = Compact::parse(token.as_str().unwrap()).unwrap();
        serde_json::from_slice(set.verify(&token).unwrap()).unwrap()
    }
}

fn merged(mut wish: Value, over: Value) -> Value {
    for (name, value) in over.as_object().unwrap() {
        match value {
            Value::Null => drop(wish.as_object_mut().unwrap().remove(name)),
            value => wish[name] = value.clone(),
        }
    }
    wish
}

async fn put(h: &Harness, path: &str, wish: Value) {
    let done = h
        .write(&format!("identity/oidc/{path}"), &h.root, wish)
        .await;
    assert!(matches!(done.status, 200 | 204), "{path}: {done:?}");
}

async fn client(h: &Harness, name: &'static str, over: Value) -> Client {
    client_of(h, name, over).await
}

async fn client_of(h: &Harness, name: &'static str, over: Value) -> Client {
    let wish = json!({ "key": "k", "redirect_uris": BACK, "assignments": "allow_all" });
    put(h, &format!("client/{name}"), merged(wish, over)).await;
    let made = h
        .read(&format!("identity/oidc/client/{name}"), &h.root)
        .await;
    let text = |field: &str| made.data()[field].as_str().unwrap_or_default().to_owned();
    Client {
        name,
        id: text("client_id"),
        secret: text("client_secret"),
    }
}

fn error(answer: &Answer) -> (u16, String) {
    let code = answer.data()["error"].as_str().unwrap_or_default();
    (answer.status, code.to_owned())
}

fn described(answer: &Answer) -> String {
    let text = answer.data()["error_description"].as_str();
    text.unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_application_learns_who_signed_in() {
    let shop = Shop::open().await;
    let code = shop.code(json!({})).await;
    let answer = shop.exchange(&code, json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let tokens = answer.data();
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&json!("Bearer"), &json!(86400))
    );
    let mut claims = shop.claims(&tokens["id_token"]).await;
    let half = |text: &str| {
        let digest = Hash::Sha512.of(text.as_bytes());
        URL_SAFE_NO_PAD.encode(&digest[..32])
    };
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(claims.remove("at_hash"), Some(json!(half(access))));
    assert_eq!(claims.remove("c_hash"), Some(json!(half(&code))));
    let now = shop.h.clock.now().secs();
    assert_eq!(
        Value::Object(claims),
        json!({
            "iss": "/v1/identity/oidc/provider/shop", "sub": shop.entity, "aud": shop.client.id, "nonce": "no",
            "namespace": "root", "iat": now, "exp": now + 86400, "groups": ["staff"],
        })
    );
    let info = shop.userinfo("shop", access).await;
    assert_eq!(
        info.data(),
        &json!({ "sub": shop.entity, "groups": ["staff"] })
    );
}

#[tokio::test(start_paused = true)]
async fn of_many_who_exchange_a_code_at_once_one_gets_tokens() {
    for seed in 0..20 {
        let shop = Shop::over(Harness::restless(seed).await).await;
        let code = shop.code(json!({})).await;
        let exchange = || shop.exchange(&code, json!({}));
        let (a, b, c, d) = tokio::join!(exchange(), exchange(), exchange(), exchange());
        let won = [&a, &b, &c, &d]
            .iter()
            .filter(|answer| answer.status == 200)
            .count();
        assert_eq!(won, 1, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_is_spent_before_its_tokens_go_out_and_stays_spent() {
    let store = Faulty::new();
    let shop = Shop::over(Harness::over(Arc::clone(&store) as _).await).await;
    let spent = shop.code(json!({})).await;
    let kept = shop.code(json!({})).await;
    assert_eq!(shop.exchange(&spent, json!({})).await.status, 200);
    // What a crash at this moment leaves.
    let h = shop
        .h
        .restarted(Harness::settings(), store.survivor())
        .await;
    let shop = Shop { h, ..shop };
    let again = shop.exchange(&spent, json!({})).await;
    assert_eq!(error(&again), (400, "invalid_grant".into()));
    assert_eq!(shop.exchange(&kept, json!({})).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_code_is_good_for_five_minutes() {
    let shop = Shop::open().await;
    let old = shop.code(json!({})).await;
    shop.h.clock.advance(Duration::from_secs(299));
    let young = shop.code(json!({})).await;
    shop.h.clock.advance(Duration::from_secs(1));
    assert_eq!(shop.exchange(&old, json!({})).await.status, 400);
    assert_eq!(shop.exchange(&young, json!({})).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_code_is_good_for_whom_and_where_it_was_given() {
    let shop = Shop::open().await;
    let other = client(&shop.h, "other", json!({})).await;
    put(
        &shop.h,
        "provider/shop",
        json!({ "allowed_client_ids": "*" }),
    )
    .await;
    put(
        &shop.h,
        "provider/else",
        json!({ "allowed_client_ids": "*" }),
    )
    .await;
    for (over, said) in [
        (
            json!({ "redirect_uri": "https://app.example.com/back/" }),
            "redirect_uri does not match",
        ),
        (
            json!({ "redirect_uri": null }),
            "redirect_uri parameter is required",
        ),
        (
            json!({ "client_id": other.id, "client_secret": other.secret }),
            "not issued to the client",
        ),
        (
            json!({ "code_verifier": VERIFIER }),
            "unexpected code_verifier",
        ),
    ] {
        let code = shop.code(json!({})).await;
        let refused = shop.exchange(&code, over.clone()).await;
        assert!(
            refused.status == 400 && described(&refused).contains(said),
            "{over}: {refused:?}"
        );
        let then = shop.exchange(&code, json!({})).await;
        assert_eq!(error(&then), (400, "invalid_grant".into()), "it is spent");
    }
    let code = shop.code(json!({})).await;
    let wish = json!({ "grant_type": "authorization_code", "redirect_uri": BACK, "code": code,
                       "client_id": shop.client.id, "client_secret": shop.client.secret });
    let elsewhere = shop
        .h
        .write("identity/oidc/provider/else/token", "", wish)
        .await;
    assert!(
        described(&elsewhere).contains("not issued by the provider"),
        "{elsewhere:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_and_an_unknown_client_look_alike_and_spend_nothing() {
    let shop = Shop::open().await;
    let code = shop.code(json!({})).await;
    let wrong = shop.exchange(&code, json!({ "client_secret": "x" })).await;
    let missing = shop.exchange(&code, json!({ "client_secret": null })).await;
    let unknown = shop.exchange(&code, json!({ "client_id": "x" })).await;
    assert_eq!(error(&wrong), (401, "invalid_client".into()));
    assert_eq!(wrong.json, missing.json);
    assert_eq!(wrong.json, unknown.json);
    assert_eq!(shop.exchange(&code, json!({})).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn clients_prove_who_they_are_in_a_header_too() {
    let shop = Shop::open().await;
    for (secret, status) in [(shop.client.secret.as_str(), 200), ("x", 401)] {
        let code = shop.code(json!({})).await;
        let basic = STANDARD.encode(format!("{}:{secret}", shop.client.id));
        let header = |request: &mut coffer_kernel::Request| {
            let basic = vec![format!("Basic {basic}")];
            request.headers.insert("authorization".into(), basic);
        };
        // What the fields say besides does not count.
        let wish = json!({ "grant_type": "authorization_code", "redirect_uri": BACK, "code": code,
                           "client_id": shop.client.id, "client_secret": shop.client.secret });
        let path = "identity/oidc/provider/shop/token";
        let answer = shop
            .h
            .request_with(Verb::Write, path, "", wish, header)
            .await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_asked_for_a_code_exchanges_it() {
    let shop = Shop::open().await;
    let s256 = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
    for (challenge, method) in [(s256.as_str(), "S256"), (VERIFIER, "plain"), (VERIFIER, "")] {
        let challenged = json!({ "code_challenge": challenge, "code_challenge_method": method });
        let code = shop.code(challenged.clone()).await;
        let good = shop
            .exchange(&code, json!({ "code_verifier": VERIFIER }))
            .await;
        assert_eq!(good.status, 200, "{method}: {good:?}");
        for (verifier, said) in [
            (json!("x".repeat(43)), "invalid code_verifier"),
            (json!(null), "expected code_verifier"),
            (
                json!(s256.as_str()),
                if method == "S256" {
                    "invalid code_verifier"
                } else {
                    "invalid"
                },
            ),
        ] {
            let code = shop.code(challenged.clone()).await;
            let refused = shop
                .exchange(&code, json!({ "code_verifier": verifier }))
                .await;
            assert!(described(&refused).contains(said), "{method}: {refused:?}");
            let then = shop
                .exchange(&code, json!({ "code_verifier": VERIFIER }))
                .await;
            assert_eq!(then.status, 400, "it is spent");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_secret_must_bring_a_challenge() {
    let shop = Shop::open().await;
    let id = &shop.public.id;
    assert!(shop.public.secret.is_empty() && shop.public.name == "phone");
    let bare = shop.authorize(json!({ "client_id": id })).await;
    assert_eq!(error(&bare), (400, "invalid_request".into()));
    let s256 = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
    let challenged =
        json!({ "client_id": id, "code_challenge": s256, "code_challenge_method": "S256" });
    let code = shop.code(challenged).await;
    let wish = json!({ "client_id": id, "client_secret": null, "code_verifier": VERIFIER });
    assert_eq!(shop.exchange(&code, wish).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn people_are_asked_for_in_the_right_form() {
    let shop = Shop::open().await;
    for (over, code) in [
        (json!({ "client_id": null }), "invalid_client_id"),
        (json!({ "client_id": "x" }), "invalid_client_id"),
        (json!({ "redirect_uri": null }), "invalid_request"),
        (
            json!({ "redirect_uri": "https://evil.example.com/back" }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uri": "https://app.example.com/back/" }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uri": "https://app.example.com/back?x=1" }),
            "invalid_redirect_uri",
        ),
        (json!({ "scope": "groups" }), "invalid_request"),
        (json!({ "scope": "openid,groups" }), "invalid_request"),
        (json!({ "response_type": null }), "invalid_request"),
        (
            json!({ "response_type": "token" }),
            "unsupported_response_type",
        ),
        (
            json!({ "response_type": "code id_token" }),
            "unsupported_response_type",
        ),
        (json!({ "request": "x" }), "request_not_supported"),
        (json!({ "request_uri": "x" }), "request_uri_not_supported"),
        (json!({ "code_challenge": "x" }), "invalid_request"),
        (json!({ "max_age": 0 }), "invalid_request"),
        (json!({ "nonce": "x".repeat(5_000) }), "invalid_request"),
    ] {
        let refused = shop.authorize(over.clone()).await;
        assert_eq!(error(&refused), (400, code.into()), "{over}");
        assert_eq!(refused.data()["state"], "st");
    }
    let odd = shop
        .authorize(json!({ "scope": "openid nosuch openid", "state": null, "nonce": null }))
        .await;
    assert_eq!((odd.status, &odd.data()["state"]), (200, &json!("")));
}

#[tokio::test(start_paused = true)]
async fn only_those_who_are_assigned_sign_in() {
    let shop = Shop::open().await;
    let group = shop.h.read("identity/group/name/staff", &shop.h.root).await;
    let group = group.data()["id"].clone();
    put(&shop.h, "assignment/nobody", json!({})).await;
    put(
        &shop.h,
        "assignment/star",
        json!({ "entity_ids": "*", "group_ids": "*" }),
    )
    .await;
    put(
        &shop.h,
        "assignment/ann",
        json!({ "entity_ids": [shop.entity] }),
    )
    .await;
    put(&shop.h, "assignment/staff", json!({ "group_ids": [group] })).await;
    for (assignments, status) in [
        (json!([]), 400),
        (json!(["nobody"]), 400),
        (json!(["star"]), 400),
        (json!(["nobody", "ann"]), 200),
        (json!(["staff"]), 200),
        (json!(["allow_all"]), 200),
    ] {
        put(
            &shop.h,
            "client/shop",
            json!({ "assignments": assignments }),
        )
        .await;
        let answer = shop.authorize(json!({})).await;
        assert_eq!(answer.status, status, "{assignments}: {answer:?}");
    }
    // It is looked at again with the code, and with the access token.
    let code = shop.code(json!({})).await;
    let access = shop.tokens().await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    put(&shop.h, "client/shop", json!({ "assignments": [] })).await;
    assert!(described(&shop.exchange(&code, json!({})).await).contains("assignment"));
    let info = shop.userinfo("shop", &access).await;
    assert_eq!(error(&info), (403, "access_denied".into()));
}

#[tokio::test(start_paused = true)]
async fn who_has_no_entity_here_does_not_sign_in() {
    let shop = Shop::open().await;
    let path = "identity/oidc/provider/shop/authorize";
    let wish = json!({ "client_id": shop.client.id, "redirect_uri": BACK, "response_type": "code", "scope": "openid" });
    let root = shop.h.write(path, &shop.h.root, wish.clone()).await;
    assert_eq!(error(&root), (400, "access_denied".into()));
    assert_eq!(shop.h.write(path, "", wish).await.status, 403);
    let disabled = json!({ "disabled": true });
    let entity = format!("identity/entity/id/{}", shop.entity);
    let code = shop.code(json!({})).await;
    let access = shop.tokens().await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    shop.h.write(&entity, &shop.h.root, disabled).await;
    assert_eq!(shop.authorize(json!({})).await.status, 403);
    assert_eq!(shop.exchange(&code, json!({})).await.status, 400);
    assert_eq!(
        error(&shop.userinfo("shop", &access).await),
        (401, "invalid_token".into())
    );
}

#[tokio::test(start_paused = true)]
async fn an_old_login_is_too_old_where_the_client_says_so() {
    let shop = Shop::open().await;
    let logged_in = shop.h.clock.now().secs();
    shop.h.clock.advance(Duration::from_secs(100));
    let old = shop.authorize(json!({ "max_age": 99 })).await;
    assert_eq!(error(&old), (400, "max_age_violation".into()));
    let code = shop.code(json!({ "max_age": "100" })).await;
    let tokens = shop.exchange(&code, json!({})).await;
    let claims = shop.claims(&tokens.data()["id_token"]).await;
    assert_eq!(claims["auth_time"], json!(logged_in));
}

#[tokio::test(start_paused = true)]
async fn an_access_token_opens_userinfo_of_its_provider_and_nothing_else() {
    let shop = Shop::open().await;
    put(
        &shop.h,
        "provider/else",
        json!({ "allowed_client_ids": "*" }),
    )
    .await;
    let access = shop.tokens().await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(shop.userinfo("shop", &access).await.status, 200);
    assert_eq!(
        error(&shop.userinfo("else", &access).await),
        (401, "invalid_token".into())
    );
    for path in [
        "sys/mounts",
        "auth/token/lookup-self",
        "identity/oidc/key/k",
        "cubbyhole/x",
    ] {
        assert_eq!(shop.h.read(path, &access).await.status, 403, "{path}");
    }
    let renewed = shop
        .h
        .write("auth/token/renew-self", &access, json!({}))
        .await;
    assert_eq!(renewed.status, 403);
    for token in ["", "x", &shop.ann, &shop.h.root] {
        let refused = shop.userinfo("shop", token).await;
        assert_eq!(error(&refused), (401, "invalid_token".into()), "{token}");
    }
    // In another header than the protocol's it is not looked at.
    let path = "identity/oidc/provider/shop/userinfo";
    let plain = shop.h.read(path, &access).await;
    assert!(described(&plain).contains("as a Bearer token"), "{plain:?}");
    shop.h.clock.advance(Duration::from_secs(86_401));
    assert_eq!(shop.userinfo("shop", &access).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_away_serves_no_more() {
    let shop = Shop::open().await;
    let access = shop.tokens().await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    put(&shop.h, "provider/shop", json!({ "scopes_supported": [] })).await;
    let info = shop.userinfo("shop", &access).await;
    assert_eq!(info.data(), &json!({ "sub": shop.entity }));
    put(
        &shop.h,
        "provider/shop",
        json!({ "allowed_client_ids": ["x"] }),
    )
    .await;
    assert_eq!(shop.userinfo("shop", &access).await.status, 403);
    let code = shop.authorize(json!({})).await;
    assert_eq!(error(&code), (400, "unauthorized_client".into()));
    put(
        &shop.h,
        "provider/shop",
        json!({ "allowed_client_ids": "*" }),
    )
    .await;
    let code = shop.code(json!({})).await;
    put(&shop.h, "key/k", json!({ "allowed_client_ids": [] })).await;
    assert_eq!(
        error(&shop.exchange(&code, json!({})).await),
        (401, "invalid_client".into())
    );
    put(&shop.h, "key/k", json!({ "allowed_client_ids": "*" })).await;
    assert_eq!(
        shop.exchange(&code, json!({})).await.status,
        200,
        "the client was refused before its code was looked at"
    );
    let code = shop.code(json!({})).await;
    shop.h
        .delete("identity/oidc/client/shop", &shop.h.root)
        .await;
    assert_eq!(
        error(&shop.exchange(&code, json!({})).await),
        (401, "invalid_client".into())
    );
    assert_eq!(
        error(&shop.userinfo("shop", &access).await),
        (403, "access_denied".into())
    );
}

#[tokio::test(start_paused = true)]
async fn scopes_that_tell_the_same_claim_tell_nothing() {
    let shop = Shop::open().await;
    put(
        &shop.h,
        "scope/dup",
        json!({ "template": r#"{"groups": 1}"# }),
    )
    .await;
    let wish = json!({ "scopes_supported": ["groups", "dup"] });
    let warned = shop
        .h
        .write("identity/oidc/provider/shop", &shop.h.root, wish)
        .await;
    assert!(warned.warnings()[0].contains("\"groups\""), "{warned:?}");
    let code = shop.code(json!({ "scope": "openid groups dup" })).await;
    let refused = shop.exchange(&code, json!({})).await;
    assert!(described(&refused).contains("conflicting"), "{refused:?}");
    let code = shop.code(json!({ "scope": "openid dup" })).await;
    let tokens = shop.exchange(&code, json!({})).await;
    assert_eq!(
        shop.claims(&tokens.data()["id_token"]).await["groups"],
        json!(1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_gets_tokens_about_itself_where_that_is_allowed() {
    let shop = Shop::open().await;
    let grant = json!({ "grant_type": "client_credentials", "scope": "openid", "code": null, "redirect_uri": null });
    let refused = shop.exchange("", grant.clone()).await;
    assert_eq!(error(&refused), (400, "invalid_grant".into()));
    put(
        &shop.h,
        "client/shop",
        json!({ "client_credentials": true, "authorization_code": false }),
    )
    .await;
    let made = shop.exchange("", grant).await;
    assert_eq!(made.status, 200, "{made:?}");
    assert!(made.data().get("id_token").is_none());
    let claims = shop.claims(&made.data()["access_token"]).await;
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!(shop.client.id), &json!(shop.client.id))
    );
    let access = made.data()["access_token"].as_str().unwrap();
    assert_eq!(shop.userinfo("shop", access).await.status, 401);
    assert_eq!(
        error(&shop.authorize(json!({})).await),
        (400, "invalid_grant".into())
    );
    let public = json!({ "client_type": "public", "client_credentials": true });
    let refused = shop
        .h
        .write("identity/oidc/client/new", &shop.h.root, public)
        .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test(start_paused = true)]
async fn what_is_referred_to_stays() {
    let shop = Shop::open().await;
    let (h, root) = (&shop.h, &shop.h.root);
    put(h, "assignment/team", json!({})).await;
    put(h, "client/shop", json!({ "assignments": "team" })).await;
    for (path, users) in [
        ("key/k", "clients: phone, shop"),
        ("assignment/team", "clients: shop"),
        ("scope/groups", "providers: shop"),
        ("assignment/allow_all", "not allowed"),
        ("provider/default", "not allowed"),
    ] {
        let refused = h.delete(&format!("identity/oidc/{path}"), root).await;
        assert!(
            refused.status == 400 && refused.error().ends_with(users),
            "{path}: {refused:?}"
        );
    }
    for (path, wish) in [
        ("client/new", json!({ "key": "none" })),
        ("client/new", json!({ "assignments": "none" })),
        ("client/new", json!({ "client_type": "odd" })),
        ("client/new", json!({ "key": "k", "id_token_ttl": "25h" })),
        ("client/shop", json!({ "key": "default" })),
        ("client/shop", json!({ "client_type": "public" })),
        ("provider/shop", json!({ "scopes_supported": "none" })),
        ("provider/shop", json!({ "issuer": "https://a/b" })),
        ("scope/openid", json!({})),
        ("scope/new", json!({ "template": "{\"iss\": 1}" })),
        ("assignment/allow_all", json!({})),
        ("key/k", json!({ "verification_ttl": "1h" })),
    ] {
        let refused = h
            .write(&format!("identity/oidc/{path}"), root, wish.clone())
            .await;
        assert_eq!(refused.status, 400, "{path} {wish}: {refused:?}");
    }
    for odd in ["a b", "-a", "a.", "ä"] {
        let path = format!("identity/oidc/client/{odd}");
        assert_eq!(h.write(&path, root, json!({})).await.status, 404, "{odd}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_never_outlives_its_assignment_whoever_is_faster() {
    for seed in 0..10 {
        let shop = Shop::over(Harness::restless(seed).await).await;
        put(&shop.h, "assignment/team", json!({})).await;
        let (made, gone) = tokio::join!(
            shop.h.write(
                "identity/oidc/client/shop",
                &shop.h.root,
                json!({ "assignments": "team" })
            ),
            shop.h.delete("identity/oidc/assignment/team", &shop.h.root),
        );
        assert_ne!(made.status == 204, gone.status == 204, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn secrets_are_told_to_who_reads_the_client_and_not_in_lists() {
    let shop = Shop::open().await;
    let listed = shop.h.list("identity/oidc/client", &shop.h.root).await;
    assert_eq!(listed.keys(), ["phone", "shop"]);
    assert!(!listed.json.to_string().contains("hvo_secret_"));
    assert!(shop.client.secret.starts_with("hvo_secret_") && shop.client.secret.len() == 75);
    let before = shop.client.secret.clone();
    let again = client(&shop.h, "shop", json!({ "access_token_ttl": "1h" })).await;
    assert_eq!((again.id, again.secret), (shop.client.id, before));
}

#[tokio::test(start_paused = true)]
async fn one_person_can_not_fill_the_storage_with_codes() {
    let shop = Shop::open().await;
    let first = shop.code(json!({})).await;
    let mut codes = Vec::new();
    for _ in 0..50 {
        shop.h.clock.advance(Duration::from_millis(10));
        codes.push(shop.code(json!({})).await);
    }
    assert_eq!(
        shop.exchange(&first, json!({})).await.status,
        400,
        "it made room"
    );
    assert_eq!(shop.exchange(&codes[0], json!({})).await.status, 200);
    let view = shop.h.open().barrier.view("sys/oidc/code/");
    let left = async || view.scan_paths("", None, 1_000).await.unwrap().len();
    assert_eq!(left().await, 49 * 3);
    shop.h.advance(Duration::from_secs(301)).await;
    assert_eq!(left().await, 0, "what nobody came back for is tidied");
}

#[tokio::test(start_paused = true)]
async fn discovery_tells_the_endpoints_that_are_there() {
    let shop = Shop::open().await;
    let facts = shop
        .h
        .read(
            "identity/oidc/provider/shop/.well-known/openid-configuration",
            "",
        )
        .await;
    let facts = facts.data();
    let issuer = "/v1/identity/oidc/provider/shop";
    assert_eq!(facts["issuer"], issuer);
    for (name, tail) in [
        ("authorization", "authorize"),
        ("token", "token"),
        ("userinfo", "userinfo"),
    ] {
        assert_eq!(
            facts[format!("{name}_endpoint")],
            format!("{issuer}/{tail}")
        );
    }
    assert_eq!(facts["scopes_supported"], json!(["groups", "openid"]));
    let unknown = shop
        .h
        .read("identity/oidc/provider/none/.well-known/keys", "")
        .await;
    assert_eq!(unknown.status, 404);
    let default = shop
        .h
        .read("identity/oidc/provider/default", &shop.h.root)
        .await;
    assert_eq!(default.data()["allowed_client_ids"], json!(["*"]));
    let wish = json!({ "allowed_client_id": "nobody" });
    let listed = shop
        .h
        .request(Verb::List, "identity/oidc/provider", &shop.h.root, wish)
        .await;
    assert_eq!(listed.keys(), ["default"]);
}

#[tokio::test(start_paused = true)]
async fn no_tokens_go_out_for_a_code_that_could_not_be_spent() {
    let store = Faulty::new();
    let shop = Shop::over(Harness::over(Arc::clone(&store) as _).await).await;
    let code = shop.code(json!({})).await;
    store.refuse_one_after(0);
    let refused = shop.exchange(&code, json!({})).await;
    assert!(refused.status >= 500, "{refused:?}");
    assert_eq!(
        shop.exchange(&code, json!({})).await.status,
        200,
        "and it is not lost"
    );
}
