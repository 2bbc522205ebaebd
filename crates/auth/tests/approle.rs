//! The approle method by path.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use coffer_auth::approle::AppRole;
use coffer_engine::testing::Bench;
use coffer_engine::{Fault, Login};
use serde_json::{Value, json};

async fn role(bench: &Bench<AppRole>, name: &str, wish: Value) -> String {
    bench.write(&format!("role/{name}"), wish).await.unwrap();
    let shown = bench.read(&format!("role/{name}/role-id")).await.unwrap();
    shown.data["role_id"].as_str().unwrap().to_owned()
}

async fn secret(bench: &Bench<AppRole>, role: &str, wish: Value) -> (String, String) {
    let made = bench
        .write(&format!("role/{role}/secret-id"), wish)
        .await
        .unwrap()
        .data;
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("secret_id"), text("secret_id_accessor"))
}

async fn login(bench: &Bench<AppRole>, role: &str, secret: &str) -> Result<Box<Login>, Fault> {
    let asked = json!({ "role_id": role, "secret_id": secret });
    Ok(bench.write("login", asked).await?.reply.login.unwrap())
}

fn words(answer: Result<Box<Login>, Fault>) -> String {
    answer.map(drop).unwrap_err().to_string()
}

#[tokio::test]
async fn a_login_is_what_role_and_secret_id_say() {
    let bench = Bench::<AppRole>::new().await;
    let id = role(
        &bench,
        "Web",
        json!({ "token_policies": "p", "token_ttl": "20m" }),
    )
    .await;
    let (secret_id, _) = secret(&bench, "web", json!({ "metadata": "{\"team\":\"red\"}" })).await;
    let made = login(&bench, &id, &secret_id).await.unwrap();
    assert_eq!(made.policies, ["p"]);
    assert_eq!(made.ttl.as_secs(), 1200);
    assert_eq!(made.metadata["role_name"], "web");
    assert_eq!(made.metadata["team"], "red");
    assert_eq!(made.alias.unwrap().name, id);
    assert_eq!(made.display_name, "");
}

#[tokio::test]
async fn wrong_ids_are_answered_alike() {
    let bench = Bench::<AppRole>::new().await;
    let id = role(&bench, "a", json!({})).await;
    let other = role(&bench, "b", json!({})).await;
    let (secret_id, _) = secret(&bench, "a", json!({})).await;
    let long = "x".repeat(5000);
    for (id, secret) in [
        (&id, "wrong"),
        (&"nobody".to_owned(), &secret_id),
        (&other, &secret_id),
        (&id, &long),
        (&long, &secret_id),
    ] {
        assert_eq!(
            words(login(&bench, id, secret).await),
            "invalid role or secret ID"
        );
    }
    assert_eq!(
        words(login(&bench, "", &secret_id).await),
        "missing role_id"
    );
    assert_eq!(words(login(&bench, &id, "").await), "missing secret_id");
}

#[tokio::test]
async fn a_secret_id_is_spent_once() {
    let bench = Arc::new(Bench::<AppRole>::new().await);
    let id = role(&bench, "a", json!({})).await;
    let (secret_id, accessor) = secret(&bench, "a", json!({ "num_uses": 10 })).await;
    let tries = (0..40).map(|_| {
        let (bench, id, secret_id) = (Arc::clone(&bench), id.clone(), secret_id.clone());
        tokio::spawn(async move { login(&bench, &id, &secret_id).await.is_ok() })
    });
    let tries: Vec<_> = tries.collect();
    let mut accepted = 0;
    for tried in tries {
        accepted += usize::from(tried.await.unwrap());
    }
    assert_eq!(accepted, 10);
    let lookup = json!({ "secret_id": secret_id });
    assert_eq!(
        bench
            .write("role/a/secret-id/lookup", lookup)
            .await
            .unwrap()
            .data,
        Value::Null
    );
    let lookup = json!({ "secret_id_accessor": accessor });
    let gone = bench
        .write("role/a/secret-id-accessor/lookup", lookup)
        .await;
    assert!(matches!(gone, Err(Fault::Missing(_))));
    assert!(matches!(
        bench.list("role/a/secret-id").await,
        Err(Fault::NotFound)
    ));
}

#[tokio::test]
async fn a_secret_id_ends_and_is_tidied_away() {
    let mut bench = Bench::<AppRole>::new().await;
    let id = role(&bench, "a", json!({ "secret_id_ttl": "1h" })).await;
    let (short, _) = secret(&bench, "a", json!({ "ttl": "1m" })).await;
    let (long, _) = secret(&bench, "a", json!({})).await;
    for refused in [json!({ "ttl": "2h" }), json!({ "ttl": 0 })] {
        let answer = bench.write("role/a/secret-id", refused).await;
        assert!(matches!(answer, Err(Fault::Invalid(_))));
    }
    bench.advance(Duration::from_secs(60));
    assert_eq!(
        words(login(&bench, &id, &short).await),
        "invalid role or secret ID"
    );
    assert!(login(&bench, &id, &long).await.is_ok());
    assert_eq!(bench.list("role/a/secret-id").await.unwrap().len(), 2);
    assert_eq!(
        bench
            .write("tidy/secret-id", json!({}))
            .await
            .unwrap()
            .reply
            .status,
        Some(202)
    );
    assert_eq!(bench.list("role/a/secret-id").await.unwrap().len(), 1);
    bench.advance(Duration::from_secs(3600));
    bench.tick().await.unwrap();
    bench.advance(Duration::from_secs(3600));
    bench.tick().await.unwrap();
    assert!(matches!(
        bench.list("role/a/secret-id").await,
        Err(Fault::NotFound)
    ));
}

