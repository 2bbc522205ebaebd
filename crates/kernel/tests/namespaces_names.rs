//! What names a thing of one namespace, given to another: tokens, accessors, entities, groups.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use coffer_wire::Verb;
use harness::{Answer, Harness};
use serde_json::{Value, json};

const TOKENS: &str = r#"path "auth/token/*" { capabilities = ["read", "update", "sudo"] }"#;

/// A server with `team/`, `team/app/` and `other/`, each with a policy for its own tokens.
async fn server() -> Harness {
    let h = Harness::new().await;
    for (ns, name) in [("", "team"), ("team", "app"), ("", "other")] {
        let path = format!("sys/namespaces/{name}");
        let made = h.in_ns(ns, Verb::Write, &path, &h.root, json!({}));
        assert_eq!(made.await.status, 200);
    }
    for ns in ["", "team", "team/app", "other"] {
        policy(&h, ns, "tokens", TOKENS).await;
    }
    h
}

async fn policy(h: &Harness, ns: &str, name: &str, text: &str) {
    let path = format!("sys/policies/acl/{name}");
    let put = h.in_ns(ns, Verb::Write, &path, &h.root, json!({ "policy": text }));
    assert_eq!(put.await.status, 204);
}

async fn token(h: &Harness, ns: &str, policy: &str) -> Answer {
    let wish = json!({ "policies": [policy], "ttl": "10m" });
    let path = "auth/token/create";
    let made = h.in_ns(ns, Verb::Write, path, &h.root, wish).await;
    assert_eq!(made.status, 200, "{made:?}");
    made
}

async fn named(h: &Harness, ns: &str, what: &str, by: &str, token: &str) -> Answer {
    let path = format!("auth/token/{what}");
    h.in_ns(ns, Verb::Write, &path, by, json!({ "token": token }))
        .await
}

