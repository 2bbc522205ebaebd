//! Leases and tokens of namespaces: they end on time, also where nobody has been since a restart.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;

use coffer_engine::{Class, Kind};
use coffer_kernel::Settings;
use coffer_storage::{Memory, Store};
use coffer_wire::Verb;
use harness::Harness;
use harness::shelves::{Cubbyhole, Shelf};
use harness::tickets::Tickets;
use serde_json::json;

fn settings() -> Settings {
    Settings::new(vec![
        Kind::new::<Shelf>(Class::Secret),
        Kind::new::<Cubbyhole>(Class::Secret),
        Kind::new::<Tickets>(Class::Secret),
    ])
}

/// A server with `team/` and `team/app/`, tickets mounted in both and in the root.
async fn server(store: &Arc<dyn Store>) -> Harness {
    let h = Harness::with(settings(), Arc::clone(store)).await;
    for (ns, name) in [("", "team"), ("team", "app")] {
        let path = format!("sys/namespaces/{name}");
        let made = h.in_ns(ns, Verb::Write, &path, &h.root, json!({})).await;
        assert_eq!(made.status, 200);
    }
    for ns in ["", "team", "team/app"] {
        let wish = json!({ "type": "tickets" });
        let mounted = h
            .in_ns(ns, Verb::Write, "sys/mounts/tickets", &h.root, wish)
            .await;
        assert_eq!(mounted.status, 204, "{ns}");
    }
    h
}

/// Issues a ticket and answers its lease.
async fn issue(h: &Harness, ns: &str, name: &str, token: &str, ttl: u64) -> String {
    let path = format!("tickets/issue/{name}");
    let made = h
        .in_ns(ns, Verb::Write, &path, token, json!({ "ttl": ttl }))
        .await;
    assert_eq!(made.status, 200, "{:?}", made.json);
    made.json["lease_id"].as_str().unwrap().to_owned()
}

/// The tickets that are not undone.
async fn live(h: &Harness, ns: &str) -> Vec<String> {
    let listed = h
        .in_ns(ns, Verb::List, "tickets/live", &h.root, json!({}))
        .await;
    listed.keys()
}

async fn lookup(h: &Harness, ns: &str, lease: &str) -> u16 {
    let asked = json!({ "lease_id": lease });
    let found = h.in_ns(ns, Verb::Write, "sys/leases/lookup", &h.root, asked);
    found.await.status
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_known_at_home_and_above() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let h = server(&store).await;
    let lease = issue(&h, "team", "a", &h.root, 100).await;
    assert!(lease.starts_with("tickets/issue/a/") && lease.contains('.'));
    for (ns, status) in [("team", 200), ("", 200), ("team/app", 400)] {
        assert_eq!(lookup(&h, ns, &lease).await, status, "{ns:?}");
    }
    let listed = h
        .in_ns(
            "team",
            Verb::List,
            "sys/leases/lookup/tickets/issue/a",
            &h.root,
            json!({}),
        )
        .await;
    assert_eq!(listed.keys(), [lease.rsplit('/').next().unwrap()]);
    let elsewhere = h.list("sys/leases/lookup/tickets/issue/a", &h.root).await;
    assert_eq!(elsewhere.status, 404);
    let sideways = json!({ "lease_id": lease });
    let revoked = h
        .in_ns(
            "team/app",
            Verb::Write,
            "sys/leases/revoke",
            &h.root,
            sideways.clone(),
        )
        .await;
    assert_eq!(
        (revoked.status, live(&h, "team").await.len()),
        (204, 1),
        "as if it were unknown"
    );
    let renewed = h
        .in_ns(
            "team",
            Verb::Write,
            "sys/leases/renew",
            &h.root,
            sideways.clone(),
        )
        .await;
    assert_eq!(renewed.json["lease_id"], json!(lease));
    let revoked = h
        .in_ns("team", Verb::Write, "sys/leases/revoke", &h.root, sideways)
        .await;
    assert_eq!((revoked.status, live(&h, "team").await.len()), (204, 0));
}

