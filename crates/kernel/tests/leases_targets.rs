//! One dead target delays nobody else, and what is due at it ends soon after it comes back.

mod harness;

use std::time::Duration;

use harness::outside::{Mood, World, lease, lookup, make, revoke, server, stored};
use serde_json::json;
use tokio::time::Instant;

/// Leases of a healthy target, one due each second, end within so long of their time.
const ON_TIME: Duration = Duration::from_secs(4);

#[tokio::test(start_paused = true)]
async fn a_dead_target_delays_nobody_and_is_drained_when_it_comes_back() {
    for mood in [Mood::Hangs, Mood::Refuses] {
        let h = server().await;
        let world = World::here();
        world.mood("dead", mood);
        for number in 0..3_000 {
            lease(&h, "dead", &format!("dead{number}"), "10s").await;
        }
        for second in 1..=40 {
            lease(&h, "well", &format!("well{second}"), &format!("{second}s")).await;
        }
        let begin = Instant::now();
        h.pass(45).await;
        for second in 1..=40 {
            let name = format!("well{second}");
            let ended = world
                .ended(&name)
                .unwrap_or_else(|| panic!("{name} did not end"));
            let late = (ended - begin).saturating_sub(Duration::from_secs(second));
            assert!(late <= ON_TIME, "{name} ended {late:?} late");
        }
        assert_eq!(world.live().len(), 3_000);
        world.mood("dead", Mood::Works);
        h.pass(12).await;
        assert_eq!(world.live(), Vec::<String>::new());
        assert_eq!(stored(&h).await, Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn many_dead_targets_delay_nobody_much() {
    let h = server().await;
    let world = World::here();
    for number in 0..200 {
        let target = format!("dead{number}");
        world.mood(&target, Mood::Hangs);
        lease(&h, &target, &format!("{target}a"), "10s").await;
        lease(&h, &target, &format!("{target}b"), "12s").await;
    }
    for second in 9..30 {
        lease(&h, "well", &format!("well{second}"), &format!("{second}s")).await;
    }
    let begin = Instant::now();
    h.pass(35).await;
    for second in 9..30 {
        let ended = world.ended(&format!("well{second}")).unwrap();
        assert!((ended - begin).saturating_sub(Duration::from_secs(second)) <= ON_TIME);
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_end_on_time_though_their_leases_hang() {
    let h = server().await;
    let world = World::here();
    world.mood("dead", Mood::Hangs);
    h.policy("p", r#"path "outside/*" { capabilities = ["update"] }"#)
        .await;
    for _ in 0..20 {
        let token = h
            .create(&h.root, json!({ "policies": ["p"], "ttl": "10s" }))
            .await
            .token();
        for _ in 0..5 {
            let name = h.open().random.base62(8);
            let made = h
                .write(&format!("outside/creds/dead/{name}"), &token, json!({}))
                .await;
            assert_eq!(made.status, 200);
        }
    }
    lease(&h, "well", "well", "11s").await;
    let begin = Instant::now();
    h.pass(15).await;
    assert!(world.ended("well").unwrap() - begin <= Duration::from_secs(11) + ON_TIME);
    assert!(
        !stored(&h).await.iter().any(|path| path.contains("/t/")),
        "the tokens are gone"
    );
    assert_eq!(world.live().len(), 100);
    world.mood("dead", Mood::Works);
    h.pass(12).await;
    assert!(world.live().is_empty() && stored(&h).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn poisoned_leases_do_not_block_good_ones_of_their_target() {
    let h = server().await;
    let world = World::here();
    let mut poisoned = Vec::new();
    for number in 0..300 {
        let name = format!("bad{number:03}");
        world.poison(&name);
        poisoned.push(lease(&h, "db", &name, "5s").await);
    }
    for second in 1..=60 {
        lease(&h, "db", &format!("good{second}"), &format!("{second}s")).await;
    }
    let begin = Instant::now();
    h.pass(75).await;
    for second in 1..=60 {
        let name = format!("good{second}");
        let ended = world
            .ended(&name)
            .unwrap_or_else(|| panic!("{name} did not end"));
        let late = (ended - begin).saturating_sub(Duration::from_secs(second));
        assert!(late <= Duration::from_secs(8), "{name} ended {late:?} late");
    }
    assert_eq!(world.live().len(), 300);
    let shown = lookup(&h, &poisoned[0]).await;
    assert_eq!(shown.data()["revocation_error"], "role owns objects");
    let tries = world.tries("db");
    h.pass(60).await;
    assert!(
        world.tries("db") - tries < 120,
        "{} tries in a minute",
        world.tries("db") - tries
    );
    for number in 0..300 {
        world.heal(&format!("bad{number:03}"));
    }
    h.pass(20).await;
    assert!(world.live().is_empty() && stored(&h).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_slow_target_is_worked_off_all_the_same() {
    let h = server().await;
    let world = World::here();
    world.mood("slow", Mood::Slow(20_000));
    lease(&h, "slow", "a", "1s").await;
    lease(&h, "slow", "b", "1s").await;
    h.pass(120).await;
    assert!(world.live().is_empty(), "each needs 20 s, and gets them");
    assert!(stored(&h).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_endings_at_a_healthy_target_ends_without_errors() {
    let h = server().await;
    let world = World::here();
    world.mood("busy", Mood::Slow(40));
    for number in 0..2_000 {
        lease(&h, "busy", &format!("n{number}"), "5s").await;
    }
    h.pass(22).await; // 2000 of 40 ms, eight at a time, are ten seconds.
    assert_eq!(world.live().len(), 0);
    assert_eq!(world.tries("busy"), 2_000, "none is tried twice");
    assert!(stored(&h).await.is_empty());
}

/// The worker reads 1,024 entries at a time, so after these it looks once more behind them.
#[tokio::test(start_paused = true)]
async fn what_is_undone_at_once_does_not_wait_behind_a_full_page() {
    let h = server().await;
    let world = World::here();
    world.mood("busy", Mood::Slow(100));
    for number in 0..1_024 {
        lease(&h, "busy", &format!("n{number}"), "5s").await;
    }
    h.pass(5).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(world.live().len() > 500, "in the middle of the page");
    let failed = make(&h, "another", "late", json!({ "then": "fail" })).await;
    assert_eq!(failed.status, 500);
    h.pass(8).await;
    assert!(!world.live().contains(&"late".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_idle_server_sleeps() {
    let store = harness::faulty::Faulty::new();
    let settings = harness::outside::quiet_settings();
    let h = harness::outside::server_with(settings, store.clone()).await;
    lease(&h, "db", "a", "1h").await;
    h.pass(10).await;
    let reads = store.reads();
    h.pass(600).await;
    assert!(
        store.reads() - reads < 60,
        "{} reads in ten minutes",
        store.reads() - reads
    );
}

#[tokio::test(start_paused = true)]
async fn a_damaged_record_neither_spins_nor_blocks() {
    let store = harness::faulty::Faulty::new();
    let h = harness::outside::server_over(store.clone()).await;
    use coffer_storage::Store;
    for number in 0..1_500 {
        let id = lease(&h, "db", &format!("n{number}"), "5s").await;
        store
            .survivor()
            .put(&format!("sys/lease/id/{id}"), b"damaged".to_vec())
            .await
            .unwrap();
    }
    lease(&h, "db", "good", "6s").await;
    h.pass(8).await;
    assert!(World::here().ended("good").is_some());
    let reads = store.reads();
    h.pass(60).await;
    assert!(
        store.reads() - reads < 62 * 1_600,
        "{} reads in a minute",
        store.reads() - reads
    );
}

#[tokio::test(start_paused = true)]
async fn a_mount_is_disabled_once_its_leases_are_gone() {
    let h = server().await;
    let world = World::here();
    lease(&h, "dead", "a", "1h").await;
    lease(&h, "well", "b", "1h").await;
    world.mood("dead", Mood::Refuses);
    let failed = h.delete("sys/mounts/outside", &h.root).await;
    assert_eq!(failed.status, 500);
    assert!(failed.error().contains("connection refused"), "{failed:?}");
    assert_eq!(world.live(), ["a"]);
    assert_eq!(make(&h, "well", "c", json!({})).await.status, 404, "closed");
    h.pass(300).await;
    assert_eq!(world.live(), ["a"]);
    world.mood("dead", Mood::Works);
    h.pass(20).await;
    assert!(world.live().is_empty() && stored(&h).await.is_empty());
    let again = h
        .write("sys/mounts/outside", &h.root, json!({ "type": "outside" }))
        .await;
    assert_eq!(again.status, 204, "the path is free: {again:?}");
    lease(&h, "well", "d", "1h").await;
    assert_eq!(h.delete("sys/mounts/outside", &h.root).await.status, 204);
    assert!(world.live().is_empty() && stored(&h).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_mount_is_not_taken_away_under_a_request_that_makes_a_secret() {
    for then in ["wait", "linger"] {
        let h = std::sync::Arc::new(server().await);
        let world = World::here();
        let making = {
            let h = std::sync::Arc::clone(&h);
            tokio::spawn(async move { make(&h, "db", "a", json!({ "then": then })).await })
        };
        world.waiting.acquire().await.unwrap().forget();
        let refused = h.delete("sys/mounts/outside", &h.root).await;
        assert_eq!(refused.status, 500, "{refused:?}");
        h.pass(900).await;
        world.gate.add_permits(1);
        assert_eq!(
            making.await.unwrap().status,
            503,
            "revoked while it was made"
        );
        h.pass(20).await;
        assert_eq!(world.live(), Vec::<String>::new(), "{then}");
        assert_eq!(stored(&h).await, Vec::<String>::new());
        assert_eq!(h.read("sys/mounts/outside", &h.root).await.status, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_issued_under_an_old_path_ends_with_its_mount() {
    let h = std::sync::Arc::new(server().await);
    let world = World::here();
    let making = {
        let h = std::sync::Arc::clone(&h);
        tokio::spawn(async move { make(&h, "db", "a", json!({ "then": "early" })).await })
    };
    world.waiting.acquire().await.unwrap().forget();
    let moved = h
        .write(
            "sys/remount",
            &h.root,
            json!({ "from": "outside", "to": "inside" }),
        )
        .await;
    assert_eq!(moved.status, 200, "{moved:?}");
    h.pass(2).await;
    world.gate.add_permits(1);
    let made = making.await.unwrap();
    assert!(
        made.json["lease_id"]
            .as_str()
            .unwrap()
            .starts_with("outside/"),
        "{made:?}"
    );
    assert_eq!(world.live(), ["a"]);
    assert_eq!(h.delete("sys/mounts/inside", &h.root).await.status, 204);
    assert!(world.live().is_empty() && stored(&h).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hanging_revocation_lets_go_of_the_client() {
    let h = server().await;
    World::here().mood("db", Mood::Hangs);
    let id = lease(&h, "db", "a", "1h").await;
    let begin = Instant::now();
    assert_eq!(revoke(&h, &id).await.status, 400);
    assert!(begin.elapsed() <= Duration::from_secs(61));
}
