//! Requests that others must authorize first.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Class, Kind};
use coffer_kernel::Settings;
use coffer_storage::Memory;
use harness::Harness;
use harness::shelves::{Cubbyhole, Shelf};
use serde_json::{Value, json};

const POLICY: &str = r#"
path "kv/secret" {
  capabilities = ["read", "update"]
  control_group = {
    ttl = "1h"
    factor "two" {
      controlled_capabilities = ["read"]
      identity { group_names = ["Ops"] approvals = 2 }
    }
  }
}
path "kv/*" { capabilities = ["read", "update"] }
path "sys/control-group/*" { capabilities = ["update"] }
"#;

/// A server with people, each with a token; `ann`, `bob`, `eve` are in the group.
struct People {
    h: Harness,
    accessor: String,
}

impl People {
    async fn new(policy: &str) -> Self {
        let kinds = vec![
            Kind::new::<Shelf>(Class::Secret),
            Kind::new::<Cubbyhole>(Class::Secret),
            Harness::settings().kinds.pop().unwrap(),
        ];
        let h = Harness::with(Settings::new(kinds), Arc::new(Memory::new())).await;
        h.write("sys/mounts/kv", &h.root, json!({ "type": "kv" }))
            .await;
        h.write("kv/secret", &h.root, json!({ "is": "hidden" }))
            .await;
        h.policy("p", policy).await;
        let accessor = h.enable_passport().await;
        let people = Self { h, accessor };
        let members = [
            people.entity("ann").await,
            people.entity("bob").await,
            people.entity("eve").await,
        ];
        people.entity("out").await;
        let wish = json!({ "name": "ops", "member_entity_ids": members });
        let made = people.h.write("identity/group", &people.h.root, wish).await;
        assert_eq!(made.status, 200, "{made:?}");
        people
    }

    async fn entity(&self, name: &str) -> String {
        let (h, root) = (&self.h, &self.h.root);
        let made = h
            .write("identity/entity", root, json!({ "name": name }))
            .await;
        let id = made.data()["id"].as_str().unwrap().to_owned();
        let alias = json!({ "name": name, "canonical_id": id, "mount_accessor": self.accessor });
        assert_eq!(
            h.write("identity/entity-alias", root, alias).await.status,
            200
        );
        id
    }

    async fn token(&self, name: &str) -> String {
        let wish = json!({ "name": name, "policies": ["p"] });
        let made = self.h.write("auth/passport/login", "", wish).await;
        assert_eq!(made.status, 200, "{made:?}");
        made.token()
    }

    /// Asks for the secret: the wrapping token and its accessor.
    async fn ask(&self, token: &str) -> (String, String) {
        let asked = self.h.read("kv/secret", token).await;
        let info = &asked.json["wrap_info"];
        assert!(
            asked.data().is_null() && info["token"].is_string(),
            "{asked:?}"
        );
        let text = |key: &str| info[key].as_str().unwrap().to_owned();
        (text("token"), text("accessor"))
    }

    async fn authorize(&self, name: &str, accessor: &str) -> (u16, Value) {
        let token = self.token(name).await;
        let wish = json!({ "accessor": accessor });
        let done = self
            .h
            .write("sys/control-group/authorize", &token, wish)
            .await;
        (done.status, done.data()["approved"].clone())
    }

