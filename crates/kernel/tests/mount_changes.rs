//! Changes of one mount at the same time: each is done or refused, none is undone by another.

mod harness;

use futures_util::future::join;
use harness::Harness;
use serde_json::json;

const SEEDS: std::ops::Range<u64> = 0..40;

async fn server(seed: u64) -> Harness {
    let h = Harness::restless(seed).await;
    h.mount_tickets().await;
    h
}

#[tokio::test(start_paused = true)]
async fn tuning_does_not_bring_a_disabled_mount_back() {
    for seed in SEEDS {
        let h = server(seed).await;
        let tune = h.write(
            "sys/mounts/tickets/tune",
            &h.root,
            json!({ "description": "x" }),
        );
        let (_, disabled) = join(tune, h.delete("sys/mounts/tickets", &h.root)).await;
        assert_eq!(disabled.status, 204, "{disabled:?}");
        let found = h.read("sys/mounts/tickets", &h.root).await;
        assert_eq!(found.status, 400, "seed {seed}: it is back");
    }
}

#[tokio::test(start_paused = true)]
async fn two_tunings_at_once_both_hold() {
    for seed in SEEDS {
        let h = server(seed).await;
        let tune = |what| h.write("sys/mounts/tickets/tune", &h.root, what);
        let both = join(
            tune(json!({ "description": "x" })),
            tune(json!({ "max_lease_ttl": "2h" })),
        );
        let (one, other) = both.await;
        assert_eq!((one.status, other.status), (204, 204));
        let found = h.read("sys/mounts/tickets", &h.root).await;
        let config = &found.data()["config"];
        assert_eq!(found.data()["description"], "x", "seed {seed}");
        assert_eq!(config["max_lease_ttl"], 7200, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_who_disable_a_mount_each_is_told_that_it_is_gone() {
    for seed in SEEDS {
        let h = server(seed).await;
        let disable = || h.delete("sys/mounts/tickets", &h.root);
        let (one, other) = join(disable(), disable()).await;
        assert_eq!((one.status, other.status), (204, 204), "seed {seed}");
        let again = h.write("sys/mounts/tickets", &h.root, json!({ "type": "tickets" }));
        assert_eq!(again.await.status, 204, "seed {seed}");
    }
}
