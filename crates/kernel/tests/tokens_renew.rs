//! `auth/token/`: looking up, listing and renewing, as the reference answers.

mod harness;

use std::time::Duration;

use harness::Harness;
use serde_json::json;

const HOUR: Duration = Duration::from_secs(3600);

const MAKER: &str = r#"path "auth/token/create" { capabilities = ["update"] }"#;

async fn server() -> Harness {
    let harness = Harness::new().await;
    harness.policy("maker", MAKER).await;
    harness
}

#[tokio::test(start_paused = true)]
async fn renewing() {
    let h = server().await;
    let made = h
        .create(&h.root, json!({ "policies": ["maker"], "ttl": "1h" }))
        .await;
    let (token, accessor) = (made.token(), made.accessor());
    let renew = async |increment: serde_json::Value| {
        let answer = h
            .write(
                "auth/token/renew",
                &h.root,
                json!({ "token": token, "increment": increment }),
            )
            .await;
        (
            answer.auth()["lease_duration"].as_u64().unwrap_or(0),
            answer.warnings(),
        )
    };
    assert_eq!(renew(json!(null)).await, (3600, vec![]));
    assert_eq!(renew(json!(60)).await, (60, vec![]));
    assert_eq!(renew(json!(0)).await, (60, vec![]), "as long as last time");
    let cut = "TTL of \"5000h\" exceeded the effective max_ttl of \"768h\"; TTL value is capped accordingly";
    assert_eq!(
        renew(json!("5000h")).await,
        (2_764_800, vec![cut.to_owned()])
    );
    h.clock.advance(HOUR);
    let by_accessor = h
        .write(
            "auth/token/renew-accessor",
            &h.root,
            json!({ "accessor": accessor, "increment": "30m" }),
        )
        .await;
    assert_eq!(
        (by_accessor.token(), &by_accessor.auth()["lease_duration"]),
        (String::new(), &json!(1800))
    );
    let by_itself = h
        .write(
            "auth/token/renew-self",
            &token,
            json!({ "increment": "2h" }),
        )
        .await;
    assert_eq!(
        (by_itself.token(), &by_itself.auth()["lease_duration"]),
        (token.clone(), &json!(7200))
    );
    let shown = h.read("auth/token/lookup-self", &token).await;
    assert_eq!(shown.data()["last_renewal_time"], json!(1_800_003_600_u64));
    assert_eq!(
        (&shown.data()["ttl"], &shown.data()["creation_ttl"]),
        (&json!(7200), &json!(3600))
    );
}