#[tokio::test(start_paused = true)]
async fn whoever_may_do_it_in_a_tokens_namespace_may_name_it_from_any_other() {
    let h = server().await;
    policy(
        &h,
        "",
        "of-team",
        r#"path "team/auth/token/*" { capabilities = ["update", "sudo"] }
           path "other/auth/token/*" { capabilities = ["update", "sudo"] }"#,
    )
    .await;
    let caretaker = token(&h, "", "of-team").await.token();
    for by in [&h.root, &caretaker] {
        for (what, status) in [
            ("lookup", 200),
            ("renew", 200),
            ("revoke", 204),
            ("revoke-orphan", 204),
        ] {
            let spare = token(&h, "team", "tokens").await.token();
            let done = named(&h, "other", what, by, &spare).await;
            assert_eq!(done.status, status, "{what} {done:?}");
            let lives = !what.starts_with("revoke");
            assert_eq!(h.lives(&spare).await, lives, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_not_is_told_so_and_nothing_is_done() {
    let h = server().await;
    policy(
        &h,
        "",
        "here",
        r#"path "other/auth/token/*" { capabilities = ["update", "sudo"] }"#,
    )
    .await;
    policy(
        &h,
        "",
        "but-not-these",
        r#"path "+/auth/token/*" { capabilities = ["update", "sudo"] }
           path "team/auth/token/*" { capabilities = ["update", "sudo"] denied_parameters = { "token" = [] } }"#,
    )
    .await;
    let spare = token(&h, "team", "tokens").await.token();
    let above = token(&h, "", "tokens").await.token();
    let beside = token(&h, "other", "tokens").await.token();
    let child = token(&h, "team", "tokens").await.token();
    let within = token(&h, "team/app", "tokens").await.token();
    let here = token(&h, "", "here").await.token();
    let but = token(&h, "", "but-not-these").await.token();
    for what in ["lookup", "renew", "revoke", "revoke-orphan"] {
        for (ns, by, target) in [
            ("other", &beside, &spare),
            ("other", &here, &spare),
            ("other", &but, &spare),
            ("team", &child, &above),
            ("team", &child, &h.root),
            ("team/app", &within, &spare),
        ] {
            let refused = named(&h, ns, what, by, target).await;
            assert_eq!(refused.status, 403, "{what} {ns} {refused:?}");
            assert!(h.lives(target).await, "{what} {ns}");
        }
    }
    // Of a namespace within it is enough to be allowed here, as ever.
    let inner = token(&h, "team/app", "tokens").await.token();
    let done = named(&h, "team", "revoke", &child, &inner).await;
    assert_eq!(done.status, 204);
    assert!(!h.lives(&inner).await);
    // What nobody knows is not there, wherever it was asked.
    let unknown = named(&h, "other", "revoke", &beside, "s.nosuch.abcdef").await;
    assert_eq!(unknown.status, 204);
}

async fn made(h: &Harness, ns: &str, path: &str, wish: Value) -> String {
    let made = h.in_ns(ns, Verb::Write, path, &h.root, wish).await;
    assert_eq!(made.status, 200, "{made:?}");
    let id = &made.data().get("id").unwrap();
    id.as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn ids_of_identities_tell_their_namespace() {
    let h = server().await;
    let record = h.in_ns("", Verb::Read, "sys/namespaces/team", &h.root, json!({}));
    let record = record.await;
    let ns = record.data()["id"].as_str().unwrap().to_owned();
    let mounts = h.in_ns("team", Verb::Read, "sys/auth", &h.root, json!({}));
    let accessor = mounts.await.data()["token/"]["accessor"].clone();
    let ann = made(&h, "team", "identity/entity", json!({ "name": "ann" })).await;
    let wish = json!({ "name": "a", "mount_accessor": accessor, "canonical_id": ann });
    let alias = made(&h, "team", "identity/entity-alias", wish).await;
    let wish = json!({ "name": "g", "member_entity_ids": [ann], "metadata": { "k": "team" } });
    let group = made(&h, "team", "identity/group", wish).await;
    for id in [&ann, &alias, &group] {
        assert_eq!(id.rsplit_once('.').unwrap().1, ns, "{id}");
    }
    let in_root = made(&h, "", "identity/entity", json!({})).await;
    assert!(!in_root.contains('.'), "{in_root}");
    let paths = [
        format!("identity/group/id/{group}"),
        format!("identity/entity-alias/id/{alias}"),
        format!("identity/entity/id/{ann}"),
    ];
    for path in &paths {
        for (ns, status) in [("team", 200), ("", 404), ("other", 404), ("team/app", 404)] {
            let read = h.in_ns(ns, Verb::Read, path, &h.root, json!({})).await;
            assert_eq!(read.status, status, "{ns} {path}");
        }
    }
    for path in &paths {
        let gone = h.in_ns("team", Verb::Delete, path, &h.root, json!({}));
        assert_eq!(gone.await.status, 204, "{path}");
        let read = h.in_ns("team", Verb::Read, path, &h.root, json!({}));
        assert_eq!(read.await.status, 404, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn members_of_groups_are_of_their_namespace() {
    let h = server().await;
    let places = ["", "team", "team/app", "other"];
    let mut there = Vec::new();
    for ns in places {
        let entity = made(&h, ns, "identity/entity", json!({})).await;
        let group = made(&h, ns, "identity/group", json!({})).await;
        there.push((ns, entity, group));
    }
    for ns in places {
        for (home, entity, group) in &there {
            for wish in [
                json!({ "member_entity_ids": [entity] }),
                json!({ "member_group_ids": [group] }),
            ] {
                let put = h.in_ns(ns, Verb::Write, "identity/group", &h.root, wish);
                let status = if *home == ns { 200 } else { 400 };
                assert_eq!(put.await.status, status, "{home:?} in {ns:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn templates_find_groups_of_a_namespace_by_their_ids() {
    let h = server().await;
    let accessor = h.enable_passport_in("team").await;
    let login = json!({ "name": "ann" });
    let path = "auth/passport/login";
    let ann = h.in_ns("team", Verb::Write, path, "", login).await;
    let id = ann.auth()["entity_id"].as_str().unwrap().to_owned();
    let wish = json!({ "name": "a.b", "member_entity_ids": [id], "metadata": { "k": "mine" } });
    let group = made(&h, "team", "identity/group", wish).await;
    let text = format!(
        r#"path "sys/policies/acl/{{{{identity.groups.ids.{group}.metadata.k}}}}" {{ capabilities = ["read"] }}
           path "sys/policies/acl/{{{{identity.groups.names.a.b.name}}}}" {{ capabilities = ["read"] }}
           path "sys/policies/acl/{{{{identity.entity.id}}}}" {{ capabilities = ["read"] }}
           path "sys/policies/acl/{{{{identity.entity.aliases.{accessor}.name}}}}" {{ capabilities = ["read"] }}"#
    );
    policy(&h, "team", "own", &text).await;
    let path = format!("identity/entity/id/{id}");
    let put = h.in_ns(
        "team",
        Verb::Write,
        &path,
        &h.root,
        json!({ "policies": ["own"] }),
    );
    assert_eq!(put.await.status, 204);
    let token = ann.token();
    for (name, status) in [
        ("mine", 404),
        ("a.b", 404),
        (&id, 404),
        ("ann", 404),
        ("else", 403),
    ] {
        let path = format!("sys/policies/acl/{name}");
        let read = h.in_ns("team", Verb::Read, &path, &token, json!({}));
        assert_eq!(read.await.status, status, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_the_servers_is_asked_of_the_root_namespace() {
    let h = server().await;
    for path in ["sys/health", "sys/init"] {
        for (ns, status) in [
            ("", 200),
            ("root", 200),
            ("/", 200),
            ("team", 400),
            ("nosuch", 400),
            ("..", 400),
        ] {
            let read = h.in_ns(ns, Verb::Read, path, "", json!({})).await;
            assert_eq!(read.status, status, "{ns:?} {path}");
        }
    }
    for path in ["sys/seal-status", "sys/leader"] {
        let read = h.in_ns("team", Verb::Read, path, "", json!({})).await;
        assert_eq!(read.status, 200, "{path}");
    }
    let unseal = h.in_ns("team", Verb::Write, "sys/unseal", "", json!({ "key": "x" }));
    assert_eq!(unseal.await.status, 400);
}
