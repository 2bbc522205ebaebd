//! Policies whose paths depend on who asks.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use harness::Harness;
use serde_json::{Value, json};

struct Tina {
    h: Harness,
    token: String,
    id: String,
    accessor: String,
    group: String,
}

async fn tina() -> Tina {
    let h = Harness::new().await;
    let accessor = h.enable_passport().await;
    let wish = json!({ "name": "tina", "metadata": { "am": "amv" } });
    let login = h.write("auth/passport/login", "", wish).await;
    let id = login.auth()["entity_id"].as_str().unwrap().to_owned();
    let wish =
        json!({ "name": "TinaE", "metadata": { "m": "mv", "odd": "a/b" }, "policies": ["t"] });
    h.write(&format!("identity/entity/id/{id}"), &h.root, wish)
        .await;
    let wish =
        json!({ "name": "Team.One", "metadata": { "gm": "gmv" }, "member_entity_ids": [id] });
    let group = h.write("identity/group", &h.root, wish).await.data()["id"].clone();
    let parent = json!({ "name": "parent", "member_group_ids": [group] });
    h.write("identity/group", &h.root, parent).await;
    h.write("identity/group", &h.root, json!({ "name": "other" }))
        .await;
    Tina {
        token: login.token(),
        id,
        accessor,
        group: group.as_str().unwrap().to_owned(),
        h,
    }
}

impl Tina {
    /// Whether a policy with this selector lets her read the path with that value.
    async fn may(&self, selector: &str, value: &str) -> bool {
        let text = format!("path \"kv/{{{{{selector}}}}}/x\" {{ capabilities = [\"read\"] }}");
        self.h.policy("t", &text).await;
        let asked = json!({ "paths": [format!("kv/{value}/x")] });
        let told = self
            .h
            .write("sys/capabilities-self", &self.token, asked)
            .await;
        told.data()["capabilities"] == json!(["read"])
    }

    async fn change(&self, wish: Value) {
        let path = format!("identity/entity/id/{}", self.id);
        assert_eq!(self.h.write(&path, &self.h.root, wish).await.status, 204);
    }
}

#[tokio::test(start_paused = true)]
async fn selectors_have_the_values_of_who_asks() {
    let t = tina().await;
    let alias =
        t.h.read(&format!("identity/entity/id/{}", t.id), &t.h.root)
            .await;
    let alias = alias.data()["aliases"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let noted = json!({ "custom_metadata": { "cm": "cmv" } });
    t.h.write(
        &format!("identity/entity-alias/id/{alias}"),
        &t.h.root,
        noted,
    )
    .await;
    let of_alias = format!("identity.entity.aliases.{}", t.accessor);
    let (by_id, by_name) = (
        format!("identity.groups.ids.{}", t.group),
        "identity.groups.names.Team.One",
    );
    for (selector, value) in [
        ("identity.entity.id", t.id.as_str()),
        (" identity.entity.id ", &t.id),
        ("identity.entity.name", "TinaE"),
        ("identity.entity.metadata.m", "mv"),
        (&format!("{of_alias}.id"), &alias),
        (&format!("{of_alias}.name"), "tina"),
        (&format!("{of_alias}.metadata.am"), "amv"),
        (&format!("{of_alias}.custom_metadata.cm"), "cmv"),
        (&format!("{by_id}.id"), &t.group),
        (&format!("{by_id}.name"), "Team.One"),
        (&format!("{by_id}.metadata.gm"), "gmv"),
        (&format!("{by_name}.id"), &t.group),
        (&format!("{by_name}.name"), "Team.One"),
        (&format!("{by_name}.metadata.gm"), "gmv"),
        ("identity.groups.names.parent.name", "parent"),
    ] {
        assert!(t.may(selector, value).await, "{selector} is not {value}");
        assert!(!t.may(selector, "other").await, "{selector}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_no_value_grants_nothing() {
    let t = tina().await;
    for (selector, value) in [
        ("identity.entity.metadata.no", ""),
        ("identity.entity.nosuch", ""),
        ("identity.entity.aliases.nosuch.name", ""),
        ("identity.groups.names.other.name", "other"),
        ("identity.groups.names.team.one.id", &t.group),
        ("identity.entity.metadata.odd", "a/b"),
        ("identity", ""),
        ("", ""),
    ] {
        assert!(!t.may(selector, value).await, "{selector:?}");
        assert!(
            !t.may(selector, &format!("{{{{{selector}}}}}")).await,
            "{selector:?}"
        );
    }
    for name in ["*", "+", "a*", "+/+"] {
        t.change(json!({ "metadata": { "m": name } })).await;
        for value in [name, "anything", ""] {
            assert!(
                !t.may("identity.entity.metadata.m", value).await,
                "{name} {value}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_value_holds_at_the_next_request() {
    let t = tina().await;
    assert!(t.may("identity.entity.metadata.m", "mv").await);
    let told = async |value: &str| {
        let asked = json!({ "paths": [format!("kv/{value}/x")] });
        let told = t.h.write("sys/capabilities-self", &t.token, asked).await;
        told.data()["capabilities"] == json!(["read"])
    };
    t.change(json!({ "metadata": { "m": "new" } })).await;
    assert!(told("new").await && !told("mv").await);
    assert!(
        t.may("identity.groups.names.Team.One.metadata.gm", "gmv")
            .await
    );
    let path = format!("identity/group/id/{}", t.group);
    t.h.write(&path, &t.h.root, json!({ "metadata": { "gm": "other" } }))
        .await;
    assert!(told("other").await && !told("gmv").await);
    t.h.write(&path, &t.h.root, json!({ "member_entity_ids": [] }))
        .await;
    assert!(!told("other").await);
}

#[tokio::test(start_paused = true)]
async fn everybody_may_read_their_own_entity() {
    let t = tina().await;
    for path in [
        "identity/entity/name/TinaE".to_owned(),
        format!("identity/entity/id/{}", t.id),
    ] {
        assert_eq!(t.h.read(&path, &t.token).await.status, 200, "{path}");
        assert_eq!(
            t.h.write(&path, &t.token, json!({})).await.status,
            403,
            "{path}"
        );
    }
    assert_eq!(
        t.h.read("identity/entity/name/other", &t.token)
            .await
            .status,
        403
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_in_other_letters_is_no_way_around_a_rule() {
    let t = tina().await;
    let text = r#"
        path "identity/entity/name/*"     { capabilities = ["read", "update", "delete"] }
        path "identity/entity/name/admin" { capabilities = ["deny"] }
    "#;
    t.h.policy("t", text).await;
    t.h.write("identity/entity", &t.h.root, json!({ "name": "admin" }))
        .await;
    for name in ["admin", "Admin", "ADMIN", " admin", "admin "] {
        let path = format!("identity/entity/name/{name}");
        assert_eq!(t.h.read(&path, &t.token).await.status, 403, "{name:?}");
        assert_eq!(t.h.delete(&path, &t.token).await.status, 403, "{name:?}");
    }
    assert_eq!(
        t.h.read("identity/entity/name/TINAE", &t.token)
            .await
            .status,
        200
    );
}
