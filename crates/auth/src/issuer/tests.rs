//! A mount's memory of keys, with a provider that the test holds in its hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use coffer_crypto::jose::{show_key, sign};
use coffer_crypto::sign::{Algorithm, SigningKey};
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_engine::testing::Bench;
use coffer_engine::{Answer, Fault};
use coffer_wire::Verb;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::userpass::Userpass;

const URL: &str = "https://issuer.example/keys";

/// A provider whose answers, silence and failures the test chooses.
#[derive(Default)]
struct Provider {
    pages: Mutex<Vec<(String, Value)>>,
    asked: AtomicU32,
    is_down: AtomicBool,
    hangs: AtomicBool,
    released: tokio::sync::Notify,
    bearers: Mutex<Vec<Option<String>>>,
}

struct At(Arc<Provider>);

impl Outbound for At {
    fn fetch<'a>(&'a self, _: &'a str, request: Request) -> Answer<'a, Response> {
        let provider = Arc::clone(&self.0);
        Box::pin(async move {
            provider.asked.fetch_add(1, Ordering::SeqCst);
            let bearer = request
                .headers
                .iter()
                .find(|(name, _)| name == "authorization");
            let bearer = bearer.map(|(_, value)| value.to_string());
            provider.bearers.lock().push(bearer);
            tokio::task::yield_now().await;
            if provider.hangs.load(Ordering::SeqCst) {
                provider.released.notified().await;
            }
            if provider.is_down.load(Ordering::SeqCst) {
                return Err(Fault::upstream("connection refused"));
            }
            let pages = provider.pages.lock().clone();
            let page = pages.into_iter().find(|(url, _)| *url == request.url);
            Ok(Response {
                status: if page.is_some() { 200 } else { 404 },
                media_type: String::new(),
                body: coffer_crypto::Zeroizing::new(
                    page.map(|(_, page)| page.to_string().into_bytes())
                        .unwrap_or_default(),
                ),
            })
        })
    }
}

impl Provider {
    fn publish(&self, keys: &[(&str, &SigningKey)]) {
        let shown = keys.iter().map(|(name, key)| {
            Value::Object(show_key(name, key.verifying_key()).unwrap_or_default())
        });
        let set = json!({ "keys": shown.collect::<Vec<_>>() });
        *self.pages.lock() = vec![(URL.to_owned(), set)];
    }

