//! Entities and their aliases, as the reference answers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use harness::{Answer, Harness};
use serde_json::{Value, json};

async fn server() -> (Harness, String) {
    let h = Harness::new().await;
    let accessor = h.enable_passport().await;
    (h, accessor)
}

async fn entity(h: &Harness, wish: Value) -> String {
    let made = h.write("identity/entity", &h.root, wish).await;
    assert_eq!(made.status, 200, "{made:?}");
    made.data()["id"].as_str().unwrap().to_owned()
}

async fn alias(h: &Harness, wish: Value) -> Answer {
    h.write("identity/entity-alias", &h.root, wish).await
}

async fn by_id(h: &Harness, id: &str) -> Answer {
    h.read(&format!("identity/entity/id/{id}"), &h.root).await
}

async fn merge(h: &Harness, wish: Value) -> Answer {
    h.write("identity/entity/merge", &h.root, wish).await
}

#[tokio::test(start_paused = true)]
async fn an_entity_is_made_read_changed_and_deleted() {
    let (h, _) = server().await;
    let wish = json!({ "name": "Bob", "metadata": { "a": "1" }, "policies": ["P2", "p1", " p2 "] });
    let made = h.write("identity/entity", &h.root, wish).await;
    let id = made.data()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        made.data(),
        &json!({ "aliases": null, "id": id, "name": "Bob" })
    );

    let shown = by_id(&h, &id).await;
    let time = shown.data()["creation_time"].clone();
    assert_eq!(
        shown.data(),
        &json!({
            "aliases": [], "creation_time": time, "direct_group_ids": [], "disabled": false, "group_ids": [],
            "id": id, "inherited_group_ids": [], "last_update_time": time, "merged_entity_ids": null,
            "metadata": { "a": "1" }, "name": "Bob", "namespace_id": "root", "policies": ["p1", "p2"],
        })
    );
    let same = h
        .write(
            "identity/entity",
            &h.root,
            json!({ "name": "bob", "disabled": "true" }),
        )
        .await;
    assert_eq!(
        same.status, 204,
        "names are alike in upper and lower case: {same:?}"
    );
    let shown = h.read("identity/entity/name/BOB", &h.root).await;
    assert_eq!(shown.data()["id"], id);
    assert_eq!(shown.data()["name"], "bob", "the last spelling is shown");
    assert_eq!(shown.data()["disabled"], true);
    assert_eq!(
        shown.data()["metadata"],
        json!({ "a": "1" }),
        "what is not given stays"
    );

    let path = format!("identity/entity/id/{id}");
    let reset = json!({ "name": "Bobby", "metadata": null, "policies": null });
    assert_eq!(h.write(&path, &h.root, reset).await.status, 204);
    let shown = by_id(&h, &id).await;
    assert_eq!(shown.data()["metadata"], Value::Null);
    assert_eq!(shown.data()["policies"], json!([]));
    assert_eq!(
        h.read("identity/entity/name/bob", &h.root).await.status,
        404
    );
    assert_eq!(
        h.read("identity/entity/name/bobby", &h.root).await.status,
        200
    );

    for _ in 0..2 {
        assert_eq!(h.delete(&path, &h.root).await.status, 204);
    }
    assert_eq!(by_id(&h, &id).await.status, 404);
    assert_eq!(
        h.read("identity/entity/name/bobby", &h.root).await.status,
        404
    );
}

/// All that is `root` where names are compared.
const ROOTS: [&str; 8] = [
    "root",
    "Root",
    "ROOT",
    " root",
    "rOOt ",
    "\troot\n",
    "\u{a0}root\u{3000}",
    "\u{2003}ROOT\u{2028}",
];

