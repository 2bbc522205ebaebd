//! Who is behind a token: logins find their entity, entities rule their tokens.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::time::Duration;

use harness::{Answer, Harness};
use serde_json::{Value, json};

async fn server() -> (Harness, String) {
    let h = Harness::new().await;
    let accessor = h.enable_passport().await;
    (h, accessor)
}

async fn login(h: &Harness, wish: Value) -> Answer {
    h.write("auth/passport/login", "", wish).await
}

fn entity_of(login: &Answer) -> String {
    assert_eq!(login.status, 200, "{login:?}");
    login.auth()["entity_id"].as_str().unwrap().to_owned()
}

async fn entity(h: &Harness, id: &str, wish: Value) {
    let done = h
        .write(&format!("identity/entity/id/{id}"), &h.root, wish)
        .await;
    assert_eq!(done.status, 204, "{done:?}");
}

async fn shown(h: &Harness, id: &str) -> Value {
    h.read(&format!("identity/entity/id/{id}"), &h.root)
        .await
        .data()
        .clone()
}

#[tokio::test(start_paused = true)]
async fn a_login_finds_its_entity_in_every_spelling() {
    let (h, accessor) = server().await;
    let first = login(
        &h,
        json!({ "name": "Alice", "metadata": { "team": "red" } }),
    )
    .await;
    let id = entity_of(&first);
    for name in ["Alice", "alice", "ALICE", " alice "] {
        let again = login(&h, json!({ "name": name, "metadata": { "team": "blue" } })).await;
        assert_eq!(entity_of(&again), id, "{name:?}");
    }
    let entity = shown(&h, &id).await;
    assert_eq!(entity["aliases"].as_array().unwrap().len(), 1);
    let alias = &entity["aliases"][0];
    assert_eq!(alias["name"], "Alice");
    assert_eq!(alias["mount_accessor"], accessor);
    assert_eq!(
        alias["metadata"],
        json!({ "team": "blue" }),
        "each login tells it anew"
    );
    assert_eq!(alias["custom_metadata"], Value::Null);
    assert_eq!(h.list("identity/entity/id", &h.root).await.keys(), [id]);

    let nobody = login(&h, json!({})).await;
    assert_eq!(nobody.auth()["entity_id"], "");
    let seen = h.read("auth/token/lookup-self", &nobody.token()).await;
    assert!(seen.data().get("identity_policies").is_none());
}