    fn asked(&self) -> u32 {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

struct Scene {
    bench: Bench<Userpass>,
    provider: Arc<Provider>,
    issuers: Issuers,
    source: Source,
}

impl Scene {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let provider = Arc::new(Provider::default());
        bench.reach(At(Arc::clone(&provider)));
        let place = Place {
            url: URL.to_owned(),
            ..Place::default()
        };
        Self {
            bench,
            provider,
            issuers: Issuers::default(),
            source: Source::Jwks(place),
        }
    }

    async fn verified(&self, token: &str) -> Result<Claims, Unverified> {
        let cx = self.bench.cx(Verb::Write, "login");
        let all = &Algorithm::PUBLIC;
        self.issuers.verified(&cx, &self.source, all, token).await
    }
}

fn pair() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

fn token(key: &SigningKey, name: &str) -> String {
    sign(key, name, br#"{"sub":"me"}"#).unwrap()
}

#[tokio::test]
async fn a_provider_is_asked_once_for_many() {
    let scene = Arc::new(Scene::new().await);
    let key = pair();
    scene.provider.publish(&[("a", &key)]);
    let all: Vec<_> = (0..50)
        .map(|_| {
            let (scene, token) = (Arc::clone(&scene), token(&key, "a"));
            tokio::spawn(async move { scene.verified(&token).await.is_ok() })
        })
        .collect();
    for one in all {
        assert!(one.await.unwrap());
    }
    assert_eq!(scene.provider.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_an_old_one_forgotten() {
    let mut scene = Scene::new().await;
    let (old, new) = (pair(), pair());
    scene.provider.publish(&[("old", &old)]);
    assert!(scene.verified(&token(&old, "old")).await.is_ok());
    scene.provider.publish(&[("new", &new)]);
    assert!(scene.verified(&token(&new, "new")).await.is_ok());
    assert_eq!(scene.provider.asked(), 2);
    let refused = scene.verified(&token(&old, "old")).await.unwrap_err();
    assert!(matches!(refused, Unverified::Signature));
    // Nobody comes with an unknown key: the set is read anew all the same.
    scene.provider.publish(&[("old", &old)]);
    scene.provider.asked();
    scene.bench.advance(Duration::from_secs(299));
    assert!(scene.verified(&token(&new, "new")).await.is_ok());
    assert_eq!(scene.provider.asked(), 0);
    scene.bench.advance(Duration::from_secs(1));
    assert!(scene.verified(&token(&new, "new")).await.is_err());
}

#[tokio::test]
async fn a_flood_of_forged_tokens_is_none_at_the_provider() {
    let mut scene = Scene::new().await;
    let (key, other) = (pair(), pair());
    scene.provider.publish(&[("a", &key)]);
    assert!(scene.verified(&token(&key, "a")).await.is_ok());
    for at in 0..200 {
        let forged = token(&other, if at % 2 == 0 { "a" } else { "b" });
        assert!(scene.verified(&forged).await.is_err());
    }
    assert_eq!(scene.provider.asked(), 4, "a burst, and no more");
    assert!(scene.verified(&token(&key, "a")).await.is_ok());
    for _ in 0..3 {
        scene.bench.advance(Duration::from_secs(5));
        for _ in 0..5 {
            assert!(scene.verified(&token(&other, "b")).await.is_err());
        }
        assert_eq!(scene.provider.asked(), 1);
    }
    for junk in ["", "a.b.c", "e30.e30.", &token(&key, "a").replace('.', "")] {
        scene.bench.advance(Duration::from_secs(5));
        assert!(scene.verified(junk).await.is_err());
        assert_eq!(scene.provider.asked(), 0, "nobody is asked about {junk:?}");
    }
}

#[tokio::test]
async fn an_old_set_goes_on_while_its_provider_is_down() {
    let mut scene = Scene::new().await;
    let key = pair();
    scene.provider.publish(&[("a", &key)]);
    assert!(scene.verified(&token(&key, "a")).await.is_ok());
    scene.provider.is_down.store(true, Ordering::SeqCst);
    for _ in 0..11 {
        scene.bench.advance(Duration::from_secs(5 * 60));
        assert!(scene.verified(&token(&key, "a")).await.is_ok());
    }
    scene.bench.advance(Duration::from_secs(5 * 60));
    let refused = scene.verified(&token(&key, "a")).await.unwrap_err();
    assert!(matches!(refused, Unverified::Keys(_)), "an hour is enough");
    scene.provider.is_down.store(false, Ordering::SeqCst);
    scene.bench.advance(Duration::from_secs(5));
    assert!(scene.verified(&token(&key, "a")).await.is_ok());
}

#[tokio::test]
async fn a_provider_that_hangs_holds_up_no_login_with_a_known_key() {
    let mut scene = Scene::new().await;
    let (key, other) = (pair(), pair());
    scene.provider.publish(&[("a", &key)]);
    assert!(scene.verified(&token(&key, "a")).await.is_ok());
    scene.provider.hangs.store(true, Ordering::SeqCst);
    let (forged, honest) = (token(&other, "b"), token(&key, "a"));
    let mut refused = Box::pin(scene.verified(&forged));
    let moment = Duration::from_millis(50);
    assert!(tokio::time::timeout(moment, &mut refused).await.is_err());
    for _ in 0..10 {
        assert!(scene.verified(&honest).await.is_ok());
    }
    drop(refused);
    // Whoever asked has gone, and the question is still on its way: nobody asks a second time.
    scene.bench.advance(Duration::from_secs(600));
    assert!(scene.verified(&honest).await.is_ok());
    assert_eq!(scene.provider.asked(), 2);
    scene.provider.hangs.store(false, Ordering::SeqCst);
    scene.provider.released.notify_waiters();
    assert!(scene.verified(&forged).await.is_err());
}

#[tokio::test]
async fn only_public_keys_of_allowed_algorithms_count() {
    let scene = Scene::new().await;
    let key = pair();
    let secret =
        json!({ "kty": "oct", "kid": "s", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA" });
    scene.provider.publish(&[("a", &key)]);
    scene.provider.pages.lock()[0].1["keys"]
        .as_array_mut()
        .unwrap()
        .push(secret);
    let cx = scene.bench.cx(Verb::Write, "login");
    let allowed = |algorithms: &'static [Algorithm]| {
        let token = token(&key, "a");
        let (issuers, source, cx) = (&scene.issuers, &scene.source, &cx);
        async move {
            let claims = issuers.verified(cx, source, algorithms, &token).await;
            claims.is_ok()
        }
    };
    assert!(allowed(&[Algorithm::Es256]).await);
    assert!(!allowed(&[Algorithm::Rs256]).await && !allowed(&[]).await);
    // HMAC does not count even if somebody allows it.
    let forged =
        "eyJhbGciOiJIUzI1NiIsImtpZCI6InMifQ.e30.NcCKYg-bqSgVUNuYvB6LsVjNRkyMkGtYRXUxWFTGjMw";
    let all = &Algorithm::ALL;
    let refused = scene
        .issuers
        .verified(&cx, &scene.source, all, forged)
        .await;
    assert!(matches!(refused, Err(Unverified::Signature)));
}

#[tokio::test]
async fn discovery_speaks_for_its_own_name_alone() {
    let scene = Scene::new().await;
    let key = pair();
    scene.provider.publish(&[("a", &key)]);
    let cx = scene.bench.cx(Verb::Write, "login");
    for (name, told, fine) in [
        ("https://issuer.example", "https://issuer.example", true),
        ("https://issuer.example/", "https://issuer.example/", true),
        ("https://issuer.example/", "https://issuer.example", false),
        ("https://issuer.example", "https://other.example", false),
    ] {
        let facts = json!({ "issuer": told, "jwks_uri": URL });
        let at = "https://issuer.example/.well-known/openid-configuration".to_owned();
        scene.provider.pages.lock().truncate(1);
        scene.provider.pages.lock().push((at, facts));
        let source = Source::Discovery(Place {
            url: name.to_owned(),
            bearer: Some("mine".to_owned().into()),
            ..Place::default()
        });
        assert_eq!(
            scene.issuers.check(&cx, &source).await.is_ok(),
            fine,
            "{name} {told}"
        );
    }
    let elsewhere = "https://elsewhere.example/keys".to_owned();
    let at = "https://issuer.example/.well-known/openid-configuration".to_owned();
    let facts = json!({ "issuer": "https://issuer.example", "jwks_uri": elsewhere });
    *scene.provider.pages.lock() = vec![(at, facts), (elsewhere, json!({ "keys": [] }))];
    scene.provider.bearers.lock().clear();
    let source = Source::Discovery(Place {
        url: "https://issuer.example".to_owned(),
        bearer: Some("mine".to_owned().into()),
        ..Place::default()
    });
    scene.issuers.check(&cx, &source).await.unwrap();
    let shown = scene.provider.bearers.lock().clone();
    assert_eq!(shown, [Some("Bearer mine".to_owned()), None]);
}

#[tokio::test]
async fn sources_that_give_no_keys_share_what_they_may_ask() {
    let scene = Scene::new().await;
    let key = pair();
    let cx = scene.bench.cx(Verb::Write, "login");
    for at in 0..100 {
        let source = Source::Certificates(Place {
            url: format!("https://issuer.example/{at}@evil"),
            ..Place::default()
        });
        let forged = token(&key, "a");
        let told = scene
            .issuers
            .verified(&cx, &source, &Algorithm::PUBLIC, &forged);
        assert!(told.await.is_err());
    }
    assert_eq!(scene.provider.asked(), 32);
}

#[tokio::test]
async fn sources_are_told_apart_and_bounded() {
    let scene = Scene::new().await;
    let key = pair();
    scene.provider.publish(&[("a", &key)]);
    let cx = scene.bench.cx(Verb::Write, "login");
    assert!(scene.verified(&token(&key, "a")).await.is_ok());
    for at in 0..300 {
        let source = Source::Jwks(Place {
            url: format!("https://issuer.example/{at}"),
            ..Place::default()
        });
        let refused = scene.issuers.check(&cx, &source).await.unwrap_err();
        assert!(refused.0.contains("status 404") && !refused.0.contains("example"));
    }
    assert!(scene.issuers.known.lock().len() <= 256);
    // Sources that are none push out none that is.
    scene.provider.is_down.store(true, Ordering::SeqCst);
    assert!(scene.verified(&token(&key, "a")).await.is_ok());
}

#[tokio::test]
async fn certificates_by_their_names() {
    let scene = Scene::new().await;
    let key = include_str!("../../../crypto/testdata/p256-public.pem");
    let source = Source::Certificates(Place {
        url: URL.to_owned(),
        ..Place::default()
    });
    let cx = scene.bench.cx(Verb::Write, "login");
    let many: serde_json::Map<_, _> = (0..101).map(|at| (at.to_string(), json!(key))).collect();
    for (page, fine) in [
        (json!({ "a": key, "b": "no key", "c": 5 }), true),
        (json!({}), true),
        (json!([key]), false),
        (Value::Object(many), false),
    ] {
        *scene.provider.pages.lock() = vec![(URL.to_owned(), page.clone())];
        assert_eq!(scene.issuers.check(&cx, &source).await.is_ok(), fine);
    }
}
