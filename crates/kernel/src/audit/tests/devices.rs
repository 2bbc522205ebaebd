use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer_barrier::{Barrier, View};
use coffer_crypto::{Aes256Key, Random, Zeroizing};
use coffer_engine::Fault;
use coffer_storage::{Batch, Memory};
use coffer_wire::Timestamp;
use serde_json::Value;

use crate::audit::file::FileSink;
use crate::audit::health::Health;
use crate::audit::queue::Queue;
use crate::audit::{Allow, Devices, NewDevice, RequestFacts, ResponseFacts, writer};

pub(super) const NOW: Timestamp = Timestamp::EPOCH;

pub(super) async fn view() -> View {
    let random = Random::system();
    let barrier = Arc::new(Barrier::new(Arc::new(Memory::new()), random.clone()));
    let root = Aes256Key::generate(&random).unwrap();
    barrier.initialise(&root, 0, Batch::new()).await.unwrap();
    barrier.unseal(root).await.unwrap();
    barrier.view("sys/audit/")
}

async fn devices(view: &View) -> Devices {
    Devices::load(view.clone(), Random::system(), |_: &Path| true, NOW)
        .await
        .unwrap()
}

pub(super) fn file(path: &Path, more: &[(&str, &str)]) -> NewDevice {
    let mut options = BTreeMap::from([("file_path".to_owned(), path.display().to_string())]);
    options.extend(
        more.iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
    );
    NewDevice {
        kind: "file".into(),
        options,
        ..NewDevice::default()
    }
}

pub(super) fn request(id: &str) -> RequestFacts<'_> {
    RequestFacts {
        id,
        operation: "read",
        path: "kv/x",
        ..RequestFacts::default()
    }
}

/// The ids in a log whose lines are all whole.
pub(super) fn ids(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let id = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["request"]["id"].as_str().unwrap().to_owned()
    };
    text.lines().map(id).collect()
}

#[tokio::test]
async fn without_devices_everything_passes() {
    let devices = devices(&view().await).await;
    devices.record_request(&request("a")).await.unwrap();
    let answer = ResponseFacts::default();
    devices
        .record_response(&request("a"), &answer)
        .await
        .unwrap();
    assert!(!devices.records());
}

#[tokio::test]
async fn enabling_probes_lists_hashes_survives_and_disabling_forgets() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let view = view().await;
    let first = devices(&view).await;
    first
        .enable("main", file(&log, &[("log_raw", "false")]), NOW)
        .await
        .unwrap();
    assert!(
        fs::read_to_string(&log)
            .unwrap()
            .contains(r#""path":"sys/audit/test""#)
    );
    let listed = serde_json::to_value(first.list()).unwrap();
    let expected = serde_json::json!({"main/": {
        "type": "file", "description": "", "local": false, "path": "main/",
        "options": {"file_path": log.display().to_string(), "log_raw": "false"},
    }});
    assert_eq!(listed, expected);
    let hash = first.hash("main", "hello").unwrap();
    assert!(hash.starts_with("hmac-sha256:") && hash.len() == 76);

    let second = devices(&view).await;
    assert_eq!(second.list(), first.list());
    assert_eq!(second.hash("main/", "hello").unwrap(), hash);
    second.record_request(&request("later")).await.unwrap();
    assert_eq!(ids(&log).last().unwrap(), "later");

    second.disable("main").await.unwrap();
    second.disable("main").await.unwrap();
    assert!(second.list().is_empty() && second.hash("main", "x").is_err());
    assert!(view.scan_paths("keys/", None, 10).await.unwrap().is_empty());
    first.reload(NOW).await.unwrap();
    assert!(first.list().is_empty());
    second.enable("main", file(&log, &[]), NOW).await.unwrap();
    assert_ne!(
        second.hash("main", "hello").unwrap(),
        hash,
        "a new device has a new key"
    );
}

#[tokio::test]
async fn enabling_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let devices = devices(&view().await).await;
    devices.enable("a/b", file(&log, &[]), NOW).await.unwrap();
    let other = NewDevice {
        kind: "carrier pigeon".into(),
        ..file(&log, &[])
    };
    for (path, device, reason) in [
        ("a/b", file(&log, &[]), "already in use"),
        ("a", file(&log, &[]), "already in use"),
        ("a/b/c", file(&log, &[]), "already in use"),
        ("", file(&log, &[]), "path"),
        ("c", other, "type"),
        ("c", file(Path::new("/dev/full"), &[]), "No space left"),
        (
            "c",
            file(&folder.path().join("no/x"), &[]),
            "does not exist",
        ),
        ("c", file(folder.path(), &[]), "directory"),
        ("c", file(&log, &[("prefix", "x")]), "prefix"),
        ("c", file(&log, &[("format", "jsonx")]), "jsonx"),
        (
            "c",
            NewDevice {
                kind: "file".into(),
                ..NewDevice::default()
            },
            "file_path",
        ),
    ] {
        match devices.enable(path, device, NOW).await {
            Err(Fault::Invalid(text)) => assert!(text.contains(reason), "{text}"),
            other => panic!("{path}: {other:?}"),
        }
    }
    assert_eq!(devices.list().len(), 1);
}

