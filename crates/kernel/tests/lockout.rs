//! Names whose password is guessed are locked out for a while.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use coffer_kernel::mounts::UserLockout;
use coffer_storage::Memory;
use harness::{Answer, Harness};
use serde_json::{Value, json};

async fn server() -> (Harness, String) {
    let h = Harness::new().await;
    let accessor = h.enable_passport().await;
    (h, accessor)
}

async fn login(h: &Harness, name: &str, password: &str) -> Answer {
    let wish = json!({ "name": name, "password": password });
    h.write("auth/passport/login", "", wish).await
}

async fn fail(h: &Harness, name: &str, times: usize) {
    for _ in 0..times {
        let refused = login(h, name, "wrong").await;
        assert_eq!(refused.status, 400, "{refused:?}");
    }
}

async fn locked(h: &Harness) -> Value {
    h.read("sys/locked-users", &h.root).await.data().clone()
}

#[tokio::test(start_paused = true)]
async fn five_wrong_passwords_lock_a_name_for_a_quarter_of_an_hour() {
    let (h, _) = server().await;
    fail(&h, "alice", 5).await;
    for name in ["alice", "ALICE", " alice "] {
        for password in ["wrong", "right"] {
            let refused = login(&h, name, password).await;
            assert_eq!(
                (refused.status, refused.error().as_str()),
                (403, "permission denied")
            );
        }
    }
    assert_eq!(
        login(&h, "bob", "right").await.status,
        200,
        "others are not locked out"
    );
    h.advance(Duration::from_secs(899)).await;
    assert_eq!(login(&h, "alice", "right").await.status, 403);
    h.advance(Duration::from_secs(2)).await;
    fail(&h, "alice", 1).await;
    assert_eq!(
        login(&h, "alice", "right").await.status,
        200,
        "the count begins anew"
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_or_time_ends_the_count() {
    let (h, _) = server().await;
    fail(&h, "alice", 4).await;
    assert_eq!(login(&h, "alice", "right").await.status, 200);
    fail(&h, "alice", 4).await;
    h.advance(Duration::from_secs(901)).await;
    fail(&h, "alice", 4).await;
    assert_eq!(login(&h, "alice", "right").await.status, 200);
    for _ in 0..10 {
        assert_eq!(
            login(&h, "alice", "broken").await.status,
            500,
            "says nothing about the password"
        );
    }
    assert_eq!(login(&h, "alice", "right").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_count_survives_a_restart() {
    let store = Arc::new(Memory::new());
    let h = Harness::over(Arc::clone(&store) as _).await;
    h.enable_passport().await;
    fail(&h, "alice", 4).await;
    let h = h.restarted(Harness::settings(), store).await;
    fail(&h, "alice", 1).await;
    assert_eq!(login(&h, "alice", "right").await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn guessing_many_at_once_is_no_way_around_the_count() {
    let (h, _) = server().await;
    let guess = || async {
        let wish = json!({ "name": "alice", "password": "wrong", "slowly": 100 });
        h.write("auth/passport/login", "", wish).await.status
    };
    let all = futures_util::future::join_all((0..50).map(|_| guess())).await;
    let looked_at = all.iter().filter(|status| **status == 400).count();
    assert_eq!(looked_at, 5, "{all:?}");
    assert!(all.iter().all(|status| matches!(status, 400 | 403)));
}

#[tokio::test(start_paused = true)]
async fn many_at_once_with_the_right_password_all_get_in() {
    let (h, _) = server().await;
    fail(&h, "alice", 3).await;
    let enter = || async {
        let wish = json!({ "name": "alice", "password": "right", "slowly": 100 });
        h.write("auth/passport/login", "", wish).await.status
    };
    let all = futures_util::future::join_all((0..50).map(|_| enter())).await;
    assert!(all.iter().all(|status| *status == 200), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn operators_see_and_unlock_names() {
    let (h, accessor) = server().await;
    let nothing = json!({
        "by_namespace": [{ "namespace_id": "root", "namespace_path": "", "counts": 0, "mount_accessors": [] }], "total": 0,
    });
    assert_eq!(locked(&h).await, nothing);
    fail(&h, "Alice", 5).await;
    fail(&h, "nobody/has.this", 5).await;
    fail(&h, "bob", 4).await;
    let of_mount = json!({ "mount_accessor": accessor, "counts": 2, "alias_identifiers": ["alice", "nobody/has.this"] });
    let all = json!({
        "by_namespace": [{ "namespace_id": "root", "namespace_path": "", "counts": 2, "mount_accessors": [of_mount] }],
        "total": 2,
    });
    assert_eq!(locked(&h).await, all);
    let filter = json!({ "mount_accessor": "nosuch" });
    let none = h
        .request(coffer_wire::Verb::Read, "sys/locked-users", &h.root, filter)
        .await;
    assert_eq!(none.data()["total"], 0);
    let of_mount = &none.data()["by_namespace"][0]["mount_accessors"][0];
    assert_eq!(
        of_mount,
        &json!({ "mount_accessor": "nosuch", "counts": 0, "alias_identifiers": null })
    );

    for name in ["ALICE", "nobody/has.this", "never-seen", ""] {
        let path = format!("sys/locked-users/{accessor}/unlock/{name}");
        let done = h.write(&path, &h.root, json!({})).await;
        assert_eq!(done.status, 204, "{name:?}: {done:?}");
    }
    assert_eq!(locked(&h).await, nothing);
    assert_eq!(login(&h, "alice", "right").await.status, 200);
    fail(&h, "alice", 4).await;
}

#[tokio::test(start_paused = true)]
async fn the_configuration_has_the_say() {
    let say = |threshold, disabled| UserLockout {
        threshold,
        duration: Duration::from_secs(60),
        disabled,
        ..UserLockout::default()
    };
    for (kind, lockout, tries) in [
        ("all", say(2, false), Some(2)),
        ("passport", say(3, false), Some(3)),
        ("passport", say(1, true), None),
        ("elsewhere", say(1, false), Some(5)),
    ] {
        let mut settings = Harness::settings();
        settings.user_lockout = BTreeMap::from([(kind.to_owned(), lockout)]);
        let h = Harness::with(settings, Arc::new(Memory::new())).await;
        h.enable_passport().await;
        fail(&h, "alice", tries.unwrap_or(20)).await;
        let status = if tries.is_some() { 403 } else { 200 };
        assert_eq!(
            login(&h, "alice", "right").await.status,
            status,
            "{kind} {lockout:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn old_counts_are_removed() {
    let (h, _) = server().await;
    let stored = async || {
        let store = h.kernel.barrier.store();
        store.scan("sys/lockout/", None, 100).await.unwrap().len()
    };
    fail(&h, "alice", 5).await;
    fail(&h, "bob", 1).await;
    h.settle().await;
    assert_eq!(stored().await, 2);
    h.advance(Duration::from_secs(1_000)).await;
    h.settle().await;
    assert_eq!(stored().await, 0);
}

#[tokio::test(start_paused = true)]
async fn namespaces_count_for_themselves() {
    let (h, _) = server().await;
    h.write("sys/namespaces/team", &h.root, json!({})).await;
    h.write(
        "team/sys/auth/passport",
        &h.root,
        json!({ "type": "passport" }),
    )
    .await;
    let wish = json!({ "name": "alice", "password": "wrong" });
    for _ in 0..5 {
        assert_eq!(
            h.write("team/auth/passport/login", "", wish.clone())
                .await
                .status,
            400
        );
    }
    assert_eq!(
        h.write("team/auth/passport/login", "", wish).await.status,
        403
    );
    assert_eq!(login(&h, "alice", "right").await.status, 200);
    let seen = locked(&h).await;
    assert_eq!(seen["total"], 1);
    assert_eq!(seen["by_namespace"][1]["namespace_path"], "team/");
    assert_eq!(
        h.read("team/sys/locked-users", &h.root).await.data()["total"],
        1
    );
}