#[tokio::test(start_paused = true)]
async fn prefixes_stay_in_their_namespace() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let h = server(&store).await;
    for ns in ["", "team", "team/app"] {
        issue(&h, ns, "a", &h.root, 100).await;
    }
    let ended = h
        .in_ns(
            "team",
            Verb::Write,
            "sys/leases/revoke-prefix/tickets",
            &h.root,
            json!({}),
        )
        .await;
    assert_eq!(ended.status, 204);
    let left = [
        live(&h, "").await,
        live(&h, "team").await,
        live(&h, "team/app").await,
    ];
    assert_eq!(left.map(|names| names.len()), [1, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn leases_end_on_time_and_with_their_token_also_after_a_restart() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let h = server(&store).await;
    let policy =
        json!({ "policy": r#"path "*" { capabilities = ["create","read","update","list"] }"# });
    h.in_ns("team", Verb::Write, "sys/policies/acl/all", &h.root, policy)
        .await;
    let wish = json!({ "policies": ["all"], "ttl": "30s" });
    let made = h
        .in_ns("team", Verb::Write, "auth/token/create", &h.root, wish)
        .await;
    let token = made.token();
    issue(&h, "team", "with-the-token", &token, 500).await;
    issue(&h, "team/app", "visiting", &token, 500).await;
    issue(&h, "team/app", "on-time", &h.root, 20).await;
    issue(&h, "team/app", "later", &h.root, 500).await;
    h.kernel.seal();

    let h = h.restarted(settings(), store).await;
    h.pass(21).await;
    assert_eq!(live(&h, "team/app").await, ["later", "visiting"]);
    h.pass(10).await;
    assert_eq!(live(&h, "team/app").await, ["later"]);
    assert_eq!(live(&h, "team").await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_namespace_whose_leases_can_not_be_undone_waits_for_them() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let h = server(&store).await;
    let lease = issue(&h, "team/app", "stubborn", &h.root, 500).await;
    h.in_ns(
        "team/app",
        Verb::Write,
        "tickets/config",
        &h.root,
        json!({ "refuse": true }),
    )
    .await;
    let gone = h
        .in_ns(
            "team",
            Verb::Delete,
            "sys/namespaces/app",
            &h.root,
            json!({}),
        )
        .await;
    assert_eq!(gone.status, 200);
    h.pass(20).await;
    let shown = h
        .in_ns("team", Verb::Read, "sys/namespaces/app", &h.root, json!({}))
        .await;
    assert_eq!(shown.data()["tainted"], json!(true));
    let closed = h
        .in_ns("team/app", Verb::Read, "sys/mounts", &h.root, json!({}))
        .await;
    assert_eq!(closed.status, 404, "nothing is answered there any more");
    assert_eq!(lookup(&h, "", &lease).await, 200, "from above it is seen");
    h.kernel.seal();

    let h = h.restarted(settings(), store).await;
    let by_id = json!({ "lease_id": lease });
    assert_eq!(
        h.write("sys/leases/revoke", &h.root, by_id).await.status,
        400,
        "refused"
    );
    let forced = "sys/leases/revoke-force/team/app/tickets";
    assert_eq!(h.write(forced, &h.root, json!({})).await.status, 204);
    h.pass(10).await;
    let shown = h
        .in_ns("team", Verb::Read, "sys/namespaces/app", &h.root, json!({}))
        .await;
    assert_eq!(shown.status, 404, "gone");
}

#[tokio::test(start_paused = true)]
async fn a_mount_of_a_namespace_goes_with_its_leases() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let h = server(&store).await;
    let lease = issue(&h, "team", "a", &h.root, 500).await;
    let gone = h
        .in_ns(
            "team",
            Verb::Delete,
            "sys/mounts/tickets",
            &h.root,
            json!({}),
        )
        .await;
    assert_eq!(gone.status, 204);
    assert_eq!(lookup(&h, "team", &lease).await, 400);
    assert_eq!(live(&h, "").await.len(), 0);
    let root = h.read("sys/mounts/tickets", &h.root).await;
    assert_eq!(root.status, 200, "the root's is untouched");
}
