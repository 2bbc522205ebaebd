//! What policy was asked about is what the handler acts on, however the path was spelt.

mod harness;

use std::sync::Arc;

use coffer_engine::{Class, Ctx, Empty, Engine, Fault, Handle, Kind, MountInfo, Routes, path};
use coffer_kernel::Settings;
use coffer_storage::Memory;
use coffer_wire::Verb;
use harness::Harness;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

const CAREFUL: &str = r#"
path "sys/mounts/*"   { capabilities = ["read", "delete"] }
path "sys/mounts/one" { capabilities = ["deny"] }
path "sys/policies/acl/*"     { capabilities = ["read", "update", "delete"] }
path "sys/policies/acl/admin" { capabilities = ["deny"] }
path "sys/policy/*"           { capabilities = ["read", "update", "delete"] }
path "sys/policy/admin"       { capabilities = ["deny"] }
"#;

#[tokio::test(start_paused = true)]
async fn a_trailing_slash_is_no_way_around_a_rule() {
    let h = Harness::new().await;
    h.policy("careful", CAREFUL).await;
    for name in ["one", "two"] {
        let mount = json!({ "type": "tickets" });
        let path = format!("sys/mounts/{name}");
        assert_eq!(h.write(&path, &h.root, mount).await.status, 204);
    }
    let careful = h
        .create(&h.root, json!({ "policies": ["careful"] }))
        .await
        .token();
    for verb in [Verb::Read, Verb::Delete] {
        for path in ["sys/mounts/one", "sys/mounts/one/"] {
            let answer = h.request(verb, path, &careful, json!({})).await;
            assert_eq!(answer.status, 403, "{verb} {path}");
        }
    }
    assert_eq!(h.read("sys/mounts/two/", &careful).await.status, 200);
    assert_eq!(h.delete("sys/mounts/two/", &careful).await.status, 204);
    assert_eq!(h.read("sys/mounts/one", &h.root).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_policys_name_in_other_letters_is_no_way_around_a_rule() {
    let h = Harness::new().await;
    h.policy("careful", CAREFUL).await;
    h.policy("admin", "path \"a\" { capabilities = [\"read\"] }")
        .await;
    let careful = h
        .create(&h.root, json!({ "policies": ["careful"] }))
        .await
        .token();
    let text = json!({ "policy": "path \"*\" { capabilities = [\"sudo\"] }" });
    for name in ["admin", "Admin", "ADMIN", "admin ", " admin"] {
        for folder in ["sys/policies/acl", "sys/policy"] {
            for verb in [Verb::Read, Verb::Write, Verb::Delete] {
                let path = format!("{folder}/{name}");
                let answer = h.request(verb, &path, &careful, text.clone()).await;
                assert_eq!(answer.status, 403, "{verb} {path:?}");
            }
        }
    }
    let seen = h.read("sys/policies/acl/Careful", &careful).await;
    assert_eq!(seen.status, 200);
}

#[tokio::test(start_paused = true)]
async fn auth_methods_are_not_enabled_where_no_sudo_is_asked_for() {
    let h = Harness::new().await;
    for path in [
        "sys/mounts/auth/x",
        "sys/mounts/auth",
        "sys/mounts/auth/token/x",
    ] {
        let answer = h.write(path, &h.root, json!({ "type": "tickets" })).await;
        assert_eq!(answer.status, 400);
        assert!(answer.error().contains("cannot mount"), "{answer:?}");
    }
}

/// What is `root` where policies are compared.
const ROOTS: [&str; 6] = [
    "root",
    "Root",
    "ROOT",
    " rOOt ",
    "\u{a0}root",
    "root\u{2003}",
];

#[tokio::test(start_paused = true)]
async fn nobody_writes_or_gives_root_however_it_is_spelt() {
    let h = Harness::new().await;
    let all =
        r#"path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }"#;
    h.policy("all", all).await;
    let all = json!({ "policies": ["all"] });
    let strong = h.create(&h.root, all).await.token();
    let text = json!({ "policy": "path \"*\" { capabilities = [\"deny\"] }" });
    for root in ROOTS {
        for folder in ["sys/policies/acl", "sys/policy"] {
            let path = format!("{folder}/{root}");
            for token in [&h.root, &strong] {
                let put = h.write(&path, token, text.clone()).await;
                assert_eq!(put.status, 400, "{path:?} {put:?}");
                assert_eq!(h.delete(&path, token).await.status, 400, "{path:?}");
            }
        }
        for policies in [json!([root]), json!(["all", root]), json!(root)] {
            for path in ["auth/token/create", "auth/token/create-orphan"] {
                let wish = json!({ "policies": policies });
                let made = h.write(path, &strong, wish).await;
                assert_eq!(made.status, 400, "{path} {policies} {made:?}");
            }
        }
    }
    assert_eq!(h.read("sys/mounts", &h.root).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_folder_in_other_letters_is_no_way_around_a_rule() {
    let h = Harness::new().await;
    let text = r#"
path "sys/policies/acl/*"          { capabilities = ["list"] }
path "sys/policies/acl/hidden/*"   { capabilities = ["deny"] }
path "sys/policies/detailed/acl/*" { capabilities = ["list"] }
path "sys/policies/detailed/acl/hidden/*" { capabilities = ["deny"] }
"#;
    h.policy("careful", text).await;
    for name in ["hidden/a", "open/a"] {
        h.policy(name, "path \"a\" { capabilities = [\"read\"] }")
            .await;
    }
    let careful = json!({ "policies": ["careful"] });
    let careful = h.create(&h.root, careful).await.token();
    for folder in ["sys/policies/acl", "sys/policies/detailed/acl"] {
        for name in ["hidden", "Hidden", "HIDDEN/", " hidden", "hidden "] {
            let path = format!("{folder}/{name}");
            let answer = h.list(&path, &careful).await;
            assert_eq!(answer.status, 403, "{path:?}: {answer:?}");
        }
        let answer = h.list(&format!("{folder}/Open"), &careful).await;
        assert_eq!(answer.keys(), ["open/a"], "{folder}");
    }
}

/// People by their names, which are one in all letters.
struct People;

impl Engine for People {
    const NAME: &'static str = "people";
    const HELP: &'static str = "Knows people.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        let touch = |pattern| path(pattern, "Somebody.").caseless().write::<Touch>();
        Routes::new([touch("users/{name}"), touch("users/{name}/password/reset")])
    }
}

#[derive(Deserialize, JsonSchema)]
struct Touch {
    #[serde(rename = "name")]
    _name: String,
}

impl Handle<People> for Touch {
    type Reply = Empty;

    async fn handle(self, _: &People, _: &Ctx) -> Result<Empty, Fault> {
        Ok(Empty)
    }
}

async fn people() -> Harness {
    let kinds = vec![Kind::new::<People>(Class::Secret)];
    let h = Harness::with(Settings::new(kinds), Arc::new(Memory::new())).await;
    let mount = json!({ "type": "people" });
    assert_eq!(
        h.write("sys/mounts/Staff", &h.root, mount).await.status,
        204
    );
    h
}

/// What a token with a policy may do, and what it is told it may.
async fn may(h: &Harness, token: &str, path: &str) -> bool {
    let done = h.write(path, token, json!({})).await.status == 204;
    let told = h
        .write("sys/capabilities-self", token, json!({ "paths": [path] }))
        .await;
    let told = told.data()["capabilities"].to_string().contains("update");
    assert_eq!(done, told, "what is told is what holds: {path}");
    done
}

#[tokio::test(start_paused = true)]
async fn a_name_in_other_letters_is_no_way_around_a_rule_wherever_it_stands() {
    let h = people().await;
    for rule in ["admin", "Admin"] {
        let text = format!(
            "path \"Staff/users/*\" {{ capabilities = [\"update\"] }}
             path \"Staff/users/{rule}\" {{ capabilities = [\"deny\"] }}
             path \"Staff/users/{rule}/*\" {{ capabilities = [\"deny\"] }}"
        );
        h.policy("careful", &text).await;
        let careful = h.create(&h.root, json!({ "policies": ["careful"] })).await;
        let careful = careful.token();
        for name in ["admin", "Admin", "ADMIN", "aDmin"] {
            for path in ["", "/password/reset"] {
                let path = format!("Staff/users/{name}{path}");
                assert!(!may(&h, &careful, &path).await, "{rule}: {path}");
            }
        }
        for path in ["Staff/users/Eve", "Staff/users/EVE/password/reset"] {
            assert!(may(&h, &careful, path).await, "{rule}: {path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_on_a_name_is_one_on_that_name_and_on_no_mount_in_other_letters() {
    let h = people().await;
    let text = "path \"Staff/users/eve\" { capabilities = [\"update\"] }
                path \"Staff/users/Bob\" { capabilities = [\"update\"] }
                path \"staff/users/dan\" { capabilities = [\"update\"] }";
    h.policy("few", text).await;
    let few = h
        .create(&h.root, json!({ "policies": ["few"] }))
        .await
        .token();
    for (name, fine) in [
        ("eve", true),
        ("EVE", true),
        ("Bob", true),
        ("dan", false),
        ("x", false),
    ] {
        let path = format!("Staff/users/{name}");
        assert_eq!(may(&h, &few, &path).await, fine, "{path}");
    }
    let told = json!({ "path": "Staff/users/dan", "verb": "update" });
    let told = h.write("sys/policies/explain", &few, told).await;
    assert_ne!(told.data()["allowed"], true, "{told:?}");
}
