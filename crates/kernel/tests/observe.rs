//! What operators see moves with what happens.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod harness;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Body, Fault};
use coffer_kernel::observe::{Flight, Level, Lines, LogFormat, Logs, Meters, Telemetry};
use coffer_kernel::{Request, Settings};
use coffer_storage::Memory;
use coffer_wire::{ApiPath, Verb};
use harness::Harness;
use harness::outside::{self, Mood, World, lease, make, renew, revoke};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// The value of the series whose line begins so; none where there is no such line.
fn value(h: &Harness, series: &str) -> Option<f64> {
    let reply = h.kernel.scrape("prometheus").unwrap();
    let Body::Raw { bytes, .. } = reply.body else {
        panic!("no text")
    };
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(series));
    let rest = lines.find(|rest| rest.starts_with([' ', '{']))?;
    rest.rsplit(' ').next()?.parse().ok()
}

/// How often something was timed; not at all is none.
fn count(h: &Harness, summary: &str) -> u64 {
    let count = value(h, &format!("vault_{summary}_count")).unwrap_or_default();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let count = count as u64;
    count
}

fn labelled(name: &str, labels: &str) -> String {
    format!("vault_{name}{{{labels}}}")
}

/// The leases of the mount of the outside world.
async fn of_mount(h: &Harness) -> Option<f64> {
    let cluster = h.read("sys/health", "").await;
    let cluster = cluster.data()["cluster_name"].as_str().unwrap().to_owned();
    let labels = format!(r#"cluster="{cluster}",namespace="root",mount_point="outside/""#);
    value(h, &labelled("expire_leases_by_mount", &labels))
}

/// Time for the background to count.
async fn counted(h: &Harness) {
    h.pass(2).await;
}

#[tokio::test(start_paused = true)]
async fn tokens_are_counted_as_they_come_and_go() {
    let h = Harness::new().await;
    counted(&h).await;
    assert_eq!(
        value(&h, "vault_expire_num_leases"),
        Some(0.0),
        "root has no end"
    );
    let before = count(&h, "token_create");
    let made = h
        .create(&h.root, json!({ "ttl": "15m", "policies": ["default"] }))
        .await;
    h.create(&h.root, json!({ "ttl": "2h", "policies": ["default"] }))
        .await;
    assert_eq!(count(&h, "token_create"), before + 2);
    assert_eq!(value(&h, "vault_expire_num_leases"), Some(2.0));
    h.write(
        "auth/token/revoke",
        &h.root,
        json!({ "token": made.token() }),
    )
    .await;
    assert_eq!(value(&h, "vault_expire_num_leases"), Some(1.0));
    assert_eq!(count(&h, "token_revoke_tree"), 1);
    assert!(count(&h, "token_lookup") >= 3);
    let reply = h.read("sys/metrics", &h.root).await;
    assert_eq!(reply.status, 200);
    let counters = reply.data()["Counters"].as_array().unwrap();
    let creation = counters
        .iter()
        .filter(|one| one["Name"] == "vault.token.creation");
    let ttls: Vec<&str> = creation
        .map(|one| one["Labels"]["creation_ttl"].as_str().unwrap())
        .collect();
    assert!(ttls.contains(&"20m") && ttls.contains(&"2h"), "{ttls:?}");
}

#[tokio::test(start_paused = true)]
async fn the_background_counts_by_policy_and_lifetime_within_its_bound() {
    let mut settings = Harness::settings();
    settings.meters = Arc::new(Meters::new(Telemetry {
        usage_gauge_period: Some(Duration::from_secs(60)),
        max_gauge_cardinality: 3,
        ..Telemetry::default()
    }));
    let h = Harness::with(settings, Arc::new(Memory::new())).await;
    for number in 0..5 {
        let wish =
            json!({ "ttl": "1h", "policies": [format!("p{number}")], "no_default_policy": true });
        h.create(&h.root, wish).await;
    }
    h.pass(61).await;
    let cluster = h.read("sys/health", "").await;
    let cluster = cluster.data()["cluster_name"].as_str().unwrap().to_owned();
    let count = format!("cluster=\"{cluster}\",namespace=\"root\"");
    assert_eq!(value(&h, &labelled("token_count", &count)), Some(6.0));
    let reply = h.read("sys/metrics", &h.root).await;
    let gauges = reply.data()["Gauges"].as_array().unwrap();
    let by = |name: &str| {
        let those = gauges.iter().filter(|one| one["Name"] == name);
        those.cloned().collect::<Vec<Value>>()
    };
    let policies = by("vault.token.count.by_policy");
    assert_eq!(policies.len(), 4, "three and the others: {policies:?}");
    let sum: f64 = policies
        .iter()
        .map(|one| one["Value"].as_f64().unwrap())
        .sum();
    assert_eq!(sum, 6.0);
    let hours: Vec<_> = by("vault.token.count.by_remaining_ttl")
        .iter()
        .map(|one| {
            (
                one["Labels"]["remaining_ttl"].as_str().unwrap().to_owned(),
                one["Value"].as_f64().unwrap(),
            )
        })
        .collect();
    assert!(hours.contains(&("1h".to_owned(), 5.0)), "{hours:?}");
    assert_eq!(by("vault.expire.leases.by_expiration").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn leases_are_counted_through_their_lives() {
    World::anew();
    let h = outside::server().await;
    counted(&h).await;
    let first = lease(&h, "db", "a", "100s").await;
    lease(&h, "db", "b", "100s").await;
    assert_eq!(value(&h, "vault_expire_num_leases"), Some(2.0));
    assert_eq!(of_mount(&h).await, Some(2.0));
    assert_eq!(count(&h, "expire_register"), 2);
    assert_eq!(renew(&h, &first, "100s").await.status, 200);
    assert_eq!(count(&h, "expire_renew"), 1);
    assert_eq!(revoke(&h, &first).await.status, 204);
    assert_eq!(
        (
            count(&h, "expire_revoke"),
            count(&h, "expire_revoke_common")
        ),
        (1, 1)
    );
    assert_eq!(value(&h, "vault_expire_num_leases"), Some(1.0));
    assert_eq!(of_mount(&h).await, Some(1.0));
    h.advance(Duration::from_secs(101)).await;
    assert_eq!(value(&h, "vault_expire_num_leases"), Some(0.0));
    assert_eq!(of_mount(&h).await, None);
    assert_eq!(value(&h, "vault_expire_lease_expiration"), Some(1.0));
    assert_eq!(count(&h, "expire_lease_expiration_time_in_queue"), 1);
    let creation = value(&h, "vault_secret_lease_creation");
    assert_eq!(creation, Some(2.0));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_refuses_shows() {
    let world = World::anew();
    let h = outside::server().await;
    counted(&h).await;
    let id = lease(&h, "db", "a", "1h").await;
    world.mood("db", Mood::Refuses);
    assert_eq!(revoke(&h, &id).await.status, 400);
    assert_eq!(value(&h, "vault_expire_lease_expiration_error"), Some(1.0));
    h.pass(60).await;
    assert_eq!(value(&h, "vault_expire_num_irrevocable_leases"), Some(1.0));
    assert_eq!(
        value(&h, "vault_expire_num_leases"),
        Some(1.0),
        "it is still a lease"
    );
    world.mood("db", Mood::Works);
    h.pass(60).await;
    assert_eq!(value(&h, "vault_expire_num_irrevocable_leases"), Some(0.0));
    assert_eq!(value(&h, "vault_expire_num_leases"), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn what_was_there_before_a_restart_is_counted() {
    World::anew();
    let store = Arc::new(Memory::new());
    let h = outside::server_over(store.clone()).await;
    for name in ["a", "b", "c"] {
        make(&h, "db", name, json!({ "ttl": "1h" })).await;
    }
    let again = h.restarted(outside::settings(), store).await;
    counted(&again).await;
    assert_eq!(value(&again, "vault_expire_num_leases"), Some(3.0));
    again.kernel.seal();
    assert_eq!(
        value(&again, "vault_expire_num_leases"),
        None,
        "nobody knows while it is sealed"
    );
    assert_eq!(value(&again, "vault_core_unsealed"), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn requests_are_timed_by_mount_and_verb() {
    let h = Harness::new().await;
    h.mount_tickets().await;
    let before = count(&h, "core_handle_request");
    for _ in 0..3 {
        h.read("sys/mounts", &h.root).await;
    }
    h.read("tickets/nothing/here", &h.root).await;
    h.read("no/such/mount", &h.root).await;
    assert_eq!(
        count(&h, "core_handle_request"),
        before + 5,
        "refusals, too"
    );
    assert_eq!(count(&h, "route_read_sys_"), 3);
    assert!(count(&h, "core_check_token") >= 5);
    assert!(count(&h, "barrier_get") > 0 && count(&h, "barrier_put") > 0);
    h.policy("p", "path \"a\" { capabilities = [\"read\"] }")
        .await;
    assert_eq!(count(&h, "policy_set_policy"), 1);
}

/// The device's own thread does not know that time stands still, so here it goes on.
#[tokio::test]
async fn audit_devices_have_timings_of_their_own() {
    let h = Harness::new().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let device = json!({ "type": "file", "options": { "file_path": path.to_str().unwrap() } });
    assert_eq!(h.write("sys/audit/file", &h.root, device).await.status, 204);
    h.read("sys/mounts", &h.root).await;
    assert!(count(&h, "audit_log_request") >= 1 && count(&h, "audit_log_response") >= 1);
    assert_eq!(
        count(&h, "audit_log_request"),
        count(&h, "audit_file__log_request")
    );
    assert_eq!(value(&h, "vault_audit_log_request_failure"), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn a_watched_request_tells_its_mount_and_pattern_and_no_name() {
    let h = Harness::new().await;
    let path = ApiPath::parse("sys/policies/acl/payroll").unwrap();
    let flight = Flight::new(
        "id".into(),
        h.clock.now(),
        None,
        "GET",
        "/v1/sys/policies/acl/payroll",
    );
    let flight = Arc::new(flight);
    let mut request = Request::internal("id".into(), Verb::Read, path);
    request.token = Some(Arc::new(coffer_crypto::Secret::new(h.root.clone())));
    request.flight = Some(Arc::clone(&flight));
    assert!(
        h.kernel.handle(request).await.is_err(),
        "there is no such policy"
    );
    let noted = flight.noted().unwrap();
    assert_eq!(
        (
            noted.mount(),
            noted.mount_type(),
            noted.route,
            noted.namespace.as_str()
        ),
        ("sys/", "system", "policies/acl/{name*}", "root")
    );
    let shared = "0DHqvq2D77kL2/JTPSZkTMJbkFVmUu0TzMi0jiXcFy8=";
    assert_eq!(noted.client_id(), shared, "as of every root token");
}

/// A log that a test writes.
#[derive(Default)]
struct Written {
    readers: Mutex<Vec<mpsc::Sender<Vec<u8>>>>,
    levels: Mutex<BTreeMap<String, Level>>,
}

impl Logs for Written {
    fn loggers(&self) -> BTreeMap<String, Level> {
        self.levels.lock().clone()
    }

    fn set(&self, logger: Option<&str>, level: Option<Level>) -> Result<(), Fault> {
        let name = logger.unwrap_or("all").to_owned();
        match level {
            Some(level) => drop(self.levels.lock().insert(name, level)),
            None => drop(self.levels.lock().remove(&name)),
        }
        Ok(())
    }

    fn subscribe(&self, _: Level, _: LogFormat) -> Result<Lines, Fault> {
        let (lines, received) = mpsc::channel(16);
        self.readers.lock().push(lines);
        Ok(Lines::new(received, ()))
    }
}

async fn with_log() -> (Harness, Arc<Written>) {
    let log = Arc::<Written>::default();
    let settings = Settings {
        logs: Arc::clone(&log) as Arc<dyn Logs>,
        ..Harness::settings()
    };
    (Harness::with(settings, Arc::new(Memory::new())).await, log)
}

async fn follow(h: &Harness, token: &str, query: Value) -> Result<coffer_engine::Pieces, Fault> {
    let mut request = Request::internal(
        "id".into(),
        Verb::Read,
        ApiPath::parse("sys/monitor").unwrap(),
    );
    request.token = Some(Arc::new(coffer_crypto::Secret::new(token.to_owned())));
    request.body.0 = query.as_object().cloned().unwrap_or_default();
    match h.kernel.handle(request).await {
        Ok(response) => match response.body {
            Body::Stream(stream) => Ok(stream.pieces),
            other => panic!("{other:?}"),
        },
        Err(refusal) => Err(refusal.fault),
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_is_followed_until_the_token_ends() {
    let (h, log) = with_log().await;
    h.policy(
        "watch",
        "path \"sys/monitor\" { capabilities = [\"read\"] }",
    )
    .await;
    let token = h
        .create(&h.root, json!({ "policies": ["watch"], "ttl": "1h" }))
        .await
        .token();
    let mut pieces = follow(&h, &token, json!({})).await.unwrap();
    log.readers.lock()[0].try_send(b"one\n".to_vec()).unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), b"one\n");
    h.write("auth/token/revoke", &h.root, json!({ "token": token }))
        .await;
    h.pass(6).await;
    assert!(pieces.next().await.is_none(), "it ends in order");
    assert!(log.readers.lock()[0].is_closed());
}

#[tokio::test(start_paused = true)]
async fn the_log_is_followed_until_the_right_is_taken_away() {
    let (h, log) = with_log().await;
    let rights =
        |capability| format!("path \"sys/monitor\" {{ capabilities = [\"{capability}\"] }}");
    h.policy("watch", &rights("read")).await;
    let token = h
        .create(&h.root, json!({ "policies": ["watch"], "ttl": "1h" }))
        .await
        .token();
    let mut pieces = follow(&h, &token, json!({})).await.unwrap();
    h.pass(6).await;
    log.readers.lock()[0].try_send(b"one\n".to_vec()).unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), b"one\n");
    h.policy("watch", &rights("list")).await;
    h.pass(6).await;
    let end = tokio::time::timeout(Duration::from_secs(60), pieces.next()).await;
    assert!(matches!(end, Ok(None)), "it ends in order");
    assert!(log.readers.lock()[0].is_closed());
}

#[tokio::test(start_paused = true)]
async fn the_log_is_followed_until_the_server_is_sealed() {
    let (h, _log) = with_log().await;
    let mut pieces = follow(&h, &h.root, json!({ "log_level": "debug" }))
        .await
        .unwrap();
    h.kernel.seal();
    assert!(pieces.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn who_may_not_follows_no_log_and_levels_are_words() {
    let (h, _log) = with_log().await;
    let token = h
        .create(&h.root, json!({ "policies": ["default"], "ttl": "1h" }))
        .await
        .token();
    assert!(matches!(
        follow(&h, &token, json!({})).await,
        Err(Fault::Denied)
    ));
    for wrong in [
        json!({ "log_level": "loud" }),
        json!({ "log_format": "xml" }),
    ] {
        let fault = follow(&h, &h.root, wrong).await.unwrap_err();
        assert!(
            matches!(&fault, Fault::Invalid(text) if text.starts_with("unknown log")),
            "{fault:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn log_levels_are_set_through_the_api() {
    let (h, _log) = with_log().await;
    let set = h
        .write("sys/loggers/core", &h.root, json!({ "level": "debug" }))
        .await;
    assert_eq!(set.status, 204);
    assert_eq!(
        h.read("sys/loggers/core", &h.root).await.data(),
        &json!({ "core": "debug" })
    );
    assert_eq!(h.read("sys/loggers/nope", &h.root).await.data(), &json!({}));
    assert_eq!(
        h.write("sys/loggers", &h.root, json!({ "level": "WARN" }))
            .await
            .status,
        204
    );
    assert_eq!(h.read("sys/loggers", &h.root).await.data()["all"], "warn");
    assert_eq!(h.delete("sys/loggers/core", &h.root).await.status, 204);
    let missing = h.write("sys/loggers/core", &h.root, json!({})).await;
    assert_eq!(
        (missing.status, missing.error().as_str()),
        (400, "level is required")
    );
    let wrong = h
        .write("sys/loggers/core", &h.root, json!({ "level": "loud" }))
        .await;
    assert!(
        wrong
            .error()
            .starts_with("invalid level provided: unknown log level: loud")
    );
}
