//! What policy was asked about is what the handler acts on, however the path was spelt.

mod harness;

use coffer_wire::Verb;
use harness::Harness;
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
