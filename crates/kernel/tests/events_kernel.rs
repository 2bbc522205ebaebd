//! What the kernel itself tells, and that no secret is in it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what fails in a test is a failed test"
)]

mod harness;

use std::collections::BTreeSet;
use std::time::Duration;

use coffer_kernel::events::catalogue;
use coffer_wire::Verb;
use harness::Harness;
use harness::streams::{Stream, kind, said};
use serde_json::{Value, json};

async fn all(h: &Harness) -> Stream {
    let query = json!({ "namespaces": "*" });
    h.subscribe(&h.root, "*", query).await.unwrap()
}

fn kinds(told: &[Value]) -> Vec<&str> {
    told.iter().map(kind).collect()
}

fn one<'a>(told: &'a [Value], wanted: &str) -> &'a Value {
    let found: Vec<_> = told.iter().filter(|event| kind(event) == wanted).collect();
    assert_eq!(found.len(), 1, "{wanted}: {:?}", kinds(told));
    found[0]
}

#[tokio::test(start_paused = true)]
async fn the_life_of_a_lease_is_told() {
    let h = Harness::new().await;
    h.mount_tickets().await;
    let mut stream = all(&h).await;
    let issue = |ttl: u64| h.write("tickets/issue/ann", &h.root, json!({ "ttl": ttl }));
    let made = issue(600).await;
    let lease = made.json["lease_id"].as_str().unwrap().to_owned();
    let told = stream.events().await;
    let created = one(&told, catalogue::LEASE_CREATE);
    assert_eq!(said(created, "lease_id"), lease);
    assert_eq!(said(created, "path"), "tickets/issue/ann");
    assert_eq!(said(created, "renewable"), "true");
    assert_eq!(said(created, "expire_time"), "2027-01-15T08:10:00Z");
    assert_eq!(created["data"]["plugin_info"]["plugin"], "tickets");
    let renewed = h.write("sys/leases/renew", &h.root, json!({ "lease_id": lease }));
    assert_eq!(renewed.await.status, 200);
    let revoked = h.write("sys/leases/revoke", &h.root, json!({ "lease_id": lease }));
    assert_eq!(revoked.await.status, 204);
    let told = stream.events().await;
    assert_eq!(
        kinds(&told),
        [catalogue::LEASE_RENEW, catalogue::LEASE_REVOKE]
    );
    issue(60).await;
    stream.events().await;
    h.advance(Duration::from_secs(61)).await;
    let told = stream.events().await;
    assert_eq!(kinds(&told), [catalogue::LEASE_EXPIRE]);
    let made = issue(600).await;
    let lease = made.json["lease_id"].as_str().unwrap().to_owned();
    h.write("tickets/config", &h.root, json!({ "refuse": true }))
        .await;
    h.write("sys/leases/revoke", &h.root, json!({ "lease_id": lease }))
        .await;
    let mut told = Vec::new();
    for _ in 0..10 {
        h.clock.advance(Duration::from_secs(60));
        told.extend(stream.events().await);
    }
    let failed = kinds(&told);
    assert!(failed.contains(&catalogue::LEASE_REVOKE_FAIL), "{failed:?}");
    let given_up = one(&told, catalogue::LEASE_IRREVOCABLE);
    assert_eq!(said(given_up, "lease_id"), lease);
}