#[tokio::test(start_paused = true)]
async fn root_is_refused_in_every_spelling() {
    let (h, accessor) = server().await;
    let id = entity(&h, json!({ "name": "ann" })).await;
    let group = json!({ "name": "g", "policies": ["p"] });
    let group = h.write("identity/group", &h.root, group).await;
    let group = group.data()["id"].as_str().unwrap().to_owned();
    let outer = h.write(
        "identity/group",
        &h.root,
        json!({ "name": "out", "type": "external" }),
    );
    let outer = outer.await.data()["id"].as_str().unwrap().to_owned();
    for root in ROOTS {
        let lists = [
            json!([root]),
            json!(["p", root]),
            json!(format!("p,{root},q")),
        ];
        let mut wishes = vec![
            ("identity/entity".to_owned(), json!({ "name": root })),
            ("identity/persona".to_owned(), json!({ "name": root })),
            (format!("identity/entity/id/{id}"), json!({ "name": root })),
            (format!("identity/persona/id/{id}"), json!({ "name": root })),
            (
                "identity/entity/name/ann".to_owned(),
                json!({ "id": id, "policies": [root] }),
            ),
            ("identity/entity/name/root".to_owned(), json!({})),
            ("identity/entity/name/ROOT".to_owned(), json!({ "id": id })),
        ];
        for policies in lists {
            for path in [
                "identity/entity".to_owned(),
                "identity/entity/name/new".to_owned(),
                format!("identity/entity/id/{id}"),
                "identity/group".to_owned(),
                "identity/group/name/new".to_owned(),
                format!("identity/group/id/{group}"),
                format!("identity/group/id/{outer}"),
            ] {
                wishes.push((path, json!({ "policies": policies })));
            }
        }
        for (path, wish) in wishes {
            let refused = h.write(&path, &h.root, wish.clone()).await;
            assert_eq!(refused.status, 400, "{path} {wish} {refused:?}");
            assert!(
                refused.error().contains("root"),
                "{path} {wish} {refused:?}"
            );
        }
        let wish = json!({ "name": "a", "policies": [root] });
        let refused = h.write("auth/passport/login", "", wish).await;
        assert_eq!(refused.status, 400, "{root:?} {refused:?}");
        // Names of groups and aliases give no rights.
        let wish = json!({ "name": root, "mount_accessor": accessor, "canonical_id": id });
        assert_eq!(
            alias(&h, wish).await.status,
            if root.contains(['\n', '\t']) {
                400
            } else {
                200
            }
        );
    }
    let shown = by_id(&h, &id).await;
    assert_eq!(shown.data()["name"], "ann");
    assert_eq!(shown.data()["policies"], json!([]));
    for id in [group, outer] {
        let shown = h.read(&format!("identity/group/id/{id}"), &h.root).await;
        assert!(
            !shown.data()["policies"]
                .to_string()
                .to_lowercase()
                .contains("root")
        );
    }
    let listed = h.list("identity/entity/name", &h.root).await;
    assert_eq!(listed.keys(), ["ann"]);
}

