//! Groups, their members and their aliases, as the reference answers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use harness::{Answer, Harness};
use serde_json::{Value, json};

async fn make(h: &Harness, path: &str, wish: Value) -> String {
    let made = h.write(path, &h.root, wish).await;
    assert_eq!(made.status, 200, "{made:?}");
    made.data()["id"].as_str().unwrap().to_owned()
}

async fn group(h: &Harness, wish: Value) -> String {
    make(h, "identity/group", wish).await
}

async fn by_id(h: &Harness, id: &str) -> Answer {
    h.read(&format!("identity/group/id/{id}"), &h.root).await
}

async fn change(h: &Harness, id: &str, wish: Value) -> Answer {
    h.write(&format!("identity/group/id/{id}"), &h.root, wish)
        .await
}

#[tokio::test(start_paused = true)]
async fn a_group_is_made_read_changed_and_deleted() {
    let h = Harness::new().await;
    let bob = make(&h, "identity/entity", json!({ "name": "bob" })).await;
    let wish = json!({ "name": "Ops", "policies": ["P", "q"], "metadata": { "m": "1" }, "member_entity_ids": [bob, bob] });
    let made = h.write("identity/group", &h.root, wish).await;
    let id = made.data()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.data(), &json!({ "id": id, "name": "Ops" }));
    let shown = by_id(&h, &id).await;
    let time = shown.data()["creation_time"].clone();
    assert_eq!(
        shown.data(),
        &json!({
            "alias": {}, "creation_time": time, "id": id, "last_update_time": time, "member_entity_ids": [bob],
            "member_group_ids": null, "metadata": { "m": "1" }, "modify_index": 1, "name": "Ops",
            "namespace_id": "root", "parent_group_ids": null, "policies": ["p", "q"], "type": "internal",
        })
    );
    assert_eq!(
        h.write(
            "identity/group/name/ops",
            &h.root,
            json!({ "policies": "z" })
        )
        .await
        .status,
        204
    );
    let shown = h.read("identity/group/name/OPS", &h.root).await;
    assert_eq!(shown.data()["policies"], json!(["z"]));
    assert_eq!(shown.data()["modify_index"], 2);
    assert_eq!(shown.data()["member_entity_ids"], json!([bob]));

    assert_eq!(
        change(&h, &id, json!({ "member_entity_ids": [] }))
            .await
            .status,
        204
    );
    assert_eq!(
        by_id(&h, &id).await.data()["member_entity_ids"],
        Value::Null
    );
    change(&h, &id, json!({ "member_entity_ids": bob })).await;
    let listed = h.list("identity/group/id", &h.root).await;
    let info = json!({ "name": "ops", "num_member_entities": 1, "num_parent_groups": 0 });
    assert_eq!(listed.data()["key_info"][&id], info);
    assert_eq!(h.list("identity/group/name", &h.root).await.keys(), ["ops"]);

    let path = format!("identity/group/id/{id}");
    for _ in 0..2 {
        assert_eq!(h.delete(&path, &h.root).await.status, 204);
    }
    assert_eq!(by_id(&h, &id).await.status, 404);
    let entity = h.read("identity/entity/name/bob", &h.root).await;
    assert_eq!(entity.data()["group_ids"], json!([]));
    assert_eq!(
        group(&h, json!({ "name": "ops" })).await.len(),
        36,
        "the name is free again"
    );
}

#[tokio::test(start_paused = true)]
async fn what_no_group_can_be() {
    let h = Harness::new().await;
    let bob = make(&h, "identity/entity", json!({ "name": "bob" })).await;
    let inside = group(&h, json!({ "name": "inside" })).await;
    let outside = group(&h, json!({ "name": "outside", "type": "external" })).await;
    for (path, wish, word) in [
        (
            "identity/group",
            json!({ "name": "x", "policies": ["ROOT"] }),
            "root",
        ),
        (
            "identity/group",
            json!({ "name": "x", "type": "nosuch" }),
            "invalid group type",
        ),
        (
            "identity/group",
            json!({ "name": "x", "member_entity_ids": ["nosuch"] }),
            "invalid entity ID",
        ),
        (
            "identity/group",
            json!({ "name": "x", "member_group_ids": ["nosuch"] }),
            "invalid member group ID",
        ),
        (
            "identity/group",
            json!({ "id": "nosuch" }),
            "invalid group ID",
        ),
        (
            "identity/group",
            json!({ "name": "x", "type": "external", "member_entity_ids": [bob] }),
            "manually",
        ),
        (
            "identity/group",
            json!({ "name": "x", "type": "external", "member_group_ids": [inside] }),
            "external",
        ),
        (
            "identity/group",
            json!({ "name": "outside", "type": "internal" }),
            "cannot be changed",
        ),
        (
            &format!("identity/group/id/{inside}"),
            json!({ "name": "OUTSIDE" }),
            "in use",
        ),
        (
            &format!("identity/group/id/{outside}"),
            json!({ "member_entity_ids": [bob] }),
            "manually",
        ),
    ] {
        let refused = h.write(path, &h.root, wish.clone()).await;
        assert_eq!(refused.status, 400, "{path} {wish}: {refused:?}");
        assert!(refused.error().contains(word), "{path} {wish}: {refused:?}");
    }
    assert_eq!(
        h.read("identity/group/name/x", &h.root).await.status,
        404,
        "nothing is left of it"
    );
}

