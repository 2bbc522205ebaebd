//! Clients are counted: each once a month, nobody twice, and without a write per request.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Body, Class, Kind};
use coffer_kernel::activity::Client;
use coffer_kernel::{Request, Settings};
use coffer_storage::{Memory, Store};
use coffer_wire::{ApiPath, Timestamp, Verb};
use harness::Harness;
use harness::counting::Counting;
use harness::faulty::Faulty;
use harness::shelves::Cubbyhole;
use serde_json::{Value, json};

const ACTIVITY: &str = "sys/internal/counters/activity";
const MONTHLY: &str = "sys/internal/counters/activity/monthly";
const CONFIG: &str = "sys/internal/counters/config";
/// Longer than new clients wait to be stored.
const BATCH: Duration = Duration::from_secs(11);
/// The harness begins on 2027-01-15; this is in the next month.
const A_MONTH: Duration = Duration::from_secs(31 * 86_400);

/// A token that uses itself once.
async fn used(h: &Harness, token: String) -> String {
    assert_eq!(h.read("auth/token/lookup-self", &token).await.status, 200);
    token
}

async fn entity(h: &Harness, name: &str) -> String {
    let wish = json!({ "name": name, "policies": ["default"], "ttl": "9000h" });
    let token = h.write("auth/passport/login", "", wish).await.token();
    used(h, token).await
}

async fn nobody(h: &Harness, policies: &[&str]) -> String {
    let wish = json!({ "policies": policies, "ttl": "700h" });
    let token = h.create(&h.root, wish).await.token();
    used(h, token).await
}

/// Entities, other clients, all.
fn counts(of: &Value) -> [u64; 3] {
    ["entity_clients", "non_entity_clients", "clients"].map(|name| of[name].as_u64().unwrap())
}

async fn monthly(h: &Harness) -> [u64; 3] {
    counts(h.read(MONTHLY, &h.root).await.data())
}

