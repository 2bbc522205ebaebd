//! Namespaces: what each has of its own, and that nobody reaches up or sideways.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Class, Kind};
use coffer_kernel::{Request, Settings};
use coffer_storage::Memory;
use coffer_wire::{ApiPath, Verb};
use harness::Harness;
use harness::shelves::{Cubbyhole, Shelf};
use harness::tickets::Tickets;
use serde_json::json;

/// A server with `team/`, `team/app/` and `other/`, each with a KV store at `kv/` that holds its own name.
async fn server() -> Harness {
    let kinds = vec![
        Kind::new::<Shelf>(Class::Secret),
        Kind::new::<Cubbyhole>(Class::Secret),
        Kind::new::<Tickets>(Class::Secret),
    ];
    let h = Harness::with(Settings::new(kinds), Arc::new(Memory::new())).await;
    for (ns, name) in [("", "team"), ("team", "app"), ("", "other")] {
        let path = format!("sys/namespaces/{name}");
        let made = h.in_ns(ns, Verb::Write, &path, &h.root, json!({}));
        assert_eq!(made.await.status, 200);
    }
    for ns in ["team", "team/app", "other"] {
        let mounted = h.in_ns(
            ns,
            Verb::Write,
            "sys/mounts/kv",
            &h.root,
            json!({ "type": "kv" }),
        );
        assert_eq!(mounted.await.status, 204, "{ns}");
        let put = h.in_ns(ns, Verb::Write, "kv/name", &h.root, json!({ "is": ns }));
        assert_eq!(put.await.status, 204, "{ns}");
    }
    h
}