#[tokio::test(start_paused = true)]
async fn the_lives_of_tokens_and_logins_are_told_without_any_token() {
    let h = Harness::new().await;
    h.enable_passport().await;
    let mut stream = all(&h).await;
    let made = h
        .create(&h.root, json!({ "policies": ["default"], "ttl": 60 }))
        .await;
    let token = made.token();
    let renewed = h.write("auth/token/renew-self", &token, json!({}));
    assert_eq!(renewed.await.status, 200);
    let told = stream.events().await;
    assert_eq!(
        kinds(&told),
        [catalogue::TOKEN_CREATE, catalogue::TOKEN_RENEW]
    );
    let accessor = made.accessor();
    assert_eq!(said(&told[0], "accessor"), accessor);
    assert_eq!(
        said(&told[0], "path"),
        format!("auth/token/accessors/{accessor}")
    );
    assert!(!json!(told).to_string().contains(&made.token()));
    h.advance(Duration::from_secs(100)).await;
    let told = stream.events().await;
    assert_eq!(
        said(one(&told, catalogue::TOKEN_EXPIRE), "accessor"),
        accessor
    );
    for batch in [false, true] {
        let body = json!({ "name": "ann", "password": "right", "batch": batch });
        let login = h.write("auth/passport/login", "", body).await;
        assert_eq!(login.status, 200, "{login:?}");
        let told = stream.events().await;
        let logged_in = one(&told, catalogue::AUTH_LOGIN);
        assert_eq!(said(logged_in, "path"), "auth/passport/login");
        assert_eq!(said(logged_in, "display_name"), "passport-ann");
        assert_eq!(said(logged_in, "accessor"), login.accessor());
        assert_eq!(
            said(one(&told, catalogue::TOKEN_CREATE), "accessor"),
            login.accessor()
        );
        assert!(!json!(told).to_string().contains(&login.token()));
    }
    let made = h.create(&h.root, json!({ "policies": ["default"] })).await;
    let body = json!({ "token": made.token() });
    h.write("auth/token/revoke", &h.root, body).await;
    let told = stream.events().await;
    assert_eq!(
        kinds(&told),
        [catalogue::TOKEN_CREATE, catalogue::TOKEN_REVOKE]
    );
    let wrong = json!({ "name": "ann", "password": "wrong" });
    h.write("auth/passport/login", "", wrong).await;
    assert_eq!(kinds(&stream.events().await), Vec::<&str>::new());
}

/// A request of an operator, and what is told of it.
const DEEDS: &[(Verb, &str, &str, &str)] = &[
    (
        Verb::Write,
        "sys/policies/acl/App",
        r#"{"policy":"path \"x\" { capabilities = [\"read\"] }"}"#,
        catalogue::POLICY_WRITE,
    ),
    (
        Verb::Delete,
        "sys/policies/acl/app",
        "{}",
        catalogue::POLICY_DELETE,
    ),
    (
        Verb::Write,
        "sys/policies/password/p",
        r#"{"policy":"length = 20 rule \"charset\" { charset = \"abcdef\" }"}"#,
        catalogue::PASSWORD_POLICY_WRITE,
    ),
    (
        Verb::Delete,
        "sys/policies/password/p",
        "{}",
        catalogue::PASSWORD_POLICY_DELETE,
    ),
    (
        Verb::Write,
        "sys/mounts/t",
        r#"{"type":"tickets"}"#,
        catalogue::MOUNT_ENABLE,
    ),
    (
        Verb::Write,
        "sys/mounts/t/tune",
        r#"{"description":"d"}"#,
        catalogue::MOUNT_TUNE,
    ),
    (
        Verb::Write,
        "sys/remount",
        r#"{"from":"t","to":"u"}"#,
        catalogue::MOUNT_MOVE,
    ),
    (Verb::Delete, "sys/mounts/u", "{}", catalogue::MOUNT_DISABLE),
    (
        Verb::Write,
        "sys/audit/f",
        r#"{"type":"file","options":{"file_path":"discard"}}"#,
        catalogue::AUDIT_ENABLE,
    ),
    (Verb::Delete, "sys/audit/f", "{}", catalogue::AUDIT_DISABLE),
    (Verb::Write, "identity/entity/id/", "{}", ""),
    (
        Verb::Write,
        "identity/entity",
        r#"{"name":"ann"}"#,
        catalogue::ENTITY_WRITE,
    ),
    (
        Verb::Delete,
        "identity/entity/name/ann",
        "{}",
        catalogue::ENTITY_DELETE,
    ),
    (
        Verb::Write,
        "identity/group",
        r#"{"name":"team"}"#,
        catalogue::GROUP_WRITE,
    ),
    (
        Verb::Delete,
        "identity/group/name/team",
        "{}",
        catalogue::GROUP_DELETE,
    ),
    (
        Verb::Write,
        "sys/namespaces/team",
        "{}",
        catalogue::NAMESPACE_CREATE,
    ),
    (
        Verb::Patch,
        "sys/namespaces/team",
        r#"{"custom_metadata":{"a":"b"}}"#,
        catalogue::NAMESPACE_UPDATE,
    ),
    (
        Verb::Write,
        "sys/namespaces/api-lock/lock/team",
        "{}",
        catalogue::NAMESPACE_LOCK,
    ),
    (
        Verb::Write,
        "sys/namespaces/api-lock/unlock/team",
        "{}",
        catalogue::NAMESPACE_UNLOCK,
    ),
    (
        Verb::Delete,
        "sys/namespaces/team",
        "{}",
        catalogue::NAMESPACE_DELETE,
    ),
    (
        Verb::Write,
        "sys/quotas/rate-limit/q",
        r#"{"rate":1000}"#,
        catalogue::QUOTA_WRITE,
    ),
    (
        Verb::Delete,
        "sys/quotas/rate-limit/q",
        "{}",
        catalogue::QUOTA_DELETE,
    ),
    (Verb::Write, "sys/rotate", "{}", catalogue::ROTATE),
];