#[tokio::test(start_paused = true)]
async fn each_client_is_counted_once() {
    let h = Harness::new().await;
    h.enable_passport().await;
    assert_eq!(h.read(ACTIVITY, &h.root).await.status, 204);
    assert_eq!(monthly(&h).await, [0, 0, 0], "root is nobody in particular");
    for _ in 0..3 {
        entity(&h, "tina").await;
        nobody(&h, &["a"]).await;
    }
    entity(&h, "tom").await;
    nobody(&h, &["a", "b"]).await;
    assert_eq!(monthly(&h).await, [2, 2, 4]);
    let refused = h.create(
        &h.root,
        json!({ "policies": ["c"], "no_default_policy": true }),
    );
    let refused = refused.await.token();
    assert_eq!(h.read("sys/mounts", &refused).await.status, 403);
    assert_eq!(h.read("sys/mounts", "no-token").await.status, 403);
    assert_eq!(monthly(&h).await, [2, 2, 4], "what is refused is no use");
    let report = h.read(ACTIVITY, &h.root).await;
    assert_eq!(counts(&report.data()["total"]), [2, 2, 4]);
    let root = &report.data()["by_namespace"][0];
    assert_eq!(root["namespace_id"], "root");
    assert_eq!(counts(&root["counts"]), [2, 2, 4]);
    let mut mounts: Vec<_> = root["mounts"].as_array().unwrap().iter().collect();
    mounts.sort_by_key(|mount| mount["mount_path"].to_string());
    let paths: Vec<_> = mounts.iter().map(|mount| &mount["mount_path"]).collect();
    assert_eq!(paths, ["auth/passport/", "auth/token/"]);
    assert_eq!(mounts[0]["mount_type"], "passport/");
    assert_eq!(counts(&mounts[0]["counts"]), [2, 0, 2]);
    assert_eq!(report.data()["start_time"], "2026-02-01T00:00:00Z");
    assert_eq!(report.data()["end_time"], "2027-01-31T23:59:59Z");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_hands_over_one_answer_is_nobody() {
    let kinds = vec![Kind::new::<Cubbyhole>(Class::Secret)];
    let h = Harness::with(Settings::new(kinds), Arc::new(Memory::new())).await;
    let change = |request: &mut Request| request.wrap_ttl = Some(Duration::from_secs(60));
    let path = "auth/token/lookup-self";
    let wrapped = h
        .request_with(Verb::Read, path, &h.root, json!({}), change)
        .await;
    let wrapping = wrapped.json["wrap_info"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let unwrapped = h.write("sys/wrapping/unwrap", &wrapping, json!({})).await;
    assert_eq!(unwrapped.status, 200);
    assert_eq!(monthly(&h).await, [0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_new_month_begins_anew_and_years_count_everybody_once() {
    let h = Harness::new().await;
    h.enable_passport().await;
    let tina = entity(&h, "tina").await;
    nobody(&h, &["a"]).await;
    h.advance(A_MONTH).await;
    assert_eq!(monthly(&h).await, [0, 0, 0]);
    used(&h, tina).await;
    entity(&h, "tom").await;
    assert_eq!(monthly(&h).await, [2, 0, 2]);
    let report = h.read(ACTIVITY, &h.root).await;
    assert_eq!(counts(&report.data()["total"]), [2, 1, 3]);
    let months = report.data()["months"].as_array().unwrap();
    assert_eq!(months.len(), 12);
    assert_eq!(
        months[9]["counts"],
        Value::Null,
        "nobody came in that month"
    );
    let [first, second] = [&months[10], &months[11]];
    assert_eq!(first["timestamp"], "2027-01-01T00:00:00Z");
    assert_eq!(counts(&first["counts"]), [1, 1, 2]);
    assert_eq!(counts(&first["new_clients"]["counts"]), [1, 1, 2]);
    assert_eq!(counts(&second["counts"]), [2, 0, 2]);
    assert_eq!(counts(&second["new_clients"]["counts"]), [1, 0, 1]);
    let one = json!({ "start_time": "2027-01-01T00:00:00Z", "end_time": 1_800_100_000 });
    let one = h.request(Verb::Read, ACTIVITY, &h.root, one).await;
    assert_eq!(counts(&one.data()["total"]), [1, 1, 2]);
    for (wrong, status) in [
        (
            json!({ "start_time": "2027-02-01T00:00:00Z", "end_time": "2027-01-01T00:00:00Z" }),
            400,
        ),
        (json!({ "start_time": "soon" }), 400),
        (json!({ "end_time": "2001-01-01T00:00:00Z" }), 204),
        (json!({ "start_time": "2099-01-01T00:00:00Z" }), 204),
    ] {
        let answer = h
            .request(Verb::Read, ACTIVITY, &h.root, wrong.clone())
            .await;
        assert_eq!(answer.status, status, "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_of_a_known_client_writes_nothing() {
    let store = Arc::new(Counting::default());
    let h = Harness::over(Arc::clone(&store) as Arc<dyn Store>).await;
    h.enable_passport().await;
    let (tina, other) = (entity(&h, "tina").await, nobody(&h, &["a"]).await);
    h.advance(BATCH).await;
    let keys = || h.open().barrier.view("sys/activity/");
    let stored = async || keys().scan_paths("month/", None, 1_000).await.unwrap();
    // Two clients are in two records, or by chance of their ids in one.
    let before = stored().await;
    assert_eq!(monthly(&h).await, [1, 1, 2]);
    used(&h, tina.clone()).await;
    store.asked();
    used(&h, tina.clone()).await;
    let of_one = store.asked();
    for _ in 0..50 {
        used(&h, tina.clone()).await;
        used(&h, other.clone()).await;
    }
    assert!(
        store.asked() <= 100 * of_one,
        "what a token costs, and nothing beside"
    );
    h.advance(BATCH).await;
    assert_eq!(stored().await, before);
    assert_eq!(monthly(&h).await, [1, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_survives_a_crash_and_is_not_counted_twice() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let h = Harness::over(Arc::clone(&store)).await;
    h.enable_passport().await;
    let tina = entity(&h, "tina").await;
    h.advance(BATCH).await;
    let again = h.restarted(Harness::settings(), Arc::clone(&store)).await;
    used(&again, tina).await;
    entity(&again, "tom").await;
    again.advance(BATCH).await;
    assert_eq!(monthly(&again).await, [2, 0, 2]);
    entity(&again, "zoe").await;
    assert_eq!(
        again.write("sys/seal", &again.root, json!({})).await.status,
        204
    );
    let again = again.restarted(Harness::settings(), store).await;
    assert_eq!(
        monthly(&again).await,
        [3, 0, 3],
        "sealing stores who is new"
    );
    let view = again.open().barrier.view("sys/activity/");
    let batches = view.scan_paths("month/", None, 100).await.unwrap();
    assert!(batches.len() <= 3, "{batches:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_loses_nobody() {
    let store = Faulty::new();
    let h = Harness::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let now = Timestamp::from_secs(1_800_000_000);
    for number in 0..100 {
        h.open().activity.note(client(number, now), now);
    }
    store.refuse_one_after(3);
    assert!(h.open().activity.store().await.is_err());
    h.open().activity.store().await.unwrap();
    assert_eq!(monthly(&h).await, [100, 0, 100]);
    let again = h.restarted(Harness::settings(), store.survivor()).await;
    assert_eq!(monthly(&again).await, [100, 0, 100]);
}

fn client(number: u64, first: Timestamp) -> Client {
    Client {
        id: format!("client-{number}"),
        is_entity: true,
        namespace: String::new(),
        mount: "auth_x".into(),
        first,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_counted_exactly() {
    let h = Arc::new(Harness::new().await);
    let now = Timestamp::from_secs(1_800_000_000);
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let h = Arc::clone(&h);
            tokio::spawn(async move {
                for of_task in 0..1_000 {
                    // Half of them are met by two tasks.
                    let number = (task / 2) * 1_000 + of_task;
                    h.open().activity.note(client(number, now), now);
                    if number % 100 == 0 {
                        h.open().activity.store().await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(monthly(&h).await, [4_000, 0, 4_000]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_sees_itself_and_what_lies_within() {
    let h = Harness::new().await;
    for (ns, name) in [("", "team"), ("team", "app"), ("", "other")] {
        let path = format!("sys/namespaces/{name}");
        h.in_ns(ns, Verb::Write, &path, &h.root, json!({})).await;
    }
    let all = json!({ "policy": "path \"*\" { capabilities = [\"read\", \"sudo\"] }" });
    let mut tokens = Vec::new();
    for ns in ["team", "team/app", "other"] {
        h.in_ns(
            ns,
            Verb::Write,
            "sys/policies/acl/all",
            &h.root,
            all.clone(),
        )
        .await;
        let wish = json!({ "policies": ["all"] });
        let made = h
            .in_ns(ns, Verb::Write, "auth/token/create", &h.root, wish)
            .await;
        tokens.push(used(&h, made.token()).await);
    }
    let report = h.read(ACTIVITY, &h.root).await;
    assert_eq!(counts(&report.data()["total"]), [0, 3, 3]);
    let within = h
        .in_ns("team", Verb::Read, ACTIVITY, &tokens[0], json!({}))
        .await;
    assert_eq!(counts(&within.data()["total"]), [0, 2, 2]);
    let namespaces = within.data()["by_namespace"].as_array().unwrap();
    let mut paths: Vec<_> = namespaces
        .iter()
        .map(|ns| ns["namespace_path"].as_str().unwrap())
        .collect();
    paths.sort_unstable();
    assert_eq!(paths, ["team/", "team/app/"]);
    let few = json!({ "limit_namespaces": 1 });
    let few = h.request(Verb::Read, ACTIVITY, &h.root, few).await;
    assert_eq!(few.data()["by_namespace"].as_array().unwrap().len(), 1);
    assert_eq!(counts(&few.data()["total"]), [0, 3, 3]);
    h.in_ns("", Verb::Delete, "sys/namespaces/other", &h.root, json!({}))
        .await;
    h.advance(BATCH).await;
    let report = h.read(ACTIVITY, &h.root).await;
    assert_eq!(counts(&report.data()["total"]), [0, 3, 3]);
    let shown = report.data()["by_namespace"].to_string();
    assert!(shown.contains("deleted namespace"), "{shown}");
    let config = h
        .in_ns("team", Verb::Read, CONFIG, &tokens[0], json!({}))
        .await;
    assert_eq!(config.status, 400, "it is about the whole server");
}

#[tokio::test(start_paused = true)]
async fn counting_can_be_configured() {
    let h = Harness::new().await;
    let config = h.read(CONFIG, &h.root).await;
    assert_eq!(config.data()["enabled"], "default-enabled");
    assert_eq!(config.data()["retention_months"], 48);
    assert_eq!(config.data()["queries_available"], false);
    for wrong in [
        json!({ "enabled": "perhaps" }),
        json!({ "retention_months": 0 }),
        json!({ "retention_months": 61 }),
        json!({ "default_report_months": -1 }),
    ] {
        assert_eq!(
            h.write(CONFIG, &h.root, wrong.clone()).await.status,
            400,
            "{wrong}"
        );
    }
    nobody(&h, &["a"]).await;
    h.advance(A_MONTH).await;
    nobody(&h, &["b"]).await;
    assert_eq!(
        h.write(CONFIG, &h.root, json!({ "enabled": "disable" }))
            .await
            .status,
        204
    );
    nobody(&h, &["c"]).await;
    assert_eq!(monthly(&h).await, [0, 0, 0], "this month is forgotten");
    let report = h.read(ACTIVITY, &h.root).await;
    assert_eq!(
        counts(&report.data()["total"]),
        [0, 1, 1],
        "the one before is not"
    );
    let wish = json!({ "enabled": "enable", "retention_months": 1 });
    assert_eq!(h.write(CONFIG, &h.root, wish).await.status, 204);
    assert_eq!(
        h.read(ACTIVITY, &h.root).await.status,
        204,
        "months that are not kept are gone"
    );
    let view = h.open().barrier.view("sys/activity/");
    assert_eq!(view.scan_paths("month/", None, 10).await.unwrap(), [""; 0]);
    nobody(&h, &["c"]).await;
    assert_eq!(monthly(&h).await, [0, 1, 1]);
    assert_eq!(h.read(CONFIG, &h.root).await.data()["enabled"], "enable");
}

async fn exported(h: &Harness, token: &str, format: &str) -> Option<String> {
    let path = ApiPath::parse("sys/internal/counters/activity/export").unwrap();
    let mut request = Request::internal("e".into(), Verb::Read, path);
    request.token = Some(Arc::new(coffer_crypto::Secret::new(token.to_owned())));
    request.body.0.insert("format".into(), format.into());
    let Ok(response) = h.kernel.handle(request).await else {
        return None;
    };
    let Body::Stream(mut stream) = response.body else {
        panic!("an export is a stream");
    };
    let mut text = Vec::new();
    while let Some(piece) = stream.pieces.next().await {
        text.extend(piece.unwrap());
    }
    Some(String::from_utf8(text).unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_export_names_every_client_once() {
    let h = Harness::new().await;
    h.enable_passport().await;
    let tina = entity(&h, "tina, \"t\"").await;
    let id = h.read("auth/token/lookup-self", &tina).await.data()["entity_id"].clone();
    h.advance(A_MONTH).await;
    used(&h, tina.clone()).await;
    nobody(&h, &["a"]).await;
    let lines = exported(&h, &h.root, "").await.unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["client_id"], id);
    assert_eq!(lines[0]["client_type"], "entity");
    assert_eq!(lines[0]["entity_alias_name"], "tina, \"t\"");
    assert_eq!(lines[0]["mount_path"], "auth/passport/");
    assert_eq!(lines[0]["timestamp"], "2027-01-15T08:00:00Z");
    assert_eq!(lines[1]["client_type"], "non-entity-token");
    assert_eq!(lines[1]["mount_path"], "auth/token/");
    let table = exported(&h, &h.root, "csv").await.unwrap();
    assert_eq!(table.lines().count(), 3);
    assert!(table.contains("\"tina, \"\"t\"\"\""), "{table}");
    assert_eq!(exported(&h, &h.root, "xml").await, None);
    h.policy(
        "reader",
        "path \"sys/internal/*\" { capabilities = [\"read\"] }",
    )
    .await;
    let reader = nobody(&h, &["reader"]).await;
    assert_eq!(exported(&h, &reader, "").await, None, "it needs sudo");
    assert_eq!(h.read(ACTIVITY, &reader).await.status, 200);
}