#[tokio::test(start_paused = true)]
async fn what_only_looks_like_root_is_not_root() {
    let (h, _) = server().await;
    // Without a letter of its own, with letters of another script, with marks that nobody sees.
    for near in [
        "r\u{200b}oot",
        "r\u{43e}\u{43e}t",
        "\u{feff}root",
        "ｒｏｏｔ",
        "roo\u{301}t",
    ] {
        let wish = json!({ "name": "a", "policies": [near] });
        let made = h.write("auth/passport/login", "", wish).await;
        assert_eq!(made.status, 200, "{near:?} {made:?}");
        let tried = h.read("sys/mounts", &made.token()).await;
        assert_eq!(tried.status, 403, "{near:?}");
        let id = made.auth()["entity_id"].as_str().unwrap();
        let path = format!("identity/entity/id/{id}");
        let put = h.write(&path, &h.root, json!({ "policies": [near] })).await;
        assert_eq!(put.status, 204, "{near:?} {put:?}");
        let tried = h.read("sys/mounts", &made.token()).await;
        assert_eq!(tried.status, 403, "{near:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn personas_are_aliases_to_who_reads_and_entities_to_who_writes() {
    let (h, accessor) = server().await;
    let wish = json!({ "name": "ann", "metadata": { "a": "b" }, "entity_id": "x", "mount_accessor": accessor });
    let made = h.write("identity/persona", &h.root, wish).await;
    let id = made.data()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.data()["aliases"], Value::Null);
    assert_eq!(by_id(&h, &id).await.data()["metadata"], json!({ "a": "b" }));
    let path = format!("identity/persona/id/{id}");
    let renamed = h.write(&path, &h.root, json!({ "name": "bea" })).await;
    assert_eq!(renamed.status, 204);
    let shown = by_id(&h, &id).await;
    assert_eq!(shown.data()["name"], "bea");
    assert_eq!(
        shown.data()["metadata"],
        json!({ "a": "b" }),
        "not told, kept"
    );
    let unknown = h.write("identity/persona/id/nosuch", &h.root, json!({}));
    assert_eq!(unknown.await.status, 400);

    let made = alias(
        &h,
        json!({ "name": "b", "mount_accessor": accessor, "canonical_id": id }),
    )
    .await;
    let alias = made.data()["id"].as_str().unwrap().to_owned();
    let path = format!("identity/persona/id/{alias}");
    let read = h.read(&path, &h.root).await;
    assert_eq!(read.data()["canonical_id"], id);
    assert_eq!(h.list("identity/persona/id", &h.root).await.keys(), [alias]);
    assert_eq!(
        h.write(&path, &h.root, json!({ "name": "c" })).await.status,
        400
    );
    assert_eq!(h.delete(&path, &h.root).await.status, 204);
    assert_eq!(h.read(&path, &h.root).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn what_no_entity_can_be() {
    let (h, _) = server().await;
    let id = entity(&h, json!({ "name": "taken" })).await;
    let other = entity(&h, json!({})).await;
    for (path, wish, word) in [
        (
            "identity/entity",
            json!({ "name": "x", "policies": ["Root "] }),
            "root",
        ),
        ("identity/entity", json!({ "name": " ROOT" }), "root"),
        ("identity/entity", json!({ "name": "x".repeat(600) }), "512"),
        ("identity/entity", json!({ "name": "a\nb" }), "control"),
        (
            "identity/entity",
            json!({ "name": "x", "metadata": { "": "v" } }),
            "blank",
        ),
        (
            "identity/entity",
            json!({ "id": "nosuch", "name": "x" }),
            "not found",
        ),
        ("identity/entity/id/nosuch", json!({}), "not found"),
        (
            &format!("identity/entity/id/{other}"),
            json!({ "name": "Taken" }),
            "in use",
        ),
        ("identity/entity/batch-delete", json!({}), "missing"),
    ] {
        let refused = h.write(path, &h.root, wish.clone()).await;
        assert_eq!(refused.status, 400, "{path} {wish}: {refused:?}");
        assert!(refused.error().contains(word), "{path} {wish}: {refused:?}");
    }
    assert_eq!(
        h.read("identity/entity/name/x", &h.root).await.status,
        404,
        "nothing is left of it"
    );
    let gone = json!({ "entity_ids": [id, "nosuch", other] });
    assert_eq!(
        h.write("identity/entity/batch-delete", &h.root, gone)
            .await
            .status,
        204
    );
    assert_eq!(h.list("identity/entity/id", &h.root).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn lists_tell_names_and_aliases() {
    let (h, accessor) = server().await;
    let id = entity(&h, json!({ "name": "b/c d" })).await;
    let bare = entity(&h, json!({ "name": "a" })).await;
    let made = alias(
        &h,
        json!({ "name": "bc", "mount_accessor": accessor, "canonical_id": id }),
    )
    .await;
    let listed = h.list("identity/entity/id", &h.root).await;
    let aliases = json!([{
        "id": made.data()["id"], "mount_accessor": accessor, "mount_path": "auth/passport/",
        "mount_type": "passport", "name": "bc",
    }]);
    assert_eq!(
        listed.data()["key_info"][&id],
        json!({ "name": "b/c d", "aliases": aliases })
    );
    assert_eq!(listed.data()["key_info"][&bare], json!({ "name": "a" }));
    assert_eq!(listed.keys().len(), 2);
    assert_eq!(
        h.list("identity/entity/name", &h.root).await.keys(),
        ["a", "b/c d"]
    );
    assert_eq!(
        h.read("identity/entity/name/b/c d", &h.root).await.data()["id"],
        id
    );
    let listed = h.list("identity/entity-alias/id", &h.root).await;
    let info = &listed.data()["key_info"][made.data()["id"].as_str().unwrap()];
    assert_eq!(
        info,
        &json!({
            "canonical_id": id, "custom_metadata": {}, "local": false, "metadata": null, "mount_accessor": accessor,
            "mount_path": "auth/passport/", "mount_type": "passport", "name": "bc",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn an_alias_is_made_moved_and_deleted() {
    let (h, accessor) = server().await;
    let (one, two) = (entity(&h, json!({})).await, entity(&h, json!({})).await);
    let wish = json!({
        "name": "Al", "mount_accessor": accessor, "canonical_id": one, "custom_metadata": { "t": "1" },
    });
    let made = alias(&h, wish).await;
    assert_eq!(made.data()["canonical_id"], one);
    let id = made.data()["id"].as_str().unwrap().to_owned();
    let path = format!("identity/entity-alias/id/{id}");
    let shown = h.read(&path, &h.root).await;
    let time = shown.data()["creation_time"].clone();
    assert_eq!(
        shown.data(),
        &json!({
            "canonical_id": one, "creation_time": time, "custom_metadata": { "t": "1" }, "id": id,
            "last_update_time": time, "local": false, "merged_from_canonical_ids": null, "metadata": null,
            "mount_accessor": accessor, "mount_path": "auth/passport/", "mount_type": "passport", "name": "Al",
            "namespace_id": "root",
        })
    );
    let again = alias(&h, json!({ "name": "AL", "mount_accessor": accessor })).await;
    assert_eq!(again.status, 204, "{again:?}");
    let second = alias(
        &h,
        json!({ "name": "x", "mount_accessor": accessor, "canonical_id": one }),
    )
    .await;
    assert_eq!(
        second.status, 400,
        "one alias for each mount and entity: {second:?}"
    );

    let moved = alias(
        &h,
        json!({ "name": "al", "mount_accessor": accessor, "canonical_id": two }),
    )
    .await;
    assert_eq!(moved.data(), &json!({ "canonical_id": two, "id": id }));
    assert_eq!(by_id(&h, &one).await.data()["aliases"], json!([]));
    assert_eq!(by_id(&h, &two).await.data()["aliases"][0]["id"], id);
    assert_eq!(
        by_id(&h, &two).await.data()["aliases"][0]["custom_metadata"],
        json!({ "t": "1" })
    );

    let renamed = h.write(&path, &h.root, json!({ "name": "Else" })).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    let lookup = json!({ "alias_name": "ELSE", "alias_mount_accessor": accessor });
    assert_eq!(
        h.write("identity/lookup/entity", &h.root, lookup)
            .await
            .data()["id"],
        two
    );
    let lookup = json!({ "alias_name": "al", "alias_mount_accessor": accessor });
    assert_eq!(
        h.write("identity/lookup/entity", &h.root, lookup)
            .await
            .status,
        204
    );
    for (wish, word) in [
        (
            json!({ "mount_accessor": "nosuch" }),
            "invalid mount accessor",
        ),
        (json!({ "canonical_id": "nosuch" }), "not associated"),
    ] {
        let refused = h.write(&path, &h.root, wish).await;
        assert_eq!(refused.status, 400);
        assert!(refused.error().contains(word), "{refused:?}");
    }
    assert_eq!(h.delete(&path, &h.root).await.status, 204);
    assert_eq!(h.read(&path, &h.root).await.status, 404);
    assert_eq!(by_id(&h, &two).await.data()["aliases"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn an_alias_without_an_entity_brings_one() {
    let (h, accessor) = server().await;
    let made = alias(&h, json!({ "name": "solo", "mount_accessor": accessor })).await;
    let owner = by_id(&h, made.data()["canonical_id"].as_str().unwrap()).await;
    let name = owner.data()["name"].as_str().unwrap();
    assert!(name.starts_with("entity_"), "{name}");
    let gone = h
        .delete(&format!("identity/entity/name/{name}"), &h.root)
        .await;
    assert_eq!(gone.status, 204);
    let path = format!(
        "identity/entity-alias/id/{}",
        made.data()["id"].as_str().unwrap()
    );
    assert_eq!(h.read(&path, &h.root).await.status, 404);
    assert_eq!(
        alias(&h, json!({ "name": "solo", "mount_accessor": accessor }))
            .await
            .status,
        200
    );
    for wish in [
        json!({}),
        json!({ "name": "x" }),
        json!({ "mount_accessor": accessor }),
    ] {
        assert_eq!(alias(&h, wish).await.status, 400);
    }
    let refused = alias(
        &h,
        json!({ "name": "x", "mount_accessor": accessor, "canonical_id": "nosuch" }),
    )
    .await;
    assert_eq!(refused.error(), "invalid canonical ID");
}

#[tokio::test(start_paused = true)]
async fn lookups_take_one_way() {
    let (h, accessor) = server().await;
    let id = entity(&h, json!({ "name": "Known" })).await;
    let made = alias(
        &h,
        json!({ "name": "k", "mount_accessor": accessor, "canonical_id": id }),
    )
    .await;
    let alias_id = made.data()["id"].clone();
    for wish in [
        json!({ "id": id }),
        json!({ "name": "KNOWN" }),
        json!({ "alias_id": alias_id }),
        json!({ "alias_name": "K", "alias_mount_accessor": accessor }),
    ] {
        let found = h.write("identity/lookup/entity", &h.root, wish).await;
        assert_eq!(found.data()["id"], id);
    }
    for wish in [
        json!({ "id": "nosuch" }),
        json!({ "name": "nosuch" }),
        json!({ "alias_id": "nosuch" }),
        json!({ "alias_name": "nosuch", "alias_mount_accessor": accessor }),
        json!({ "alias_name": "k", "alias_mount_accessor": "nosuch" }),
    ] {
        assert_eq!(
            h.write("identity/lookup/entity", &h.root, wish)
                .await
                .status,
            204
        );
    }
    for wish in [
        json!({}),
        json!({ "id": id, "name": "known" }),
        json!({ "alias_name": "k" }),
        json!({ "alias_mount_accessor": accessor }),
    ] {
        for path in ["identity/lookup/entity", "identity/lookup/group"] {
            assert_eq!(h.write(path, &h.root, wish.clone()).await.status, 400);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn merged_entities_live_on_in_one() {
    let (h, accessor) = server().await;
    let tokens = h.read("sys/auth", &h.root).await.data()["token/"]["accessor"].clone();
    let one = entity(&h, json!({ "name": "one", "policies": ["p1"] })).await;
    let two = entity(&h, json!({ "name": "two", "policies": ["p2"] })).await;
    let three = entity(&h, json!({ "name": "three" })).await;
    let ones = alias(
        &h,
        json!({ "name": "a1", "mount_accessor": accessor, "canonical_id": one }),
    )
    .await;
    alias(
        &h,
        json!({ "name": "a2", "mount_accessor": tokens, "canonical_id": two }),
    )
    .await;
    let threes = alias(
        &h,
        json!({ "name": "a3", "mount_accessor": accessor, "canonical_id": three }),
    )
    .await;
    let group = json!({ "name": "g", "member_entity_ids": [two, three] });
    let group = h.write("identity/group", &h.root, group).await.data()["id"].clone();
    for (wish, word) in [
        (json!({}), "to merge to"),
        (json!({ "to_entity_id": one }), "to merge from"),
        (
            json!({ "to_entity_id": one, "from_entity_ids": [one] }),
            "should not be",
        ),
        (
            json!({ "to_entity_id": "nosuch", "from_entity_ids": [two] }),
            "merge to is invalid",
        ),
        (
            json!({ "to_entity_id": one, "from_entity_ids": ["nosuch"] }),
            "merge from is invalid",
        ),
    ] {
        let refused = merge(&h, wish).await;
        assert_eq!(refused.status, 400);
        assert!(refused.error().contains(word), "{refused:?}");
    }
    let both = json!({ "to_entity_id": one, "from_entity_ids": [two, three] });
    assert_eq!(merge(&h, both).await.status, 400);
    assert_eq!(
        by_id(&h, &two).await.status,
        200,
        "a refused merge leaves nothing half done"
    );

    let done = merge(&h, json!({ "to_entity_id": one, "from_entity_ids": [two] })).await;
    assert_eq!(done.status, 204, "{done:?}");
    assert_eq!(by_id(&h, &two).await.status, 404);
    let shown = by_id(&h, &one).await;
    assert_eq!(shown.data()["aliases"].as_array().unwrap().len(), 2);
    assert_eq!(
        shown.data()["aliases"][1]["merged_from_canonical_ids"],
        json!([two])
    );
    assert_eq!(shown.data()["merged_entity_ids"], json!([two]));
    assert_eq!(shown.data()["policies"], json!(["p1"]));
    assert_eq!(shown.data()["group_ids"], json!([group]));

    let keep = json!({
        "to_entity_id": one, "from_entity_ids": [three], "conflicting_alias_ids_to_keep": [threes.data()["id"]],
    });
    assert_eq!(merge(&h, keep).await.status, 204);
    let path = format!(
        "identity/entity-alias/id/{}",
        ones.data()["id"].as_str().unwrap()
    );
    assert_eq!(
        h.read(&path, &h.root).await.status,
        404,
        "of two aliases in one mount one stays"
    );
    let shown = h
        .read(
            &format!("identity/group/id/{}", group.as_str().unwrap()),
            &h.root,
        )
        .await;
    assert_eq!(shown.data()["member_entity_ids"], json!([one]));
    assert_eq!(shown.data()["modify_index"], 1);
}

#[tokio::test(start_paused = true)]
async fn aliases_outlive_their_mount() {
    let (h, accessor) = server().await;
    let made = alias(&h, json!({ "name": "a", "mount_accessor": accessor })).await;
    assert_eq!(h.delete("sys/auth/passport", &h.root).await.status, 204);
    let path = format!(
        "identity/entity-alias/id/{}",
        made.data()["id"].as_str().unwrap()
    );
    let shown = h.read(&path, &h.root).await;
    assert_eq!(shown.data()["mount_accessor"], accessor);
    assert!(shown.data().get("mount_path").is_none(), "{shown:?}");
    let refused = alias(&h, json!({ "name": "b", "mount_accessor": accessor })).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_merge_that_clashes_tells_both_sides_and_does_nothing() {
    let (h, accessor) = server().await;
    let one = entity(&h, json!({ "name": "one" })).await;
    let two = entity(&h, json!({ "name": "two" })).await;
    let mut ids = Vec::new();
    for (name, entity) in [("a1", &one), ("a2", &two)] {
        let wish = json!({ "name": name, "mount_accessor": accessor, "canonical_id": entity });
        ids.push(alias(&h, wish).await.data()["id"].clone());
    }
    for force in [false, true] {
        let wish = json!({ "to_entity_id": one, "from_entity_ids": [two], "force": force });
        let refused = merge(&h, wish).await;
        assert_eq!(refused.status, 400);
        let error = refused.data()["errors"][0].as_str().unwrap();
        for word in ["same mount accessor", &accessor, &one, &two] {
            assert!(error.contains(word), "{word} in {error}");
        }
        assert_eq!(
            refused.data()["data"],
            json!([
                { "alias": "a1", "entity": "one", "entity_id": one, "mount": "passport", "mount_path": "auth/passport/" },
                { "alias": "a2", "entity": "two", "entity_id": two, "mount": "passport", "mount_path": "auth/passport/" },
            ])
        );
    }
    assert_eq!(by_id(&h, &two).await.status, 200);
    let keep = json!({ "to_entity_id": one, "from_entity_ids": [two], "conflicting_alias_ids_to_keep": [ids[1]] });
    assert_eq!(merge(&h, keep).await.status, 204);
    let shown = by_id(&h, &one).await;
    let aliases = shown.data()["aliases"].as_array().unwrap();
    assert_eq!(aliases.len(), 1, "the one that is not kept is gone");
    assert_eq!(aliases[0]["id"], ids[1]);
}