#[tokio::test(start_paused = true)]
async fn what_operators_do_is_told_once_and_is_in_the_catalogue() {
    let h = Harness::new().await;
    let mut stream = all(&h).await;
    let mut seen = BTreeSet::new();
    for (verb, path, body, expected) in DEEDS {
        let body: Value = serde_json::from_str(body).unwrap();
        let answer = h.request(*verb, path, &h.root, body).await;
        let told = stream.events().await;
        let told = kinds(&told);
        let wanted: Vec<&str> = [*expected]
            .into_iter()
            .filter(|kind| !kind.is_empty())
            .collect();
        assert_eq!(told, wanted, "{path}: {answer:?}");
        seen.extend(told.iter().map(ToString::to_string));
    }
    for kind in seen {
        assert!(
            catalogue::ALL.iter().any(|known| known.name == kind),
            "{kind}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_or_only_asked_is_not_told() {
    let h = Harness::new().await;
    let mut stream = all(&h).await;
    h.write("sys/policies/acl/bad", &h.root, json!({ "policy": "path" }))
        .await;
    h.write("sys/mounts/t", &h.root, json!({ "type": "unknown" }))
        .await;
    h.write("auth/token/create", "s.nobody", json!({})).await;
    h.read("sys/mounts", &h.root).await;
    h.list("sys/policies/acl", &h.root).await;
    h.read("auth/token/lookup-self", &h.root).await;
    assert_eq!(kinds(&stream.events().await), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn whoever_may_not_see_leases_or_tokens_is_not_told_of_them() {
    let h = Harness::new().await;
    h.mount_tickets().await;
    let rules = r#"
path "sys/events/subscribe/*" { capabilities = ["read"] }
path "tickets/issue/ann" { capabilities = ["subscribe"] }
path "auth/token/accessors/*" { capabilities = ["subscribe"] subscribe_event_types = ["token/revoke"] }
"#;
    h.policy("some", rules).await;
    let token = h
        .create(&h.root, json!({ "policies": ["some"] }))
        .await
        .token();
    let mut stream = h.subscribe(&token, "*", Value::Null).await.unwrap();
    for name in ["ann", "bob"] {
        let path = format!("tickets/issue/{name}");
        h.write(&path, &h.root, json!({ "ttl": 600 })).await;
    }
    let made = h.create(&h.root, json!({ "policies": ["default"] })).await;
    let body = json!({ "token": made.token() });
    h.write("auth/token/revoke", &h.root, body).await;
    let told = stream.events().await;
    assert_eq!(
        kinds(&told),
        [catalogue::LEASE_CREATE, catalogue::TOKEN_REVOKE]
    );
    assert_eq!(said(&told[0], "path"), "tickets/issue/ann");
}