/// A token of a namespace with a policy that allows everything there.
async fn admin(h: &Harness, ns: &str) -> String {
    let all =
        r#"path "*" { capabilities = ["create","read","update","delete","list","sudo","patch"] }"#;
    let put = h.in_ns(
        ns,
        Verb::Write,
        "sys/policies/acl/admin",
        &h.root,
        json!({ "policy": all }),
    );
    assert_eq!(put.await.status, 204);
    let made = h.in_ns(
        ns,
        Verb::Write,
        "auth/token/create",
        &h.root,
        json!({ "policies": ["admin"] }),
    );
    made.await.json["auth"]["client_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn header_and_path_lead_to_the_same_place() {
    let h = server().await;
    for (ns, path, is) in [
        ("team", "kv/name", "team"),
        ("", "team/kv/name", "team"),
        ("/team/", "kv/name", "team"),
        ("team/app", "kv/name", "team/app"),
        ("team", "app/kv/name", "team/app"),
        ("", "team/app/kv/name", "team/app"),
        ("other", "kv/name", "other"),
    ] {
        let read = h.in_ns(ns, Verb::Read, path, &h.root, json!({})).await;
        assert_eq!(
            (read.status, &read.data()["is"]),
            (200, &json!(is)),
            "{ns} {path}"
        );
    }
    for (ns, path) in [
        ("", "kv/name"),
        ("nope", "kv/name"),
        ("team/nope", "kv/name"),
        ("app", "kv/name"),
    ] {
        let read = h.in_ns(ns, Verb::Read, path, &h.root, json!({})).await;
        assert_eq!(read.status, 404, "{ns} {path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_admin_reaches_down_and_never_up_or_sideways() {
    let h = server().await;
    let admin = admin(&h, "team").await;
    for (ns, path) in [
        ("team", "kv/name"),
        ("", "team/kv/name"),
        ("team/app", "kv/name"),
        ("team", "app/kv/name"),
    ] {
        let read = h.in_ns(ns, Verb::Read, path, &admin, json!({})).await;
        assert_eq!(read.status, 200, "{ns} {path}");
    }
    for (ns, path) in [
        ("", "sys/mounts"),
        ("root", "sys/mounts"),
        ("/", "sys/mounts"),
        ("other", "kv/name"),
        ("", "other/kv/name"),
        ("", "auth/token/accessors/"),
        ("team/..", "sys/mounts"),
        ("team/../other", "kv/name"),
        ("Team", "kv/name"),
        ("", "sys/namespaces/other"),
    ] {
        let read = h.in_ns(ns, Verb::Read, path, &admin, json!({})).await;
        assert_eq!(read.status, 403, "{ns} {path}: {:?}", read.json);
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_namespace_has_is_unknown_in_the_others() {
    let h = server().await;
    let (team, other) = (admin(&h, "team").await, admin(&h, "other").await);
    let accessor = h
        .in_ns(
            "other",
            Verb::Read,
            "auth/token/lookup-self",
            &other,
            json!({}),
        )
        .await;
    let accessor = accessor.data()["accessor"].as_str().unwrap().to_owned();
    for (path, body) in [
        ("auth/token/lookup", json!({ "token": other })),
        ("auth/token/lookup", json!({ "token": h.root })),
        ("auth/token/renew", json!({ "token": other })),
        (
            "auth/token/lookup-accessor",
            json!({ "accessor": accessor }),
        ),
        ("auth/token/renew-accessor", json!({ "accessor": accessor })),
    ] {
        let asked = h.in_ns("team", Verb::Write, path, &team, body).await;
        assert!(matches!(asked.status, 400 | 403), "{path} {}", asked.status);
    }
    for (path, body) in [
        ("auth/token/revoke", json!({ "token": other })),
        (
            "auth/token/revoke-accessor",
            json!({ "accessor": accessor }),
        ),
    ] {
        h.in_ns("team", Verb::Write, path, &team, body).await;
        let lives = h
            .in_ns("other", Verb::Read, "kv/name", &other, json!({}))
            .await;
        assert_eq!(lives.status, 200, "{path}");
    }
    let listed = h
        .in_ns(
            "team",
            Verb::List,
            "auth/token/accessors/",
            &team,
            json!({}),
        )
        .await;
    let listed = listed.data()["keys"].as_array().unwrap().clone();
    assert!(
        listed.iter().all(|key| key != &json!(accessor)),
        "{listed:?}"
    );
    let policies = h
        .in_ns("team/app", Verb::List, "sys/policies/acl", &team, json!({}))
        .await;
    assert_eq!(policies.data()["keys"], json!(["default"]));
}

#[tokio::test(start_paused = true)]
async fn a_token_asks_about_itself_from_anywhere() {
    let h = server().await;
    let token = admin(&h, "team").await;
    assert!(
        token.contains('.') && token.rsplit('.').next().unwrap().len() == 6,
        "its namespace ends it"
    );
    for ns in ["", "team", "team/app", "other"] {
        let shown = h
            .in_ns(ns, Verb::Read, "auth/token/lookup-self", &token, json!({}))
            .await;
        assert_eq!(shown.data()["namespace_path"], json!("team/"), "{ns}");
    }
    let ended = h
        .in_ns(
            "other",
            Verb::Write,
            "auth/token/revoke-self",
            &token,
            json!({}),
        )
        .await;
    assert_eq!(ended.status, 204);
    let gone = h
        .in_ns("team", Verb::Read, "kv/name", &token, json!({}))
        .await;
    assert_eq!(gone.status, 403);
}

#[tokio::test(start_paused = true)]
async fn policies_of_the_parent_name_the_child_in_their_paths() {
    let h = server().await;
    let policy = r#"path "team/kv/*" { capabilities = ["read"] } path "+/app/kv/name" { capabilities = ["read"] }"#;
    h.request(
        Verb::Write,
        "sys/policies/acl/reach",
        &h.root,
        json!({ "policy": policy }),
    )
    .await;
    let made = h
        .request(
            Verb::Write,
            "auth/token/create",
            &h.root,
            json!({ "policies": ["reach"] }),
        )
        .await;
    let token = made.json["auth"]["client_token"]
        .as_str()
        .unwrap()
        .to_owned();
    for (ns, path, status) in [
        ("team", "kv/name", 200),
        ("", "team/kv/name", 200),
        ("team/app", "kv/name", 200),
        ("other", "kv/name", 403),
        ("", "kv/name", 403),
    ] {
        let read = h.in_ns(ns, Verb::Read, path, &token, json!({})).await;
        assert_eq!(read.status, status, "{ns} {path}");
    }
    let asked = json!({ "token": token, "paths": ["kv/name", "kv/other", "sys/mounts"] });
    let told = h
        .in_ns("team", Verb::Write, "sys/capabilities", &h.root, asked)
        .await;
    assert_eq!(told.data()["kv/name"], json!(["read"]));
    assert_eq!(told.data()["kv/other"], json!(["read"]));
    assert_eq!(told.data()["sys/mounts"], json!(["deny"]));
    let told = h
        .in_ns(
            "team",
            Verb::Write,
            "sys/capabilities-self",
            &token,
            json!({ "path": "kv/name" }),
        )
        .await;
    assert_eq!(told.status, 403, "the default policy is that of the root");
}

#[tokio::test(start_paused = true)]
async fn policies_of_a_name_are_not_those_of_the_parent() {
    let h = server().await;
    let narrow = r#"path "team/auth/token/create" { capabilities = ["update"] }"#;
    h.request(
        Verb::Write,
        "sys/policies/acl/admin",
        &h.root,
        json!({ "policy": narrow }),
    )
    .await;
    admin(&h, "team").await; // In `team/`, `admin` is a policy that may do all.
    let made = h
        .request(
            Verb::Write,
            "auth/token/create",
            &h.root,
            json!({ "policies": ["admin"] }),
        )
        .await;
    let token = made.json["auth"]["client_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let wish = json!({ "policies": ["admin"] });
    let refused = h
        .in_ns("team", Verb::Write, "auth/token/create", &token, wish)
        .await;
    assert_eq!(refused.status, 400, "{:?}", refused.json);
    let plain = h
        .in_ns("team", Verb::Write, "auth/token/create", &token, json!({}))
        .await;
    assert_eq!(plain.json["auth"]["policies"], json!(["default"]));
    let root = h
        .in_ns(
            "team",
            Verb::Write,
            "auth/token/create",
            &h.root,
            json!({ "policies": ["root"] }),
        )
        .await;
    assert_eq!(root.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_token_has_a_cubbyhole_in_each_namespace_it_visits() {
    let h = server().await;
    for (ns, text) in [("", "root"), ("team", "team"), ("other", "other")] {
        let put = h
            .in_ns(
                ns,
                Verb::Write,
                "cubbyhole/x",
                &h.root,
                json!({ "is": text }),
            )
            .await;
        assert_eq!(put.status, 204, "{ns}");
    }
    for (ns, text) in [("", "root"), ("team", "team"), ("other", "other")] {
        let read = h
            .in_ns(ns, Verb::Read, "cubbyhole/x", &h.root, json!({}))
            .await;
        assert_eq!(read.data()["is"], json!(text));
    }
}

#[tokio::test(start_paused = true)]
async fn wrapped_answers_are_unwrapped_from_anywhere_once() {
    let h = server().await;
    for (wrapped_in, unwrapped_in) in [
        ("team", ""),
        ("", "team"),
        ("team", "other"),
        ("team/app", "team"),
    ] {
        let wrapped = h
            .request_with(
                Verb::Read,
                "auth/token/lookup-self",
                &h.root,
                json!({}),
                |request: &mut Request| {
                    request.path = ApiPath::parse("sys/wrapping/wrap").unwrap();
                    request.verb = Verb::Write;
                    request.namespace = wrapped_in.to_owned();
                    request.wrap_ttl = Some(Duration::from_secs(60));
                    request.body.insert("is".into(), json!(wrapped_in));
                },
            )
            .await;
        let token = wrapped.json["wrap_info"]["token"]
            .as_str()
            .unwrap()
            .to_owned();
        let first = h
            .in_ns(
                unwrapped_in,
                Verb::Write,
                "sys/wrapping/unwrap",
                &token,
                json!({}),
            )
            .await;
        assert_eq!(
            first.data()["is"],
            json!(wrapped_in),
            "{wrapped_in} {unwrapped_in}"
        );
        let again = h
            .in_ns(
                unwrapped_in,
                Verb::Write,
                "sys/wrapping/unwrap",
                &token,
                json!({}),
            )
            .await;
        assert!(matches!(again.status, 400 | 403), "{}", again.status);
    }
}

#[tokio::test(start_paused = true)]
async fn names_are_checked_and_mounts_and_namespaces_do_not_hide_each_other() {
    let h = server().await;
    let make = |ns: &'static str, name: &'static str| {
        let path = format!("sys/namespaces/{name}");
        let h = &h;
        async move {
            h.in_ns(ns, Verb::Write, &path, &h.root, json!({}))
                .await
                .status
        }
    };
    for name in [
        "sys",
        "SYS",
        "auth",
        "root",
        "cubbyhole",
        "identity",
        "audit",
        "a b",
        "a*",
        "a+",
        "a/b",
    ] {
        assert_eq!(make("", name).await, 400, "{name}");
    }
    assert_eq!(make("team", "kv").await, 400, "a mount is there");
    let deep = h
        .request(
            Verb::Write,
            "sys/mounts/deep/down",
            &h.root,
            json!({ "type": "kv" }),
        )
        .await;
    assert_eq!(deep.status, 204);
    assert_eq!(make("", "deep").await, 400, "a mount is below it");
    for path in [
        "sys/mounts/team",
        "sys/mounts/team/kv2",
        "sys/mounts/team/app/x",
    ] {
        // The second and third go on in the namespace when they are asked as paths, not as mounts.
        let over = h
            .request(Verb::Write, path, &h.root, json!({ "type": "kv" }))
            .await;
        assert_eq!(over.status, 400, "{path}");
    }
    let moved = json!({ "from": "deep/down", "to": "team" });
    assert_eq!(
        h.request(Verb::Write, "sys/remount", &h.root, moved)
            .await
            .status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn notes_are_replaced_by_a_write_and_merged_by_a_patch() {
    let h = server().await;
    let write = json!({ "custom_metadata": { "a": "1", "b": "2" } });
    let made = h
        .request(Verb::Write, "sys/namespaces/noted", &h.root, write)
        .await;
    let first = made.data().clone();
    assert_eq!(first["custom_metadata"], json!({ "a": "1", "b": "2" }));
    let patch = json!({ "custom_metadata": { "a": null, "c": "3" } });
    let patched = h
        .request(Verb::Patch, "sys/namespaces/noted", &h.root, patch)
        .await;
    assert_eq!(
        patched.data()["custom_metadata"],
        json!({ "b": "2", "c": "3" })
    );
    let again = h
        .request(Verb::Write, "sys/namespaces/noted", &h.root, json!({}))
        .await;
    assert_eq!(again.data()["custom_metadata"], json!({}));
    assert_eq!(
        (&again.data()["id"], &again.data()["uuid"]),
        (&first["id"], &first["uuid"])
    );
    let odd = json!({ "custom_metadata": { "a": 1 } });
    assert_eq!(
        h.request(Verb::Write, "sys/namespaces/odd", &h.root, odd)
            .await
            .status,
        400
    );
    assert_eq!(
        h.request(Verb::Patch, "sys/namespaces/none", &h.root, json!({}))
            .await
            .status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn a_lock_closes_a_namespace_and_those_within_it() {
    let h = server().await;
    let team = admin(&h, "team").await;
    let locked = h
        .request(
            Verb::Write,
            "sys/namespaces/api-lock/lock/team",
            &h.root,
            json!({}),
        )
        .await;
    let key = locked.data()["unlock_key"].as_str().unwrap().to_owned();
    for (ns, token) in [("team", &team), ("team", &h.root), ("team/app", &h.root)] {
        let read = h.in_ns(ns, Verb::Read, "kv/name", token, json!({})).await;
        assert_eq!(read.status, 503, "{ns}");
    }
    let other = h
        .in_ns("other", Verb::Read, "kv/name", &h.root, json!({}))
        .await;
    assert_eq!(other.status, 200);
    let shown = h
        .request(Verb::Read, "sys/namespaces/team", &h.root, json!({}))
        .await;
    assert_eq!(shown.data()["locked"], json!(true));
    let wrong = json!({ "unlock_key": "wrong" });
    let refused = h
        .in_ns(
            "team",
            Verb::Write,
            "sys/namespaces/api-lock/unlock",
            &team,
            wrong,
        )
        .await;
    assert_eq!(refused.status, 400);
    let right = json!({ "unlock_key": key });
    let opened = h
        .in_ns(
            "team",
            Verb::Write,
            "sys/namespaces/api-lock/unlock",
            &team,
            right,
        )
        .await;
    assert_eq!(opened.status, 204);
    let read = h
        .in_ns("team/app", Verb::Read, "kv/name", &team, json!({}))
        .await;
    assert_eq!(read.status, 200);
    let root = h
        .request(
            Verb::Write,
            "sys/namespaces/api-lock/lock",
            &h.root,
            json!({}),
        )
        .await;
    assert_eq!(root.status, 400, "the root can not be locked");
}

#[tokio::test(start_paused = true)]
async fn what_is_about_the_server_is_in_the_root_alone() {
    let h = server().await;
    for (verb, path) in [
        (Verb::Read, "sys/audit"),
        (Verb::Write, "sys/seal"),
        (Verb::Write, "sys/rotate"),
        (Verb::Read, "sys/rekey/init"),
        (Verb::Read, "sys/generate-root/attempt"),
        (Verb::Read, "sys/config/auditing/request-headers"),
    ] {
        let asked = h.in_ns("team", verb, path, &h.root, json!({})).await;
        assert_eq!(asked.status, 400, "{path}");
        let stranger = h.in_ns("team", verb, path, "", json!({})).await;
        assert_eq!(stranger.status, 403, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_namespace_takes_its_tokens_and_data_with_it() {
    let h = server().await;
    let team = admin(&h, "other").await;
    let parents = h
        .request(Verb::Delete, "sys/namespaces/team", &h.root, json!({}))
        .await;
    assert_eq!(parents.status, 400, "it has children");
    let gone = h
        .request(Verb::Delete, "sys/namespaces/other", &h.root, json!({}))
        .await;
    assert_eq!(
        (gone.status, &gone.data()["status"]),
        (200, &json!("in-progress"))
    );
    h.pass(10).await;
    assert_eq!(
        h.request(Verb::Read, "sys/namespaces/other", &h.root, json!({}))
            .await
            .status,
        404
    );
    for ns in ["other", "", "team"] {
        let read = h
            .in_ns(ns, Verb::Read, "auth/token/lookup-self", &team, json!({}))
            .await;
        assert_eq!(read.status, 403, "{ns}");
    }
    let left = h
        .open()
        .barrier
        .view("ns/")
        .scan_paths("", None, 1_000)
        .await
        .unwrap();
    let uuids: std::collections::BTreeSet<_> = left
        .iter()
        .filter_map(|path| path.split('/').next())
        .collect();
    assert_eq!(uuids.len(), 2, "only team/ and team/app/ have data");
    let made = h
        .request(Verb::Write, "sys/namespaces/other", &h.root, json!({}))
        .await;
    assert_eq!(made.status, 200);
    let read = h
        .in_ns("other", Verb::Read, "kv/name", &h.root, json!({}))
        .await;
    assert_eq!(read.status, 404, "nothing of the old one is there");
    let twice = h
        .request(Verb::Delete, "sys/namespaces/nope", &h.root, json!({}))
        .await;
    assert_eq!(twice.status, 200);
}

/// Moves a mount and waits for the end; answers the status.
async fn remount(h: &Harness, from: &str, to: &str) -> String {
    let asked = h
        .request(
            Verb::Write,
            "sys/remount",
            &h.root,
            json!({ "from": from, "to": to }),
        )
        .await;
    assert_eq!(asked.status, 200, "{:?}", asked.json);
    let id = asked.data()["migration_id"].as_str().unwrap().to_owned();
    h.pass(5).await;
    let shown = h.read(&format!("sys/remount/status/{id}"), &h.root).await;
    shown.data()["migration_info"]["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_mount_moves_to_another_namespace_with_its_data() {
    let h = server().await;
    for (name, is) in [("a", "1"), ("b", "2")] {
        h.in_ns(
            "team",
            Verb::Write,
            &format!("kv/{name}"),
            &h.root,
            json!({ "is": is }),
        )
        .await;
    }
    assert_eq!(remount(&h, "team/kv", "other/moved").await, "success");
    for (name, is) in [("a", "1"), ("b", "2"), ("name", "team")] {
        let read = h
            .in_ns(
                "other",
                Verb::Read,
                &format!("moved/{name}"),
                &h.root,
                json!({}),
            )
            .await;
        assert_eq!(read.data()["is"], json!(is), "{name}");
    }
    let gone = h
        .in_ns("team", Verb::Read, "kv/a", &h.root, json!({}))
        .await;
    assert_eq!(gone.status, 404);
    let here = h
        .in_ns("other", Verb::Read, "kv/name", &h.root, json!({}))
        .await;
    assert_eq!(here.data()["is"], json!("other"), "its own is untouched");
    assert_eq!(remount(&h, "other/moved", "back").await, "success");
    let home = h.read("back/a", &h.root).await;
    assert_eq!(home.data()["is"], json!("1"));
}

#[tokio::test(start_paused = true)]
async fn a_move_that_fails_leaves_the_mount_where_it_was() {
    let h = server().await;
    let wish = json!({ "type": "tickets" });
    h.in_ns("team", Verb::Write, "sys/mounts/tickets", &h.root, wish)
        .await;
    h.in_ns("team", Verb::Write, "tickets/issue/a", &h.root, json!({}))
        .await;
    h.in_ns(
        "team",
        Verb::Write,
        "tickets/config",
        &h.root,
        json!({ "refuse": true }),
    )
    .await;
    assert_eq!(
        remount(&h, "team/tickets", "other/tickets").await,
        "failure"
    );
    let live = h
        .in_ns("team", Verb::List, "tickets/live", &h.root, json!({}))
        .await;
    assert_eq!(live.keys(), ["a"]);
    for to in ["other/kv", "team/app", "team/sys/x", "auth/x", "sys/x"] {
        let asked = json!({ "from": "team/kv", "to": to });
        let refused = h.request(Verb::Write, "sys/remount", &h.root, asked).await;
        assert_eq!(refused.status, 400, "{to}");
    }
    let team = admin(&h, "team").await;
    let sideways = json!({ "from": "kv", "to": "../other/x" });
    let refused = h
        .in_ns("team", Verb::Write, "sys/remount", &team, sideways)
        .await;
    assert_eq!(refused.status, 400);
}
