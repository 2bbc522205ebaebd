//! Token roles and the tokens they make, as the reference answers.

mod harness;

use std::time::Duration;

use harness::{Answer, Harness};
use serde_json::{Value, json};

async fn server() -> (Harness, String) {
    let h = Harness::new().await;
    h.policy(
        "maker",
        r#"path "auth/token/create/*" { capabilities = ["create", "update"] }"#,
    )
    .await;
    let weak = h
        .create(&h.root, json!({ "policies": ["maker"] }))
        .await
        .token();
    (h, weak)
}

async fn role(h: &Harness, name: &str, settings: Value) -> Answer {
    h.write(&format!("auth/token/roles/{name}"), &h.root, settings)
        .await
}

async fn make(h: &Harness, by: &str, name: &str, wish: Value) -> Answer {
    h.write(&format!("auth/token/create/{name}"), by, wish)
        .await
}

#[tokio::test(start_paused = true)]
async fn roles_are_kept_and_shown() {
    let (h, _) = server().await;
    assert_eq!(h.list("auth/token/roles", &h.root).await.status, 404);
    assert_eq!(h.read("auth/token/roles/app", &h.root).await.status, 404);
    let settings = json!({
        "allowed_policies": "app,other", "disallowed_policies": ["admin"], "orphan": true, "renewable": true,
        "token_period": "1h", "token_explicit_max_ttl": "24h", "path_suffix": "sfx", "token_num_uses": 0,
        "token_bound_cidrs": ["127.0.0.0/8"], "token_no_default_policy": true, "token_type": "service",
    });
    assert_eq!(role(&h, "app", settings).await.status, 204);
    let shown = h.read("auth/token/roles/app", &h.root).await;
    let expected = json!({
        "allowed_entity_aliases": null, "allowed_policies": ["app", "other"], "allowed_policies_glob": [],
        "disallowed_policies": ["admin"], "disallowed_policies_glob": [], "explicit_max_ttl": 0, "name": "app",
        "orphan": true, "path_suffix": "sfx", "period": 0, "renewable": true,
        "token_bound_cidrs": ["127.0.0.0/8"], "token_explicit_max_ttl": 86400, "token_no_default_policy": true,
        "token_period": 3600, "token_type": "service",
    });
    assert_eq!(shown.data(), &expected);

    role(
        &h,
        "old",
        json!({ "period": 60, "explicit_max_ttl": "2h", "bound_cidrs": "127.0.0.1" }),
    )
    .await;
    let old = h.read("auth/token/roles/old", &h.root).await;
    for (field, value) in [
        ("period", json!(60)),
        ("token_period", json!(60)),
        ("explicit_max_ttl", json!(7200)),
        ("token_explicit_max_ttl", json!(7200)),
        ("bound_cidrs", json!(["127.0.0.1"])),
        ("token_bound_cidrs", json!(["127.0.0.1"])),
        ("token_type", json!("default-service")),
        ("renewable", json!(true)),
    ] {
        assert_eq!(old.data()[field], value, "{field}");
    }
    role(&h, "old", json!({ "renewable": false })).await;
    let changed = h.read("auth/token/roles/old", &h.root).await;
    assert_eq!(
        (&changed.data()["renewable"], &changed.data()["period"]),
        (&json!(false), &json!(60))
    );
    let both = role(&h, "old", json!({ "period": "1m", "token_period": "2m" })).await;
    assert_eq!(
        both.warnings(),
        [
            "Both 'token_period' and deprecated 'period' value supplied, ignoring the deprecated value"
        ]
    );
    let changed = h.read("auth/token/roles/old", &h.root).await;
    assert_eq!(
        (&changed.data()["token_period"], &changed.data()["period"]),
        (&json!(120), &json!(0))
    );
    assert_eq!(
        h.list("auth/token/roles", &h.root).await.keys(),
        ["app", "old"]
    );
    assert_eq!(h.delete("auth/token/roles/app", &h.root).await.status, 204);
    assert_eq!(h.delete("auth/token/roles/app", &h.root).await.status, 204);
    assert_eq!(h.list("auth/token/roles/", &h.root).await.keys(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn wrong_settings_are_refused_and_change_nothing() {
    let (h, _) = server().await;
    for (settings, part) in [
        (json!({ "token_bound_cidrs": ["nonsense"] }), "nonsense"),
        (
            json!({ "token_type": "odd" }),
            "invalid 'token_type' value \"odd\"",
        ),
        (json!({ "path_suffix": "a/b c" }), "invalid characters"),
        (json!({ "path_suffix": "a" }), "invalid characters"),
        (json!({ "token_period": "x" }), "token_period"),
        (json!({ "token_period": "-1m" }), "token_period"),
        (json!({ "token_num_uses": -1 }), "token_num_uses"),
        (json!({ "token_type": "batch" }), "non-orphan"),
        (
            json!({ "token_type": "batch", "orphan": true }),
            "renewable",
        ),
        (
            json!({ "token_type": "batch", "orphan": true, "renewable": false, "token_period": 60 }),
            "periodic",
        ),
        (
            json!({ "token_type": "batch", "orphan": true, "renewable": false, "token_explicit_max_ttl": 60 }),
            "explicit max",
        ),
    ] {
        let answer = role(&h, "bad", settings.clone()).await;
        assert!(
            answer.status == 400 && answer.error().contains(part),
            "{settings} {answer:?}"
        );
    }
    assert_eq!(h.read("auth/token/roles/bad", &h.root).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn allowed_and_disallowed_policies() {
    let (h, weak) = server().await;
    role(
        &h,
        "list",
        json!({ "allowed_policies": "app,other", "token_no_default_policy": true }),
    )
    .await;
    role(&h, "glob", json!({ "allowed_policies": "x", "allowed_policies_glob": ["app-*"], "disallowed_policies_glob": "app-x*" })).await;
    role(
        &h,
        "only-glob",
        json!({ "allowed_policies_glob": ["app-*"] }),
    )
    .await;
    role(&h, "not", json!({ "disallowed_policies": "admin,default" })).await;
    role(&h, "plain", json!({})).await;
    role(
        &h,
        "strict",
        json!({ "allowed_policies": "app", "disallowed_policies": "default" }),
    )
    .await;
    for (by, name, wish, policies) in [
        (&weak, "list", json!(["app"]), json!(["app"])),
        (&weak, "list", json!([]), json!(["app", "other"])),
        (
            &weak,
            "glob",
            json!(["app-1", "X"]),
            json!(["app-1", "default", "x"]),
        ),
        (&weak, "glob", json!([]), json!(["default", "x"])),
        (&weak, "glob", json!(["default"]), json!(["default"])),
        (&weak, "only-glob", json!([]), json!(["default"])),
        (&weak, "not", json!(["zzz"]), json!(["zzz"])),
        (&weak, "not", json!([]), json!(["maker"])),
        (&h.root, "not", json!([]), json!(["root"])),
        (&weak, "plain", json!([]), json!(["default", "maker"])),
        (&weak, "strict", json!([]), json!(["app"])),
        (&weak, "strict", json!(["app"]), json!(["app"])),
    ] {
        let made = make(&h, by, name, json!({ "policies": wish })).await;
        assert_eq!(made.auth()["policies"], policies, "{name} {wish}");
    }
    for (by, name, wish, error) in [
        (
            &h.root,
            "list",
            json!(["admin"]),
            "token policies ([\"admin\"]) must be subset of the role's allowed policies ([\"app\" \"other\"]) or glob policies ([])",
        ),
        (
            &h.root,
            "only-glob",
            json!(["b", "c"]),
            "token policies ([\"b\" \"c\" \"default\"]) must be subset of the role's allowed policies ([\"default\"]) or glob policies ([\"app-*\"])",
        ),
        (
            &h.root,
            "glob",
            json!(["app-x1"]),
            "token policy \"app-x1\" is disallowed by this role",
        ),
        (
            &h.root,
            "not",
            json!(["admin"]),
            "token policy \"admin\" is disallowed by this role",
        ),
        (
            &h.root,
            "not",
            json!(["default"]),
            "token policy \"default\" is disallowed by this role",
        ),
        (
            &weak,
            "not",
            json!(["root"]),
            "root tokens may not be created without parent token being root",
        ),
        (
            &weak,
            "plain",
            json!(["zzz"]),
            "child policies must be subset of parent",
        ),
        (&h.root, "nosuch", json!([]), "unknown role nosuch"),
    ] {
        let answer = make(&h, by, name, json!({ "policies": wish })).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, error),
            "{name} {wish}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_else_a_role_decides() {
    let (h, weak) = server().await;
    role(&h, "app", json!({ "allowed_policies": "app", "orphan": true, "path_suffix": "sfx", "token_num_uses": 5, "renewable": false })).await;
    role(&h, "child", json!({})).await;
    role(
        &h,
        "batch",
        json!({ "token_type": "batch", "orphan": true, "renewable": false }),
    )
    .await;
    role(&h, "rather-batch", json!({ "token_type": "default-batch" })).await;
    role(&h, "service", json!({ "token_type": "service" })).await;
    let made = make(&h, &weak, "app", json!({ "ttl": "5m" })).await;
    assert_eq!(
        (&made.auth()["orphan"], &made.auth()["num_uses"]),
        (&json!(true), &json!(5))
    );
    assert_eq!(made.auth()["renewable"], false);
    let shown = h
        .write(
            "auth/token/lookup",
            &h.root,
            json!({ "token": made.token() }),
        )
        .await;
    assert_eq!(
        (&shown.data()["path"], &shown.data()["role"]),
        (&json!("auth/token/create/app/sfx"), &json!("app"))
    );
    let made = make(&h, &weak, "child", json!({ "no_parent": true })).await;
    assert_eq!(made.auth()["orphan"], false, "only the role decides");
    for (name, kind, made) in [
        ("batch", "", "batch"),
        ("batch", "service", "batch"),
        ("service", "batch", "service"),
        ("rather-batch", "", "batch"),
        ("rather-batch", "service", "service"),
        ("child", "batch", "batch"),
    ] {
        let answer = make(
            &h,
            &h.root,
            name,
            json!({ "policies": ["a"], "type": kind }),
        )
        .await;
        assert_eq!(answer.auth()["token_type"], made, "{name} {kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn renewals_obey_the_role_as_it_is_then() {
    let (h, _) = server().await;
    role(
        &h,
        "per",
        json!({ "token_period": "1h", "token_explicit_max_ttl": "90m" }),
    )
    .await;
    let token = make(&h, &h.root, "per", json!({ "policies": ["a"] }))
        .await
        .token();
    let shown = h.read("auth/token/lookup-self", &token).await;
    assert_eq!(
        (&shown.data()["ttl"], &shown.data()["explicit_max_ttl"]),
        (&json!(3600), &json!(0))
    );
    let renew = async || {
        h.write("auth/token/renew", &h.root, json!({ "token": token }))
            .await
    };
    role(&h, "per", json!({ "token_period": "2h" })).await;
    let renewed = renew().await;
    assert_eq!(renewed.auth()["lease_duration"], json!(5400));
    assert_eq!(
        renewed.warnings(),
        [
            "period of \"2h\" exceeded the effective max_ttl of \"1h30m\"; period value is capped accordingly"
        ]
    );
    role(
        &h,
        "per",
        json!({ "token_period": "20m", "token_explicit_max_ttl": 0 }),
    )
    .await;
    assert_eq!(renew().await.auth()["lease_duration"], json!(1200));
    h.delete("auth/token/roles/per", &h.root).await;
    let gone = renew().await;
    assert_eq!(
        (gone.status, gone.error().as_str()),
        (
            400,
            "original token role \"per\" could not be found, not renewing"
        )
    );
    h.advance(Duration::from_secs(1200)).await;
    assert!(
        !h.lives(&token).await,
        "an earlier end than the due entry's is kept"
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_are_bound_to_addresses() {
    let (h, _) = server().await;
    role(
        &h,
        "far",
        json!({ "token_bound_cidrs": "10.9.9.9, 2001:db8::/32" }),
    )
    .await;
    let token = make(&h, &h.root, "far", json!({ "policies": ["default"] }))
        .await
        .token();
    for (address, status) in [
        ("10.9.9.9", 200),
        ("10.9.9.8", 403),
        ("::ffff:10.9.9.9", 200),
        ("2001:db8::7", 200),
        ("127.0.0.1", 403),
    ] {
        let answer = h
            .request_from(
                address,
                coffer_wire::Verb::Read,
                "auth/token/lookup-self",
                &token,
                Value::Null,
            )
            .await;
        assert_eq!(answer.status, status, "{address}");
    }
    let shown = h
        .write("auth/token/lookup", &h.root, json!({ "token": token }))
        .await;
    assert_eq!(
        shown.data()["bound_cidrs"],
        json!(["10.9.9.9", "2001:db8::/32"])
    );
}