#[tokio::test]
async fn one_that_records_is_enough_and_none_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let (log, doomed) = (folder.path().join("ok.log"), folder.path().join("doomed"));
    let devices = devices(&view().await).await;
    devices.enable("good", file(&log, &[]), NOW).await.unwrap();
    fs::create_dir(&doomed).unwrap();
    let bad = doomed.join("audit.log");
    devices.enable("bad", file(&bad, &[]), NOW).await.unwrap();
    fs::remove_dir_all(&doomed).unwrap();
    devices.reopen(NOW).await;
    devices.record_request(&request("one")).await.unwrap();
    assert_eq!(ids(&log).last().unwrap(), "one");

    devices.disable("good").await.unwrap();
    let refused = devices.record_request(&request("two")).await.unwrap_err();
    assert!(matches!(refused, Fault::Internal(_)));
    assert!(refused.to_string().contains("bad/"), "{refused}");
    let answer = ResponseFacts::default();
    assert!(
        devices
            .record_response(&request("two"), &answer)
            .await
            .is_err()
    );

    fs::create_dir(&doomed).unwrap();
    devices.record_request(&request("three")).await.unwrap();
    assert_eq!(ids(&bad), ["three"]);
}

#[tokio::test]
async fn a_stored_device_that_may_no_longer_write_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let view = view().await;
    let before = devices(&view).await;
    before.enable("main", file(&log, &[]), NOW).await.unwrap();
    let lines = ids(&log).len();
    let after = Devices::load(view, Random::system(), |_: &Path| false, NOW)
        .await
        .unwrap();
    assert!(after.record_request(&request("x")).await.is_err());
    assert_eq!(ids(&log).len(), lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_are_a_thousand_whole_lines() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let devices = Arc::new(devices(&view().await).await);
    devices.enable("main", file(&log, &[]), NOW).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..1_000 {
        let devices = Arc::clone(&devices);
        tasks.spawn(async move {
            devices
                .record_request(&request(&format!("r{n}")))
                .await
                .unwrap();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let seen: BTreeSet<String> = ids(&log).into_iter().skip(1).collect();
    assert_eq!(seen, (0..1_000).map(|n| format!("r{n}")).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let devices = Arc::new(devices(&view().await).await);
    devices.enable("main", file(&log, &[]), NOW).await.unwrap();
    let writer = {
        let devices = Arc::clone(&devices);
        tokio::spawn(async move {
            for n in 0..500 {
                devices
                    .record_request(&request(&format!("r{n}")))
                    .await
                    .unwrap();
            }
        })
    };
    let mut rotated = Vec::new();
    while !writer.is_finished() {
        let old = folder.path().join(format!("audit.log.{}", rotated.len()));
        fs::rename(&log, &old).unwrap();
        devices.reopen(NOW).await;
        rotated.push(old);
    }
    writer.await.unwrap();
    let seen = rotated.iter().chain([&log]).flat_map(|path| ids(path));
    let seen: Vec<String> = seen.filter(|id| id.starts_with('r')).collect();
    let expected: Vec<String> = (0..500).map(|n| format!("r{n}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_blocked_file_fails_after_the_deadline_and_at_once_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    // Opening a pipe that nobody reads blocks.
    let deadline = Duration::from_millis(200);
    let health = Arc::new(Health::new("pipe/"));
    let (queue, orders) = Queue::new(Arc::clone(&health), deadline);
    let sink = FileSink::new(pipe.clone(), None, Allow::paths(|_| true));
    writer::start(orders, sink, None, Arc::clone(&health)).unwrap();
    let line = || queue.append(Zeroizing::new(b"x\n".to_vec()), NOW);
    assert!(line().await.unwrap_err().contains("blocked"));
    while line().await.is_err() {
        let start = Instant::now();
        let refused = line().await.is_err();
        if refused && start.elapsed() < deadline / 4 {
            break;
        }
    }
    let blocked = health.state("file", deadline);
    assert!(
        !blocked.healthy && blocked.last_error.contains("blocked"),
        "{blocked:?}"
    );
    assert!(
        blocked.queue_lines >= 3 && blocked.dropped_lines == 0,
        "{blocked:?}"
    );
    // Once somebody reads, it goes on by itself.
    let reader = tokio::task::spawn_blocking(move || {
        let mut pipe = fs::File::open(pipe).unwrap();
        std::io::copy(&mut pipe, &mut std::io::sink()).unwrap()
    });
    let patience = Instant::now();
    while line().await.is_err() {
        assert!(patience.elapsed() < Duration::from_secs(30));
        tokio::task::yield_now().await;
    }
    let well = health.state("file", deadline);
    assert!(
        well.healthy && well.queue_lines == 0 && well.recorded_lines >= 4,
        "{well:?}"
    );
    drop(queue);
    assert!(reader.await.unwrap() >= 8);
}
