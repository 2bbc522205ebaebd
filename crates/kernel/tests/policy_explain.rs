//! `sys/policies/explain` says what really happens, to those who may know.

mod harness;

use std::sync::Arc;

use coffer_engine::{
    Class, Ctx, Empty, Engine, Exists, Fault, Handle, Kind, MountInfo, Routes, path,
};
use coffer_kernel::Settings;
use coffer_storage::Memory;
use coffer_wire::Verb;
use harness::shelves::Cubbyhole;
use harness::{Answer, Harness};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

const EXPLAIN: &str = "sys/policies/explain";

/// Things that are there (`old-…`) or not.
struct Things;

impl Engine for Things {
    const NAME: &'static str = "things";
    const HELP: &'static str = "Things.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("{name}", "One thing.")
            .read::<Thing>()
            .write::<Thing>()
            .delete::<Thing>()
            .exists::<Thing>()])
    }
}

/// A thing.
#[derive(Deserialize, JsonSchema)]
struct Thing {
    /// Its name.
    name: String,
    /// What it is.
    #[serde(default, rename = "is")]
    _is: Value,
}

impl Handle<Things> for Thing {
    type Reply = Empty;

    async fn handle(self, _: &Things, _: &Ctx) -> Result<Empty, Fault> {
        Ok(Empty)
    }
}

impl Exists<Things> for Thing {
    async fn exists(self, _: &Things, _: &Ctx) -> Result<bool, Fault> {
        Ok(self.name.starts_with("old"))
    }
}

async fn server() -> Harness {
    let kinds = vec![
        Kind::new::<Things>(Class::Secret),
        Kind::new::<Cubbyhole>(Class::Secret),
    ];
    let h = Harness::with(Settings::new(kinds), Arc::new(Memory::new())).await;
    let things = json!({ "type": "things" });
    assert_eq!(
        h.write("sys/mounts/things", &h.root, things).await.status,
        204
    );
    h
}

async fn token(h: &Harness, policy: &str) -> Answer {
    h.policy("mine", policy).await;
    h.create(&h.root, json!({ "policies": ["mine"] })).await
}

async fn explain(h: &Harness, by: &str, wish: Value) -> Answer {
    h.write(EXPLAIN, by, wish).await
}