#[tokio::test]
async fn a_role_made_anew_knows_nothing_of_the_old_one() {
    let bench = Bench::<AppRole>::new().await;
    let wish = || json!({ "role_id": "mine" });
    let id = role(&bench, "a", wish()).await;
    let (secret_id, _) = secret(&bench, "a", json!({})).await;
    let made = login(&bench, &id, &secret_id).await.unwrap();
    assert!(bench.stay(made.payload.clone()).await.unwrap().is_ok());
    bench.delete("role/a").await.unwrap();
    assert!(login(&bench, &id, &secret_id).await.is_err());
    assert!(bench.stay(made.payload.clone()).await.unwrap().is_err());
    role(&bench, "a", wish()).await;
    assert!(login(&bench, &id, &secret_id).await.is_err());
    assert!(bench.stay(made.payload.clone()).await.unwrap().is_err());
    bench.tick().await.unwrap();
    assert!(
        bench
            .view()
            .scan_paths("secret/", None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        bench
            .view()
            .scan_paths("accessor/", None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        bench
            .view()
            .scan_paths("gone/", None, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_role_id_belongs_to_one_role() {
    let bench = Bench::<AppRole>::new().await;
    let id = role(&bench, "a", json!({})).await;
    for refused in [
        json!({ "role_id": id }),
        json!({ "role_id": "" }),
        json!({ "role_id": "x".repeat(5000) }),
    ] {
        assert!(matches!(
            bench.write("role/b", refused).await,
            Err(Fault::Invalid(_))
        ));
    }
    assert!(
        matches!(bench.read("role/b").await, Err(Fault::NotFound)),
        "nothing is left behind"
    );
    let (secret_id, _) = secret(&bench, "a", json!({})).await;
    bench
        .write("role/a/role-id", json!({ "role_id": "mine" }))
        .await
        .unwrap();
    assert!(login(&bench, &id, &secret_id).await.is_err());
    assert!(login(&bench, "mine", &secret_id).await.is_ok());
    assert_eq!(role(&bench, "b", json!({ "role_id": id })).await, id);
}

#[tokio::test]
async fn addresses_bind_logins_and_tokens() {
    let mut bench = Bench::<AppRole>::new().await;
    bench.client = Some("10.0.0.1".parse().unwrap());
    let wish = json!({ "secret_id_bound_cidrs": "10.0.0.0/8", "token_bound_cidrs": "10.0.0.0/8" });
    let id = role(&bench, "a", wish).await;
    for outside in [
        json!({ "cidr_list": "11.0.0.0/8" }),
        json!({ "token_bound_cidrs": "0.0.0.0/0" }),
        json!({ "cidr_list": "nonsense" }),
    ] {
        assert!(matches!(
            bench.write("role/a/secret-id", outside).await,
            Err(Fault::Invalid(_))
        ));
    }
    let inside =
        json!({ "cidr_list": "10.0.0.0/16", "token_bound_cidrs": "10.1.0.0/16", "num_uses": 1 });
    let (secret_id, _) = secret(&bench, "a", inside).await;
    for elsewhere in ["10.9.0.1", "11.0.0.1"] {
        bench.client = Some(elsewhere.parse().unwrap());
        assert!(
            login(&bench, &id, &secret_id).await.is_err(),
            "and no use is spent"
        );
    }
    bench.client = Some("10.0.0.2".parse().unwrap());
    let made = login(&bench, &id, &secret_id).await.unwrap();
    assert_eq!(made.bound_cidrs[0].to_string(), "10.1.0.0/16");
}

#[tokio::test]
async fn a_role_without_any_bound_is_none() {
    let bench = Bench::<AppRole>::new().await;
    let open = json!({ "bind_secret_id": false });
    assert!(matches!(
        bench.write("role/a", open.clone()).await,
        Err(Fault::Invalid(_))
    ));
    let id = role(
        &bench,
        "a",
        json!({ "bind_secret_id": false, "token_bound_cidrs": "127.0.0.0/8" }),
    )
    .await;
    assert!(login(&bench, &id, "").await.is_ok());
    assert!(matches!(
        bench.write("role/a/secret-id", json!({})).await,
        Err(Fault::Invalid(_))
    ));
    let refused = bench.delete("role/a/token-bound-cidrs").await;
    assert!(matches!(refused, Err(Fault::Invalid(_))));
    bench.delete("role/a/bind-secret-id").await.unwrap();
    bench.delete("role/a/token-bound-cidrs").await.unwrap();
    assert_eq!(
        bench.read("role/a/bind-secret-id").await.unwrap().data["bind_secret_id"],
        true
    );
}

#[tokio::test]
async fn single_settings_are_read_written_and_cleared() {
    let bench = Bench::<AppRole>::new().await;
    role(&bench, "a", json!({})).await;
    for (name, written, shown, cleared) in [
        ("period", json!("1m"), json!(60), Value::Null),
        ("policies", json!("b,A"), json!(["a", "b"]), Value::Null),
        (
            "secret-id-bound-cidrs",
            json!("10.0.0.0/8"),
            json!(["10.0.0.0/8"]),
            Value::Null,
        ),
        ("secret-id-num-uses", json!("3"), json!(3), json!(0)),
        ("secret-id-ttl", json!("1h"), json!(3600), json!(0)),
        (
            "token-bound-cidrs",
            json!("10.0.0.1"),
            json!(["10.0.0.1"]),
            Value::Null,
        ),
        ("token-max-ttl", json!("2h"), json!(7200), json!(0)),
        ("token-num-uses", json!(4), json!(4), json!(0)),
        ("token-ttl", json!("1h"), json!(3600), json!(0)),
    ] {
        let (at, field) = (format!("role/a/{name}"), name.replace('-', "_"));
        bench
            .write(&at, json!({ field.as_str(): written }))
            .await
            .unwrap();
        assert_eq!(bench.read(&at).await.unwrap().data[&field], shown, "{name}");
        bench.delete(&at).await.unwrap();
        let left = bench.read(&at).await.unwrap().data;
        assert_eq!(
            left.get(&field).cloned().unwrap_or_default(),
            cleared,
            "{name}"
        );
        assert!(matches!(
            bench
                .write(
                    &format!("role/b/{name}"),
                    json!({ field.as_str(): written })
                )
                .await,
            Err(Fault::Missing(_))
        ));
    }
}

#[tokio::test]
async fn a_custom_secret_id_is_taken_once() {
    let bench = Bench::<AppRole>::new().await;
    let id = role(&bench, "a", json!({})).await;
    let take = |name: &str| bench.write("role/a/custom-secret-id", json!({ "secret_id": name }));
    take("chosen").await.unwrap();
    assert!(matches!(take("chosen").await, Err(Fault::Invalid(_))));
    assert!(matches!(take("").await, Err(Fault::Invalid(_))));
    assert!(matches!(
        take(&"x".repeat(5000)).await,
        Err(Fault::Invalid(_))
    ));
    assert!(login(&bench, &id, "chosen").await.is_ok());
    bench
        .write("role/a/secret-id/destroy", json!({ "secret_id": "chosen" }))
        .await
        .unwrap();
    assert!(login(&bench, &id, "chosen").await.is_err());
}

#[tokio::test]
async fn ids_do_not_stand_in_the_paths_of_the_storage() {
    let bench = Bench::<AppRole>::new().await;
    role(&bench, "a", json!({ "role_id": "mine" })).await;
    bench
        .write("role/a/custom-secret-id", json!({ "secret_id": "chosen" }))
        .await
        .unwrap();
    let paths = bench.view().scan_paths("", None, 100).await.unwrap();
    assert!(
        !paths
            .iter()
            .any(|path| path.contains("mine") || path.contains("chosen")),
        "{paths:?}"
    );
}

#[tokio::test]
async fn role_ids_that_are_one_name_elsewhere_are_one_here() {
    let bench = Bench::<AppRole>::new().await;
    let id = role(&bench, "a", json!({ "role_id": "Team" })).await;
    for same in ["team", " TEAM", "Team "] {
        let refused = bench.write("role/b", json!({ "role_id": same })).await;
        assert!(matches!(refused, Err(Fault::Invalid(_))), "{same:?}");
    }
    let (secret_id, _) = secret(&bench, "a", json!({})).await;
    assert!(login(&bench, "team", &secret_id).await.is_err());
    assert!(login(&bench, &id, &secret_id).await.is_ok());
    let renamed = json!({ "role_id": "TEAM" });
    bench.write("role/a/role-id", renamed).await.unwrap();
    assert!(login(&bench, "TEAM", &secret_id).await.is_ok());
    for odd in ["a\nb", " "] {
        let refused = bench.write("role/b", json!({ "role_id": odd })).await;
        assert!(matches!(refused, Err(Fault::Invalid(_))), "{odd:?}");
    }
}

#[tokio::test]
async fn a_token_is_not_bound_to_an_address_that_is_not_there() {
    let mut bench = Bench::<AppRole>::new().await;
    let id = role(&bench, "a", json!({ "token_strictly_bind_ip": true })).await;
    let (secret_id, _) = secret(&bench, "a", json!({})).await;
    let refused = login(&bench, &id, &secret_id).await;
    assert!(matches!(refused, Err(Fault::Denied)));
    bench.client = Some("10.0.0.1".parse().unwrap());
    let made = login(&bench, &id, &secret_id).await.unwrap();
    assert_eq!(made.bound_cidrs[0].to_string(), "10.0.0.1/32");
}