#[tokio::test(start_paused = true)]
async fn first_logins_at_once_make_one_entity() {
    for seed in 0..10 {
        let h = Harness::restless(seed).await;
        h.enable_passport().await;
        let wish = || json!({ "name": "eve" });
        let (a, b, c) = tokio::join!(login(&h, wish()), login(&h, wish()), login(&h, wish()));
        assert_eq!(entity_of(&a), entity_of(&b), "seed {seed}");
        assert_eq!(entity_of(&b), entity_of(&c), "seed {seed}");
        assert_eq!(h.list("identity/entity/id", &h.root).await.keys().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn policies_of_entity_and_groups_hold_at_the_next_request() {
    let (h, _) = server().await;
    for name in ["of-entity", "of-group", "of-parent"] {
        let text = format!("path \"sys/policies/acl/{name}\" {{ capabilities = [\"read\"] }}");
        h.policy(name, &text).await;
    }
    let made = login(&h, json!({ "name": "alice", "policies": ["own"] })).await;
    let (id, token) = (entity_of(&made), made.token());
    assert_eq!(made.auth()["policies"], json!(["default", "own"]));
    let may = async |name: &str| {
        let path = format!("sys/policies/acl/{name}");
        let asked = h.read(&path, &token).await.status;
        let told = h
            .write("sys/capabilities-self", &token, json!({ "paths": [path] }))
            .await;
        let told = told.data()["capabilities"] == json!(["read"]);
        assert_eq!(asked == 200, told, "what is told is what holds");
        told
    };
    assert!(!may("of-entity").await);
    entity(&h, &id, json!({ "policies": ["of-entity"] })).await;
    assert!(may("of-entity").await);
    entity(&h, &id, json!({ "policies": [] })).await;
    assert!(!may("of-entity").await);

    let wish = json!({ "name": "g", "policies": ["of-group"], "member_entity_ids": [id] });
    let group = h.write("identity/group", &h.root, wish).await.data()["id"].clone();
    assert!(may("of-group").await);
    let wish = json!({ "name": "p", "policies": ["of-parent"], "member_group_ids": [group] });
    h.write("identity/group", &h.root, wish).await;
    assert!(may("of-parent").await);

    let seen = h.read("auth/token/lookup-self", &token).await;
    assert_eq!(seen.data()["policies"], json!(["default", "own"]));
    assert_eq!(
        seen.data()["identity_policies"],
        json!(["of-group", "of-parent"])
    );
    assert_eq!(seen.data()["external_namespace_policies"], json!({}));
    let renewed = h.write("auth/token/renew-self", &token, json!({})).await;
    let again = login(&h, json!({ "name": "alice", "policies": ["own"] })).await;
    for auth in [renewed.auth(), again.auth()] {
        assert_eq!(
            auth["policies"],
            json!(["default", "of-group", "of-parent", "own"])
        );
        assert_eq!(auth["token_policies"], json!(["default", "own"]));
        assert_eq!(auth["identity_policies"], json!(["of-group", "of-parent"]));
        assert_eq!(auth["entity_id"], id);
    }
    h.write(
        "identity/group/name/g",
        &h.root,
        json!({ "member_entity_ids": [] }),
    )
    .await;
    assert!(!may("of-group").await && !may("of-parent").await);
    h.write(
        "identity/group/name/g",
        &h.root,
        json!({ "member_entity_ids": [id] }),
    )
    .await;
    assert!(may("of-parent").await);
    h.delete("identity/group/name/p", &h.root).await;
    assert!(!may("of-parent").await && may("of-group").await);
    h.policy("of-group", "path \"x\" { capabilities = [\"read\"] }")
        .await;
    assert!(!may("of-group").await);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_or_deleted_entity_makes_its_tokens_nothing() {
    let (h, _) = server().await;
    let made = login(&h, json!({ "name": "alice" })).await;
    let (id, token) = (entity_of(&made), made.token());
    let batch = login(&h, json!({ "name": "alice", "batch": true }))
        .await
        .token();
    h.policy(
        "maker",
        "path \"auth/token/create\" { capabilities = [\"update\"] }",
    )
    .await;
    entity(&h, &id, json!({ "policies": ["maker"] })).await;
    let child = h.create(&token, json!({})).await;
    assert_eq!(
        child.auth()["entity_id"],
        id,
        "a child is of its parent's entity"
    );

    entity(&h, &id, json!({ "disabled": true })).await;
    for token in [&token, &batch, &child.token()] {
        assert!(!h.lives(token).await);
        let asked = json!({ "token": token, "paths": ["x"] });
        assert_eq!(
            h.write("sys/capabilities", &h.root, asked).await.status,
            400
        );
    }
    assert_eq!(login(&h, json!({ "name": "alice" })).await.status, 403);
    let renewed = h
        .write("auth/token/renew", &h.root, json!({ "token": token }))
        .await;
    assert_eq!(renewed.status, 403, "{renewed:?}");
    assert_eq!(h.read("sys/internal/ui/mounts", &token).await.status, 403);
    let looked = h
        .write("auth/token/lookup", &h.root, json!({ "token": token }))
        .await;
    assert_eq!(looked.data()["entity_id"], id, "an operator still sees it");

    entity(&h, &id, json!({ "disabled": false })).await;
    assert!(h.lives(&token).await && h.lives(&batch).await);
    h.delete(&format!("identity/entity/id/{id}"), &h.root).await;
    for token in [&token, &batch, &child.token()] {
        assert!(!h.lives(token).await);
    }
    let anew = login(&h, json!({ "name": "alice" })).await;
    assert_ne!(entity_of(&anew), id);
    assert!(
        !h.lives(&token).await,
        "another entity of the name is another entity"
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_merged_entity_are_those_of_the_other() {
    let (h, _) = server().await;
    let made = login(&h, json!({ "name": "alice" })).await;
    let gone = entity_of(&made);
    let remains = h
        .write("identity/entity", &h.root, json!({ "policies": ["p"] }))
        .await;
    let remains = remains.data()["id"].as_str().unwrap().to_owned();
    assert!(h.lives(&made.token()).await);
    let merge = json!({ "from_entity_ids": [gone], "to_entity_id": remains });
    assert_eq!(
        h.write("identity/entity/merge", &h.root, merge)
            .await
            .status,
        204
    );
    let seen = h.read("auth/token/lookup-self", &made.token()).await;
    assert_eq!(seen.data()["entity_id"], remains);
    assert_eq!(seen.data()["identity_policies"], json!(["p"]));
    assert_eq!(
        entity_of(&login(&h, json!({ "name": "alice" })).await),
        remains
    );
    entity(&h, &remains, json!({ "disabled": true })).await;
    assert!(!h.lives(&made.token()).await);
}

#[tokio::test(start_paused = true)]
async fn an_auth_method_says_who_is_in_its_external_groups() {
    let (h, accessor) = server().await;
    let external = async |name: &str, mount: &str| {
        let wish = json!({ "name": name, "type": "external", "policies": [name] });
        let group = h.write("identity/group", &h.root, wish).await.data()["id"].clone();
        let wish = json!({ "name": format!("the-{name}"), "mount_accessor": mount, "canonical_id": group });
        let made = h.write("identity/group-alias", &h.root, wish).await;
        assert_eq!(made.status, 200, "{made:?}");
    };
    let tokens = h.read("sys/auth", &h.root).await.data()["token/"]["accessor"].clone();
    external("ops", &accessor).await;
    external("dev", &accessor).await;
    external("elsewhere", tokens.as_str().unwrap()).await;
    let policies = |login: &Answer| login.auth()["identity_policies"].clone();

    let made = login(
        &h,
        json!({ "name": "a", "groups": ["THE-ops", "the-elsewhere", "unknown"] }),
    )
    .await;
    let id = entity_of(&made);
    assert_eq!(policies(&made), json!(["ops"]));
    let internal = json!({ "name": "in", "policies": ["in"], "member_entity_ids": [id] });
    h.write("identity/group", &h.root, internal).await;
    let again = login(&h, json!({ "name": "a", "groups": ["the-dev"] })).await;
    assert_eq!(
        policies(&again),
        json!(["dev", "in"]),
        "internal groups are not its business"
    );
    let seen = h.read("auth/token/lookup-self", &made.token()).await;
    assert_eq!(
        seen.data()["identity_policies"],
        json!(["dev", "in"]),
        "older tokens, too"
    );
    let listed = h.read("identity/group/name/dev", &h.root).await;
    assert_eq!(listed.data()["member_entity_ids"], json!([id]));
    let none = login(&h, json!({ "name": "a" })).await;
    assert_eq!(policies(&none), json!(["in"]));
    let listed = h.read("identity/group/name/dev", &h.root).await;
    assert_eq!(listed.data()["member_entity_ids"], Value::Null);
}

async fn tell(h: &Harness, name: &str, what: Value) {
    let path = format!("auth/passport/people/{name}");
    let done = h.write(&path, &h.root, what).await;
    assert_eq!(done.status, 204, "{done:?}");
}

async fn renew(h: &Harness, token: &str) -> Answer {
    h.write("auth/token/renew-self", token, json!({})).await
}

async fn external_group(h: &Harness, name: &str, mount: &str) {
    let wish = json!({ "name": name, "type": "external", "policies": [name] });
    let group = h.write("identity/group", &h.root, wish).await.data()["id"].clone();
    let wish = json!({ "name": name, "mount_accessor": mount, "canonical_id": group });
    let made = h.write("identity/group-alias", &h.root, wish).await;
    assert_eq!(made.status, 200, "{made:?}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_asks_the_auth_method_for_groups_and_notes_anew() {
    let (h, accessor) = server().await;
    external_group(&h, "ops", &accessor).await;
    external_group(&h, "dev", &accessor).await;
    let wish = json!({ "name": "a", "groups": ["ops"], "metadata": { "mail": "old" } });
    let made = login(&h, wish).await;
    let (id, token) = (entity_of(&made), made.token());
    let groups = |answer: &Answer| answer.auth()["identity_policies"].clone();

    let same = renew(&h, &token).await;
    assert_eq!(groups(&same), json!(["ops"]), "nothing new was told");
    tell(
        &h,
        "a",
        json!({ "groups": ["dev"], "metadata": { "mail": "new" } }),
    )
    .await;
    let held = h.read("auth/token/lookup-self", &token).await;
    assert_eq!(held.data()["identity_policies"], json!(["ops"]));
    let renewed = renew(&h, &token).await;
    assert_eq!(groups(&renewed), json!(["dev"]), "the answer tells it");
    let held = h.read("auth/token/lookup-self", &token).await;
    assert_eq!(held.data()["identity_policies"], json!(["dev"]));
    let alias = &shown(&h, &id).await["aliases"][0];
    assert_eq!(alias["metadata"], json!({ "mail": "new" }));

    tell(&h, "a", json!({ "groups": [] })).await;
    let by_accessor = json!({ "accessor": made.auth()["accessor"] });
    let renewed = h.write("auth/token/renew-accessor", &h.root, by_accessor);
    assert_eq!(groups(&renewed.await), Value::Null);
    let alias = &shown(&h, &id).await["aliases"][0];
    assert_eq!(
        alias["metadata"],
        json!({ "mail": "new" }),
        "not told, kept"
    );
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_tells_nothing_new_writes_nothing_about_the_entity() {
    let (h, accessor) = server().await;
    external_group(&h, "ops", &accessor).await;
    let made = login(&h, json!({ "name": "a", "groups": ["ops"] })).await;
    let id = entity_of(&made);
    tell(&h, "a", json!({ "groups": ["OPS"], "metadata": {} })).await;
    let before = shown(&h, &id).await;
    h.advance(Duration::from_secs(60)).await;
    assert_eq!(renew(&h, &made.token()).await.status, 200);
    assert_eq!(shown(&h, &id).await, before);
}

#[tokio::test(start_paused = true)]
async fn an_auth_method_bounds_renewals_as_it_is_configured_now() {
    let (h, _) = server().await;
    let made = login(&h, json!({ "name": "a", "ttl": "10m" })).await;
    let token = made.token();
    let lasts = |answer: &Answer| answer.auth()["lease_duration"].clone();
    assert_eq!(lasts(&renew(&h, &token).await), json!(600));
    tell(&h, "a", json!({ "ttl": "20m" })).await;
    assert_eq!(lasts(&renew(&h, &token).await), json!(1200));
    let wish = json!({ "increment": "5m" });
    let wished = h.write("auth/token/renew-self", &token, wish).await;
    assert_eq!(lasts(&wished), json!(300));
    tell(&h, "a", json!({ "ttl": "0" })).await;
    let longest = lasts(&renew(&h, &token).await);
    assert!(longest.as_u64() > Some(1200), "the mount's: {longest}");
    tell(&h, "a", json!({ "period": "7m" })).await;
    assert_eq!(lasts(&renew(&h, &token).await), json!(420));

    h.advance(Duration::from_secs(120)).await;
    tell(&h, "a", json!({ "ttl": "20m", "max_ttl": "3m" })).await;
    assert_eq!(lasts(&renew(&h, &token).await), json!(60));
    tell(&h, "a", json!({ "max_ttl": "1m" })).await;
    assert_eq!(renew(&h, &token).await.status, 400);
    tell(&h, "a", json!({ "gone": true })).await;
    let refused = renew(&h, &token).await;
    assert_eq!(refused.status, 400);
    assert!(refused.error().contains("gone"), "{refused:?}");
    assert!(h.lives(&token).await, "it ends when it would have");
}

#[tokio::test(start_paused = true)]
async fn who_was_merged_is_asked_about_as_who_remains() {
    let (h, accessor) = server().await;
    external_group(&h, "ops", &accessor).await;
    let made = login(&h, json!({ "name": "a" })).await;
    let remains = h.write("identity/entity", &h.root, json!({})).await;
    let remains = remains.data()["id"].as_str().unwrap().to_owned();
    let merge = json!({ "from_entity_ids": [entity_of(&made)], "to_entity_id": remains });
    let merged = h.write("identity/entity/merge", &h.root, merge).await;
    assert_eq!(merged.status, 204);
    tell(&h, "a", json!({ "groups": ["ops"] })).await;
    let renewed = renew(&h, &made.token()).await;
    assert_eq!(renewed.auth()["entity_id"], remains);
    assert_eq!(renewed.auth()["identity_policies"], json!(["ops"]));
    entity(&h, &remains, json!({ "disabled": true })).await;
    tell(&h, "a", json!({ "groups": [] })).await;
    assert_eq!(renew(&h, &made.token()).await.status, 403);
    assert_eq!(
        shown(&h, &remains).await["group_ids"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "who is disabled is not asked about"
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_that_tells_nothing_new_writes_nothing() {
    let (h, _) = server().await;
    let id = entity_of(&login(&h, json!({ "name": "alice", "metadata": { "a": "b" } })).await);
    let before = shown(&h, &id).await;
    h.advance(Duration::from_secs(60)).await;
    login(&h, json!({ "name": "Alice", "metadata": { "a": "b" } })).await;
    assert_eq!(shown(&h, &id).await, before);
    h.advance(Duration::from_secs(60)).await;
    login(&h, json!({ "name": "alice", "metadata": { "a": "c" } })).await;
    let after = shown(&h, &id).await;
    assert_ne!(
        after["aliases"][0]["last_update_time"],
        before["aliases"][0]["last_update_time"]
    );
    assert_eq!(
        after["aliases"][0]["creation_time"],
        before["aliases"][0]["creation_time"]
    );
}

#[tokio::test(start_paused = true)]
async fn token_roles_make_tokens_of_an_alias() {
    let (h, _) = server().await;
    let wish = json!({ "allowed_entity_aliases": ["Web-1", "glob-*"], "allowed_policies": ["p"] });
    h.write("auth/token/roles/r", &h.root, wish).await;
    let make = async |alias: &str| {
        h.write(
            "auth/token/create/r",
            &h.root,
            json!({ "entity_alias": alias }),
        )
        .await
    };
    let made = make("web-1").await;
    let id = entity_of(&made);
    assert_eq!(entity_of(&make("WEB-1").await), id);
    let alias = shown(&h, &id).await["aliases"][0].clone();
    assert_eq!(
        (alias["name"].as_str(), alias["mount_type"].as_str()),
        (Some("web-1"), Some("token"))
    );
    assert_ne!(entity_of(&make("glob-x").await), id);
    for refused in ["nope", "*", "glob", "web-11"] {
        let refused = make(refused).await;
        assert_eq!(
            (refused.status, refused.error().as_str()),
            (400, "invalid 'entity_alias' value")
        );
    }
    entity(&h, &id, json!({ "disabled": true })).await;
    assert_eq!(
        make("web-1").await.error(),
        "entity from given entity alias is disabled"
    );
    assert!(!h.lives(&made.token()).await);
    let alone = h
        .write(
            "auth/token/create",
            &h.root,
            json!({ "entity_alias": "web-1" }),
        )
        .await;
    assert_eq!(alone.status, 400);
}

#[tokio::test(start_paused = true)]
async fn namespaces_have_entities_of_their_own() {
    let (h, _) = server().await;
    let id = entity_of(&login(&h, json!({ "name": "alice" })).await);
    assert_eq!(
        h.write("sys/namespaces/team", &h.root, json!({}))
            .await
            .status,
        200
    );
    let wish = json!({ "type": "passport" });
    assert_eq!(
        h.write("team/sys/auth/passport", &h.root, wish)
            .await
            .status,
        204
    );
    let inside = h
        .write("team/auth/passport/login", "", json!({ "name": "alice" }))
        .await;
    let other = entity_of(&inside);
    assert_ne!(other, id);
    let path = format!("identity/entity/id/{other}");
    assert_eq!(h.read(&path, &h.root).await.status, 404);
    let seen = h.read(&format!("team/{path}"), &h.root).await;
    assert_eq!(seen.data()["id"], other);
    assert_ne!(seen.data()["namespace_id"], "root");
    h.write(
        &format!("team/{path}"),
        &h.root,
        json!({ "disabled": true }),
    )
    .await;
    let own = h.read("team/auth/token/lookup-self", &inside.token()).await;
    assert_eq!(own.status, 403, "{own:?}");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_known_by_heart_still_obeys_every_change() {
    let (h, accessor) = server().await;
    let wish = json!({ "name": "alice", "groups": "crew", "metadata": { "team": "red" } });
    // The first one makes her, the second one is seen to tell nothing new, the third one is not looked up.
    let by_heart = async || {
        login(&h, wish.clone()).await;
        login(&h, wish.clone()).await;
        login(&h, wish.clone()).await
    };
    let id = entity_of(&by_heart().await);

    let external = json!({ "name": "crew", "type": "external", "policies": ["crew"] });
    let group = h.write("identity/group", &h.root, external).await;
    let group = group.data()["id"].clone();
    let alias = json!({ "name": "crew", "mount_accessor": accessor, "canonical_id": group });
    let alias = h.write("identity/group-alias", &h.root, alias).await;
    assert_eq!(alias.status, 200, "{alias:?}");
    let joined = login(&h, wish.clone()).await;
    assert_eq!(
        joined.auth()["identity_policies"],
        json!(["crew"]),
        "a group that is there now"
    );
    by_heart().await;
    let without = json!({ "name": "alice", "metadata": { "team": "red" } });
    let left = login(&h, without).await;
    assert_eq!(left.auth().get("identity_policies"), None, "in no group");
    let again = login(&h, wish.clone()).await;
    assert_eq!(
        again.auth()["identity_policies"],
        json!(["crew"]),
        "and in it again"
    );

    by_heart().await;
    let other = json!({ "name": "alice", "groups": "crew", "metadata": { "team": "blue" } });
    login(&h, other).await;
    login(&h, wish.clone()).await;
    assert_eq!(
        shown(&h, &id).await["aliases"][0]["metadata"]["team"],
        "red"
    );

    by_heart().await;
    entity(&h, &id, json!({ "disabled": true })).await;
    assert_eq!(login(&h, wish.clone()).await.status, 403);
    entity(&h, &id, json!({ "disabled": false })).await;
    assert_eq!(entity_of(&by_heart().await), id);
    h.delete(&format!("identity/entity/id/{id}"), &h.root).await;
    assert_ne!(
        entity_of(&by_heart().await),
        id,
        "a deleted one does not come back"
    );
}