#[tokio::test(start_paused = true)]
async fn a_renewal_is_one_write() {
    let store = std::sync::Arc::new(harness::Restless::new(0));
    let h = Harness::over(store.clone()).await;
    h.write(
        "auth/token/roles/app",
        &h.root,
        json!({ "token_period": "1h" }),
    )
    .await;
    let plain = h
        .create(&h.root, json!({ "policies": ["a"], "ttl": "1h" }))
        .await
        .token();
    let by_role = h
        .write(
            "auth/token/create/app",
            &h.root,
            json!({ "policies": ["a"] }),
        )
        .await
        .token();
    for token in [plain, by_role] {
        h.clock.advance(HOUR / 4);
        let before = store.commits();
        let renewed = h
            .write("auth/token/renew", &h.root, json!({ "token": token }))
            .await;
        assert_eq!((renewed.status, store.commits() - before), (200, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_renewed() {
    let h = server().await;
    let fixed = h
        .create(
            &h.root,
            json!({ "policies": ["maker"], "renewable": false }),
        )
        .await
        .token();
    for (path, by, body, error) in [
        (
            "renew",
            &h.root,
            json!({ "token": fixed }),
            "lease is not renewable",
        ),
        ("renew-self", &h.root, json!({}), "lease is not renewable"),
        (
            "renew",
            &h.root,
            json!({ "token": "nosuch" }),
            "token not found",
        ),
        ("renew", &h.root, json!({}), "missing token ID"),
        (
            "renew-accessor",
            &h.root,
            json!({ "accessor": "nosuch" }),
            "invalid accessor",
        ),
        ("renew-accessor", &h.root, json!({}), "missing accessor"),
    ] {
        let answer = h.write(&format!("auth/token/{path}"), by, body).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, error),
            "{path}"
        );
    }
    let bad = h
        .write(
            "auth/token/renew",
            &h.root,
            json!({ "token": fixed, "increment": "x" }),
        )
        .await;
    assert_eq!(bad.status, 400);
}

#[tokio::test(start_paused = true)]
async fn an_explicit_max_is_never_passed_and_a_period_has_no_end() {
    let h = server().await;
    let wish = json!({ "policies": ["maker"], "ttl": "1h", "explicit_max_ttl": "90m" });
    let capped = h.create(&h.root, wish).await.token();
    let periodic = h
        .create(&h.root, json!({ "policies": ["maker"], "period": "30m" }))
        .await
        .token();
    h.clock.advance(HOUR / 4);
    let answer = h
        .write(
            "auth/token/renew",
            &h.root,
            json!({ "token": capped, "increment": "3h" }),
        )
        .await;
    assert_eq!(answer.auth()["lease_duration"], json!(75 * 60));
    for _ in 0..40 {
        let answer = h
            .write(
                "auth/token/renew-self",
                &periodic,
                json!({ "increment": "5h" }),
            )
            .await;
        assert_eq!(answer.auth()["lease_duration"], json!(1800));
        h.advance(HOUR / 3).await;
    }
    assert_eq!(
        h.read("auth/token/lookup-self", &periodic).await.data()["period"],
        json!(1800)
    );
    assert!(!h.lives(&capped).await);
}

#[tokio::test(start_paused = true)]
async fn looking_up() {
    let h = server().await;
    let weak = h
        .create(&h.root, json!({ "policies": ["maker"] }))
        .await
        .token();
    let own = h.read("auth/token/lookup", &h.root).await;
    assert_eq!(own.data()["id"], json!(h.root));
    assert_eq!(own.data()["expire_time"], json!(null));
    assert_eq!(
        h.write("auth/token/lookup", &h.root, json!({}))
            .await
            .data(),
        own.data()
    );
    for (path, by, body, status, error) in [
        (
            "lookup",
            &h.root,
            json!({ "token": "nosuch" }),
            403,
            "bad token",
        ),
        (
            "lookup",
            &weak,
            json!({ "token": h.root }),
            403,
            "permission denied",
        ),
        (
            "lookup-accessor",
            &h.root,
            json!({ "accessor": "nosuch" }),
            400,
            "invalid accessor",
        ),
        (
            "lookup-accessor",
            &h.root,
            json!({}),
            400,
            "missing accessor",
        ),
    ] {
        let answer = h.write(&format!("auth/token/{path}"), by, body).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (status, error),
            "{path}"
        );
    }
    assert_eq!(h.read("auth/token/nosuch", &h.root).await.status, 404);
    assert_eq!(h.delete("auth/token/create", &h.root).await.status, 405);
}

#[tokio::test(start_paused = true)]
async fn accessors_are_listed_in_pages_for_sudo() {
    let h = server().await;
    let weak = h
        .create(&h.root, json!({ "policies": ["maker"] }))
        .await
        .token();
    for _ in 0..9 {
        h.create(&h.root, json!({ "policies": ["maker"] })).await;
    }
    let all = h.list("auth/token/accessors", &h.root).await.keys();
    assert_eq!(all.len(), 11);
    let mut paged: Vec<String> = Vec::new();
    loop {
        let body = json!({ "limit": "4", "after": paged.last().cloned().unwrap_or_default() });
        let page = h
            .request(
                coffer_wire::Verb::List,
                "auth/token/accessors/",
                &h.root,
                body,
            )
            .await;
        if page.status == 404 {
            break;
        }
        assert!(page.keys().len() <= 4);
        paged.extend(page.keys());
    }
    assert_eq!(paged, all);
    assert_eq!(h.list("auth/token/accessors", &weak).await.status, 403);
}
