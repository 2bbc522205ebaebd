//! The userpass method by path.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use coffer_auth::userpass::Userpass;
use coffer_engine::testing::Bench;
use coffer_engine::{Fault, Login, TokenKind};
use serde_json::{Value, json};

async fn login(bench: &Bench<Userpass>, name: &str, password: &str) -> Result<Box<Login>, Fault> {
    let asked = json!({ "password": password });
    let answered = bench.write(&format!("login/{name}"), asked).await?;
    Ok(answered.reply.login.unwrap())
}

async fn user(bench: &Bench<Userpass>, name: &str, wish: Value) {
    bench.write(&format!("users/{name}"), wish).await.unwrap();
}

#[tokio::test]
async fn a_login_is_what_the_user_says() {
    let bench = Bench::<Userpass>::new().await;
    let wish = json!({
        "password": "pw", "token_policies": "b,A", "token_ttl": "30m", "token_max_ttl": "1h",
        "token_num_uses": 3, "token_no_default_policy": true, "token_type": "service",
    });
    user(&bench, "Alice", wish).await;
    for spelling in ["alice", "ALICE"] {
        let made = login(&bench, spelling, "pw").await.unwrap();
        assert_eq!(made.policies, ["a", "b"]);
        assert_eq!((made.ttl.as_secs(), made.max_ttl.as_secs()), (1800, 3600));
        assert_eq!((made.num_uses, made.no_default_policy), (3, true));
        assert_eq!(made.kind, Some(TokenKind::Service));
        assert_eq!(made.display_name, "alice");
        assert_eq!(made.alias.unwrap().name, "alice");
        assert_eq!(made.metadata["username"], "alice");
    }
    assert_eq!(bench.list("users").await.unwrap(), ["alice"]);
}

#[tokio::test]
async fn wrong_and_unknown_are_answered_alike() {
    let bench = Bench::<Userpass>::new().await;
    user(&bench, "alice", json!({ "password": "pw" })).await;
    for (name, password) in [("alice", "PW"), ("nobody", "pw"), ("alice", "pw ")] {
        let Err(Fault::Invalid(text)) = login(&bench, name, password).await else {
            panic!("{name} {password}");
        };
        assert_eq!(text, "invalid username or password");
    }
    let empty = login(&bench, "alice", "").await.unwrap_err();
    assert_eq!(empty.to_string(), "missing password");
}

#[tokio::test]
async fn a_password_is_set_and_never_shown() {
    let bench = Bench::<Userpass>::new().await;
    let without = bench.write("users/a", json!({})).await.unwrap_err();
    assert!(without.to_string().contains("password"));
    user(&bench, "a", json!({ "password": "first" })).await;
    bench
        .write("users/a/password", json!({ "password": "second" }))
        .await
        .unwrap();
    assert!(login(&bench, "a", "first").await.is_err());
    assert!(login(&bench, "a", "second").await.is_ok());
    let shown = bench.read("users/a").await.unwrap().data.to_string();
    assert!(!shown.contains("second") && !shown.contains("argon2"));
    for nobody in ["users/b/password", "users/b/policies"] {
        let asked = json!({ "password": "x", "policies": "y" });
        assert!(matches!(
            bench.write(nobody, asked).await,
            Err(Fault::Invalid(_))
        ));
    }
}

#[tokio::test]
async fn what_bcrypt_would_cut_off_is_refused() {
    let bench = Bench::<Userpass>::new().await;
    let whole = "x".repeat(72);
    let longer = format!("{whole}y");
    let refused = bench.write("users/a", json!({ "password": longer })).await;
    assert!(matches!(refused, Err(Fault::Invalid(_))));
    user(&bench, "a", json!({ "password": whole })).await;
    assert!(login(&bench, "a", &whole).await.is_ok());
    assert!(login(&bench, "a", &longer).await.is_err());
}

#[tokio::test]
async fn a_hash_from_elsewhere_is_replaced_by_the_first_login() {
    let bench = Bench::<Userpass>::new().await;
    let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    user(
        &bench,
        "a",
        json!({ "password_hash": hash, "token_policies": "p" }),
    )
    .await;
    assert!(login(&bench, "a", "other").await.is_err());
    for _ in 0..2 {
        assert_eq!(login(&bench, "a", "U*U").await.unwrap().policies, ["p"]);
    }
    for wrong in [
        "nonsense",
        "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    ] {
        let refused = bench
            .write("users/b", json!({ "password_hash": wrong }))
            .await;
        assert!(matches!(refused, Err(Fault::Invalid(_))), "{wrong}");
    }
    let both = json!({ "password": "x", "password_hash": hash });
    assert!(matches!(
        bench.write("users/b", both).await,
        Err(Fault::Invalid(_))
    ));
}

#[tokio::test]
async fn a_bound_address_holds_for_the_login() {
    let mut bench = Bench::<Userpass>::new().await;
    user(
        &bench,
        "a",
        json!({ "password": "pw", "token_bound_cidrs": "10.0.0.0/8" }),
    )
    .await;
    for (client, fine) in [
        (None, false),
        (Some("11.0.0.1"), false),
        (Some("10.0.0.1"), true),
    ] {
        bench.client = client.map(|text| text.parse().unwrap());
        assert_eq!(login(&bench, "a", "pw").await.is_ok(), fine, "{client:?}");
    }
    let wrong = login(&bench, "a", "no").await.unwrap_err();
    assert!(
        matches!(wrong, Fault::Invalid(_)),
        "an address says nothing about a password"
    );
    user(
        &bench,
        "b",
        json!({ "password": "pw", "token_strictly_bind_ip": true }),
    )
    .await;
    let made = login(&bench, "b", "pw").await.unwrap();
    assert_eq!(made.bound_cidrs[0].to_string(), "10.0.0.1/32");
}

#[tokio::test]
async fn a_renewal_looks_at_the_user_again() {
    let bench = Bench::<Userpass>::new().await;
    user(
        &bench,
        "a",
        json!({ "password": "pw", "token_policies": "p", "token_ttl": 60 }),
    )
    .await;
    let made = login(&bench, "a", "pw").await.unwrap();
    user(&bench, "a", json!({ "token_ttl": 30 })).await;
    let again = bench.stay(made.payload.clone()).await.unwrap().unwrap();
    assert_eq!(again.ttl.unwrap().as_secs(), 30);
    user(&bench, "a", json!({ "token_policies": "q" })).await;
    assert!(matches!(
        bench.stay(made.payload.clone()).await.unwrap(),
        Err(Fault::Invalid(_))
    ));
    user(&bench, "a", json!({ "token_policies": "p" })).await;
    assert!(bench.stay(made.payload.clone()).await.unwrap().is_ok());
    bench.delete("users/a").await.unwrap();
    assert!(matches!(
        bench.stay(made.payload.clone()).await.unwrap(),
        Err(Fault::Invalid(_))
    ));
}

#[tokio::test]
async fn a_wrong_setting_is_named() {
    let bench = Bench::<Userpass>::new().await;
    for (field, value) in [
        ("token_ttl", json!("soon")),
        ("token_no_default_policy", json!("perhaps")),
        ("token_policies", json!({ "a": 1 })),
        ("max_ttl", json!([1])),
    ] {
        let wish = json!({ "password": "secret-word", field: value });
        let refused = bench.write("users/a", wish).await.unwrap_err().to_string();
        assert!(
            refused.contains(field) && !refused.contains("secret-word"),
            "{refused}"
        );
    }
}