#[tokio::test(start_paused = true)]
async fn groups_in_groups() {
    let h = Harness::new().await;
    let bob = make(&h, "identity/entity", json!({ "name": "bob" })).await;
    let child = group(&h, json!({ "name": "child", "member_entity_ids": [bob] })).await;
    let parent = group(&h, json!({ "name": "parent", "member_group_ids": [child] })).await;
    let top = group(&h, json!({ "name": "top", "member_group_ids": [parent] })).await;
    assert_eq!(
        by_id(&h, &child).await.data()["parent_group_ids"],
        json!([parent])
    );
    assert_eq!(
        by_id(&h, &parent).await.data()["member_group_ids"],
        json!([child])
    );
    let entity = h.read("identity/entity/name/bob", &h.root).await;
    assert_eq!(entity.data()["direct_group_ids"], json!([child]));
    assert_eq!(entity.data()["inherited_group_ids"], json!([parent, top]));
    assert_eq!(entity.data()["group_ids"], json!([child, parent, top]));

    for member in [&top, &parent] {
        let refused = change(&h, &child, json!({ "member_group_ids": [member] })).await;
        assert_eq!(refused.status, 400);
        assert!(refused.error().contains("cyclic"), "{refused:?}");
    }
    let refused = change(&h, &child, json!({ "member_group_ids": [child] })).await;
    assert!(refused.error().contains("same as the ID"), "{refused:?}");

    assert_eq!(
        h.delete(&format!("identity/group/id/{parent}"), &h.root)
            .await
            .status,
        204
    );
    assert_eq!(
        by_id(&h, &child).await.data()["parent_group_ids"],
        Value::Null
    );
    assert_eq!(
        by_id(&h, &top).await.data()["member_group_ids"],
        Value::Null
    );
    let entity = h.read("identity/entity/name/bob", &h.root).await;
    assert_eq!(entity.data()["group_ids"], json!([child]));
    assert_eq!(
        change(&h, &child, json!({ "member_group_ids": [top] }))
            .await
            .status,
        204
    );
}

#[tokio::test(start_paused = true)]
async fn two_changes_at_once_close_no_circle() {
    for seed in 0..20 {
        let h = Harness::restless(seed).await;
        let (a, b) = (
            group(&h, json!({ "name": "a" })).await,
            group(&h, json!({ "name": "b" })).await,
        );
        let (one, other) = tokio::join!(
            change(&h, &a, json!({ "member_group_ids": [b] })),
            change(&h, &b, json!({ "member_group_ids": [a] })),
        );
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 400], "seed {seed}: {one:?} {other:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_alias_of_a_group() {
    let h = Harness::new().await;
    let accessor = h.enable_passport().await;
    let inside = group(&h, json!({ "name": "inside" })).await;
    let one = group(&h, json!({ "name": "one", "type": "external" })).await;
    let two = group(&h, json!({ "name": "two", "type": "external" })).await;
    for (wish, word) in [
        (json!({}), "missing alias name"),
        (json!({ "name": "x" }), "missing mount_accessor"),
        (
            json!({ "name": "x", "mount_accessor": "nosuch" }),
            "invalid mount accessor",
        ),
        (
            json!({ "name": "x", "mount_accessor": accessor, "canonical_id": "nosuch" }),
            "invalid group ID",
        ),
        (
            json!({ "name": "x", "mount_accessor": accessor, "canonical_id": inside }),
            "internal group",
        ),
        (
            json!({ "id": "nosuch", "name": "x", "mount_accessor": accessor }),
            "invalid group alias ID",
        ),
    ] {
        let refused = h.write("identity/group-alias", &h.root, wish).await;
        assert_eq!(refused.status, 400);
        assert!(refused.error().contains(word), "{refused:?}");
    }
    let wish = json!({ "name": "Team", "mount_accessor": accessor, "canonical_id": one });
    let id = make(&h, "identity/group-alias", wish.clone()).await;
    let taken = h.write("identity/group-alias", &h.root, wish).await;
    assert!(taken.error().contains("already in use"), "{taken:?}");
    let path = format!("identity/group-alias/id/{id}");
    let shown = h.read(&path, &h.root).await;
    assert_eq!(shown.data()["canonical_id"], one);
    assert_eq!(shown.data()["custom_metadata"], Value::Null);
    let inside_group = by_id(&h, &one).await;
    assert_eq!(inside_group.data()["alias"]["name"], "Team");
    assert!(inside_group.data()["alias"].get("local").is_none());
    let lookup = json!({ "alias_name": "TEAM", "alias_mount_accessor": accessor });
    assert_eq!(
        h.write("identity/lookup/group", &h.root, lookup)
            .await
            .data()["id"],
        one
    );

    let moved = json!({ "name": "team2", "mount_accessor": accessor, "canonical_id": two });
    assert_eq!(
        h.write(&path, &h.root, moved).await.data(),
        &json!({ "canonical_id": two, "id": id })
    );
    assert_eq!(by_id(&h, &one).await.data()["alias"], json!({}));
    let second = json!({ "name": "team3", "mount_accessor": accessor, "canonical_id": two });
    let second = make(&h, "identity/group-alias", second).await;
    assert_eq!(
        h.read(&path, &h.root).await.status,
        404,
        "a second alias takes the place of the first"
    );
    assert_eq!(
        h.list("identity/group-alias/id", &h.root).await.keys(),
        std::slice::from_ref(&second)
    );

    let brought = json!({ "name": "new", "mount_accessor": accessor });
    let brought = h.write("identity/group-alias", &h.root, brought).await;
    let shown = by_id(&h, brought.data()["canonical_id"].as_str().unwrap()).await;
    assert_eq!(shown.data()["type"], "external");
    let path = format!("identity/group-alias/id/{second}");
    assert_eq!(h.delete(&path, &h.root).await.status, 204);
    assert_eq!(h.read(&path, &h.root).await.status, 404);
    assert_eq!(by_id(&h, &two).await.data()["alias"], json!({}));
}