    async fn unwrap(&self, token: &str) -> (u16, Value) {
        let done = self.h.write("sys/wrapping/unwrap", token, json!({})).await;
        (done.status, done.data()["is"].clone())
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_others_authorize_and_it_is_done_once() {
    let people = People::new(POLICY).await;
    let eve = people.token("eve").await;
    let (wrapping, accessor) = people.ask(&eve).await;
    assert_eq!(people.unwrap(&wrapping).await.0, 400);
    assert_eq!(
        people.authorize("eve", &accessor).await.0,
        403,
        "nobody authorizes their own"
    );
    assert_eq!(
        people.authorize("out", &accessor).await.0,
        403,
        "not of the group"
    );
    assert_eq!(
        people.authorize("ann", &accessor).await,
        (200, json!(false))
    );
    assert_eq!(
        people.authorize("ann", &accessor).await.0,
        400,
        "the same person twice"
    );
    assert_eq!(people.unwrap(&wrapping).await.0, 400);
    assert_eq!(people.authorize("bob", &accessor).await, (200, json!(true)));
    let wish = json!({ "accessor": accessor });
    let state = people
        .h
        .write("sys/control-group/request", &eve, wish)
        .await;
    assert_eq!(state.data()["approved"], true);
    assert_eq!(state.data()["request_path"], "kv/secret");
    assert_eq!(state.data()["request_entity"]["name"], "eve");
    assert_eq!(state.data()["authorizations"][1]["entity_name"], "bob");
    assert!(!state.json.to_string().contains(&eve));
    assert_eq!(people.unwrap(&wrapping).await, (200, json!("hidden")));
    assert_eq!(people.unwrap(&wrapping).await.0, 400, "once");
    assert_eq!(
        people.authorize("bob", &accessor).await.0,
        400,
        "it is gone"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_controlled_is_done_at_once() {
    let people = People::new(POLICY).await;
    let eve = people.token("eve").await;
    let wish = json!({ "is": "new" });
    assert_eq!(
        people.h.write("kv/secret", &eve, wish).await.status,
        204,
        "only reading is"
    );
    assert_eq!(people.h.read("kv/other", &eve).await.status, 404);
    assert_eq!(
        people.h.read("kv/secret", &people.h.root).await.status,
        200,
        "root is asked by nobody"
    );
    let slash = people.h.read("kv/secret/", &eve).await;
    assert!(
        slash.data().is_null(),
        "a slash is no way around: {slash:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn it_must_be_known_who_asks() {
    let people = People::new(POLICY).await;
    let nobody = people
        .h
        .create(&people.h.root, json!({ "policies": ["p"] }))
        .await
        .token();
    assert_eq!(people.h.read("kv/secret", &nobody).await.status, 403);
    let eve = people.token("eve").await;
    let (_, accessor) = people.ask(&eve).await;
    let wish = json!({ "accessor": accessor });
    let root = people
        .h
        .write("sys/control-group/authorize", &people.h.root, wish.clone())
        .await;
    assert_eq!(root.status, 400);
    // A child of the asker's token is the asker.
    let child = people
        .h
        .create(&people.h.root, json!({ "policies": ["p"] }))
        .await
        .token();
    assert_eq!(
        people
            .h
            .write("sys/control-group/authorize", &child, wish)
            .await
            .status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn it_is_decided_anew_when_it_is_done() {
    let people = People::new(POLICY).await;
    let eve = people.token("eve").await;
    let (one, accessor) = people.ask(&eve).await;
    people.authorize("ann", &accessor).await;
    people.authorize("bob", &accessor).await;
    // Whoever may no more does not count any more.
    let disabled = json!({ "disabled": true });
    people
        .h
        .write("identity/entity/name/bob", &people.h.root, disabled)
        .await;
    assert_eq!(people.unwrap(&one).await.0, 400);
    let enabled = json!({ "disabled": false });
    people
        .h
        .write("identity/entity/name/bob", &people.h.root, enabled)
        .await;
    // Policy wants more now than when it was asked.
    people
        .h
        .policy("p", &POLICY.replace("approvals = 2", "approvals = 3"))
        .await;
    let (status, is) = people.unwrap(&one).await;
    assert_eq!((status, is), (403, Value::Null));
    // The token that asked may no more.
    people.h.policy("p", POLICY).await;
    let (two, accessor) = people.ask(&eve).await;
    people.authorize("ann", &accessor).await;
    people.authorize("bob", &accessor).await;
    people
        .h
        .write("auth/token/revoke", &people.h.root, json!({ "token": eve }))
        .await;
    assert_eq!(people.unwrap(&two).await, (403, Value::Null));
}

#[tokio::test(start_paused = true)]
async fn it_waits_as_long_as_policy_says_and_a_yes_holds_as_long() {
    let short = POLICY.replace("approvals = 2", "approvals = 1 ttl = \"10m\"");
    let people = People::new(&short).await;
    let eve = people.token("eve").await;
    let (wrapping, accessor) = people.ask(&eve).await;
    assert_eq!(people.authorize("ann", &accessor).await, (200, json!(true)));
    people.h.clock.advance(Duration::from_secs(601));
    assert_eq!(people.unwrap(&wrapping).await.0, 400, "the yes is over");
    assert_eq!(
        people.authorize("ann", &accessor).await,
        (200, json!(true)),
        "and can be said again"
    );
    people.h.clock.advance(Duration::from_secs(3000));
    assert_eq!(people.unwrap(&wrapping).await.0, 400, "an hour is over");
    assert_eq!(people.authorize("bob", &accessor).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_policy_can_let_the_asker_count() {
    let own = POLICY.replace("approvals = 2", "approvals = 1 self_authorization = true");
    let people = People::new(&own).await;
    let eve = people.token("eve").await;
    let (wrapping, accessor) = people.ask(&eve).await;
    assert_eq!(people.authorize("eve", &accessor).await, (200, json!(true)));
    assert_eq!(people.unwrap(&wrapping).await, (200, json!("hidden")));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_asks_nobody_does_not_soften_one_that_does() {
    let people = People::new(POLICY).await;
    people
        .h
        .policy("free", r#"path "kv/secret" { capabilities = ["read"] }"#)
        .await;
    let wish = json!({ "name": "eve", "policies": ["p", "free"] });
    let both = people
        .h
        .write("auth/passport/login", "", wish)
        .await
        .token();
    people.ask(&both).await;
}

#[tokio::test(start_paused = true)]
async fn a_workflow_is_no_way_around() {
    let people = People::new(&format!(
        "{POLICY} path \"sys/workflows/execute/w\" {{ capabilities = [\"update\"] }}"
    ))
    .await;
    let text = r#"flow "f" { request "r" { operation = "read" path = "kv/secret" } } output { data = { is = { eval_source = "response" eval_type = "any" flow_name = "f" response_name = "r" field_selector = ["data"] } } }"#;
    let wish = json!({ "workflow": text });
    people
        .h
        .write("sys/workflows/manage/w", &people.h.root, wish)
        .await;
    let eve = people.token("eve").await;
    let run = people
        .h
        .write("sys/workflows/execute/w", &eve, json!({}))
        .await;
    assert_eq!(run.data(), &json!({ "is": null }), "{run:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_controls_nothing_is_refused() {
    let people = People::new(POLICY).await;
    for (inner, what) in [
        ("", "0 factors"),
        (
            r#"factor "f" { identity { group_names = ["g"] approvals = 1 } }"#,
            "controlled_capabilities",
        ),
        (
            r#"factor "f" { controlled_capabilities = ["read"] }"#,
            "identity",
        ),
        (
            r#"factor "f" { controlled_capabilities = ["read"] identity { approvals = 1 } }"#,
            "group_names",
        ),
        (
            r#"factor "f" { controlled_capabilities = ["read"] identity { group_names = ["g"] } }"#,
            "approvals",
        ),
        (
            r#"factor "f" { controlled_capabilities = ["brew"] identity { group_names = ["g"] approvals = 1 } }"#,
            "brew",
        ),
        (
            r#"max_ttl = "1h" factor "f" { controlled_capabilities = ["read"] identity { group_names = ["g"] approvals = 1 } }"#,
            "max_ttl",
        ),
        (
            r#"factor "f" { controlled_capabilities = ["read"] identity { group_names = ["g"] approvals = 1 group_ids = [] } }"#,
            "group_ids",
        ),
    ] {
        let text =
            format!("path \"a\" {{ capabilities = [\"read\"] control_group = {{ {inner} }} }}");
        let wish = json!({ "policy": text });
        let refused = people
            .h
            .write("sys/policies/acl/x", &people.h.root, wish)
            .await;
        assert_eq!(refused.status, 400, "{inner}");
        assert!(refused.error().contains(what), "{inner}: {refused:?}");
    }
}