#[tokio::test(start_paused = true)]
async fn one_asks_about_oneself_and_others_with_sudo() {
    let h = server().await;
    let mine = token(&h, r#"path "things/a" { capabilities = ["read"] }"#).await;
    let other = token(&h, r#"path "things/a" { capabilities = ["read"] }"#).await;
    let wish = |more: Value| {
        let mut wish = json!({ "path": "things/a", "verb": "GET" });
        wish.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        wish
    };
    for own in [
        json!({}),
        json!({ "token": mine.token() }),
        json!({ "accessor": mine.accessor() }),
    ] {
        let told = explain(&h, &mine.token(), wish(own)).await;
        assert_eq!(
            (told.status, &told.data()["allowed"]),
            (200, &json!(true)),
            "{told:?}"
        );
    }
    for foreign in [
        json!({ "token": other.token() }),
        json!({ "accessor": other.accessor() }),
        json!({ "accessor": "nosuch" }),
        json!({ "token": "nosuch" }),
        json!({ "entity": "nosuch" }),
    ] {
        let refused = explain(&h, &mine.token(), wish(foreign)).await;
        assert!(
            refused.status == 403 && refused.error().contains("sudo"),
            "{refused:?}"
        );
    }
    let told = explain(&h, &h.root, wish(json!({ "accessor": mine.accessor() }))).await;
    assert_eq!(
        told.data()["subject"]["token_policies"],
        json!(["default", "mine"])
    );
    for wrong in [
        json!({ "accessor": "nosuch" }),
        json!({ "entity": "nosuch" }),
        json!({ "verb": "dance" }),
        json!({ "path": "" }),
        json!({ "path": "a//b" }),
        json!({ "token": mine.token(), "accessor": mine.accessor() }),
    ] {
        assert_eq!(
            explain(&h, &h.root, wish(wrong.clone())).await.status,
            400,
            "{wrong}"
        );
    }
    assert_eq!(explain(&h, "", wish(json!({}))).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn the_answer_names_the_rule_and_what_is_missing() {
    let h = server().await;
    let policy = "path \"things/*\" { capabilities = [\"update\"] }\n\npath \"things/+\" {\n  capabilities = [\"read\", \"create\"]\n  required_parameters = [\"is\"]\n}\n";
    let mine = token(&h, policy).await.token();
    let told = explain(
        &h,
        &mine,
        json!({ "path": "things/old", "operation": "write", "data": { "x": "secret" } }),
    )
    .await;
    let why = told.data();
    assert_eq!(
        (
            &why["allowed"],
            &why["operation"],
            &why["needed"],
            &why["sudo_path"]
        ),
        (
            &json!(false),
            &json!("update"),
            &json!(["update"]),
            &json!(false)
        )
    );
    assert_eq!(
        why["decided_by"],
        json!({
            "path": "things/+", "kind": "segments", "capabilities": ["create", "read"], "required_parameters": ["is"],
            "policies": [{ "name": "mine", "line": 3, "capabilities": ["create", "read"] }],
        })
    );
    let missing: Vec<_> = why["missing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["kind"].as_str().unwrap(), m["name"].as_str().unwrap()))
        .collect();
    assert_eq!(
        missing,
        [("capability", "update"), ("required-parameter", "is")]
    );
    assert_eq!(why["other_rules"][0]["path"], "things/*");
    assert_eq!(
        why["other_rules"][0]["does_not_decide_because"],
        "it ends with `*`"
    );
    assert!(
        why["reason"]
            .as_str()
            .unwrap()
            .contains("\"update\" is not granted"),
        "{why}"
    );
    assert!(!told.json.to_string().contains("secret"));
    let told = explain(
        &h,
        &mine,
        json!({ "path": "things/new", "operation": "write", "data": { "is": 1 } }),
    )
    .await;
    assert_eq!(
        (&told.data()["allowed"], &told.data()["operation"]),
        (&json!(true), &json!("create"))
    );
    let told = explain(
        &h,
        &mine,
        json!({ "path": "things/old", "operation": "create", "data": { "is": 1 } }),
    )
    .await;
    assert_eq!(told.data()["allowed"], true, "if it were new");
    let told = explain(&h, &mine, json!({ "path": "sys/audit", "verb": "read" })).await;
    assert_eq!(
        (&told.data()["sudo_path"], &told.data()["needed"]),
        (&json!(true), &json!(["read", "sudo"]))
    );
    assert_eq!(told.data()["missing"][0]["kind"], "no-rule");
    let told = explain(
        &h,
        &mine,
        json!({ "path": "sys/internal/ui/mounts", "verb": "read" }),
    )
    .await;
    assert_eq!(told.data()["allowed"], true, "no token is needed there");
    let told = explain(&h, &h.root, json!({ "path": "things/x", "verb": "delete" })).await;
    assert_eq!(told.data()["reason"], "the policy root allows everything");
}

#[tokio::test(start_paused = true)]
async fn entities_are_explained_by_all_their_policies() {
    let h = server().await;
    h.policy(
        "of-entity",
        r#"path "things/e" { capabilities = ["read"] }"#,
    )
    .await;
    h.policy(
        "of-group",
        r#"path "things/{{identity.entity.name}}" { capabilities = ["delete"] }"#,
    )
    .await;
    let made = h
        .write(
            "identity/entity",
            &h.root,
            json!({ "name": "ann", "policies": "of-entity" }),
        )
        .await;
    let id = made.data()["id"].clone();
    let group = json!({ "name": "g", "policies": "of-group", "member_entity_ids": [id] });
    h.write("identity/group", &h.root, group).await;
    let ask = |path: &'static str, verb: &'static str| {
        let (h, id) = (&h, id.clone());
        async move {
            let told = explain(
                h,
                &h.root,
                json!({ "entity": id, "path": path, "verb": verb }),
            )
            .await;
            assert_eq!(told.status, 200, "{told:?}");
            told.data().clone()
        }
    };
    assert_eq!(ask("things/e", "read").await["allowed"], true);
    let home = ask("things/ann", "delete").await;
    assert_eq!(home["allowed"], true, "{home}");
    assert_eq!(
        home["decided_by"]["policies"][0]["template"],
        "things/{{identity.entity.name}}"
    );
    assert_eq!(
        home["subject"]["identity_policies"],
        json!(["of-entity", "of-group"])
    );
    assert_eq!(ask("things/ann", "read").await["allowed"], false);
}

#[tokio::test(start_paused = true)]
async fn what_is_explained_is_what_happens() {
    let h = server().await;
    let policy = r#"
        path "things/old-a" { capabilities = ["update"] }
        path "things/new-a" { capabilities = ["create"] }
        path "things/*" { capabilities = ["read"] denied_parameters = { "is" = ["bad"] } }
        path "things/+" { capabilities = ["read", "create", "update"] denied_parameters = { "is" = ["bad"] } }
        path "things/no*" { capabilities = ["deny"] }
        path "sys/mounts/things" { capabilities = ["read", "delete"] }
        path "sys/mounts/things/" { capabilities = ["read"] }
        path "sys/policies/acl/Mixed" { capabilities = ["read"] }
        path "sys/policies/acl/" { capabilities = ["list"] }
        path "sys/audit" { capabilities = ["read"] }
        path "sys/leases" { capabilities = ["read", "sudo"] }
        path "cubbyhole/*" { capabilities = ["read"] }
        path "nosuch/*" { capabilities = ["read"] }
        path "n1/things/*" { capabilities = ["read"] }
    "#;
    h.write("sys/namespaces/n1", &h.root, json!({})).await;
    let mine = token(&h, policy).await.token();
    h.policy("mixed", "# Nothing is granted.").await;
    let verbs = [
        (Verb::Read, "read"),
        (Verb::List, "list"),
        (Verb::Write, "write"),
        (Verb::Delete, "delete"),
        (Verb::Patch, "patch"),
    ];
    let paths = [
        "things/old-a",
        "things/new-a",
        "things/old-b",
        "things/new-b",
        "things/no",
        "things/x/y",
        "sys/mounts/things",
        "sys/mounts/things/",
        "sys/policies/acl/Mixed",
        "sys/policies/acl/mixed",
        "sys/policies/acl",
        "sys/audit",
        "sys/leases",
        "cubbyhole/x",
        "nosuch/x",
        "nosuch/x/",
        "other/x",
        "n1/things/x",
        "n1/sys/mounts",
        "auth/token/lookup-self",
        "sys/internal/ui/mounts",
        "sys/nosuch",
    ];
    for path in paths {
        for (verb, word) in verbs {
            for body in [json!({}), json!({ "is": "bad" }), json!({ "is": "good" })] {
                if verb == Verb::Delete && path.starts_with("sys/mounts") {
                    continue; // It would be gone.
                }
                let wish = json!({ "path": path, "verb": word, "data": body });
                let told = explain(&h, &mine, wish).await;
                assert_eq!(told.status, 200, "{path} {word}: {told:?}");
                let happened = h.request(verb, path, &mine, body.clone()).await;
                let denied = happened.status == 403 && happened.error() == "permission denied";
                assert_eq!(
                    told.data()["allowed"] == true,
                    !denied,
                    "{path} {word} {body}: {told:?} {happened:?}"
                );
            }
        }
    }
}
