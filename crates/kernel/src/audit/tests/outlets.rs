//! Devices that send: to sockets, to syslog, over HTTP; and what happens when nobody takes what they send.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer_barrier::View;
use coffer_crypto::{Random, Zeroizing};
use coffer_engine::Fault;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::Notify;

use super::devices::{NOW, file, ids, request, view};
use crate::audit::chain::{Head, Report, Verifier};
use crate::audit::{
    Allow, DeviceState, Devices, HttpOutlet, HttpSender, HttpTarget, MountFacts, NewDevice,
    Posting, RequestFacts,
};

/// Longer than requests may wait for devices that another one makes up for, and shorter than a device's deadline.
const NOT_HELD_UP: Duration = Duration::from_secs(4);

fn device(kind: &str, options: &[(&str, &str)]) -> NewDevice {
    let options = options.iter();
    let options = options.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    NewDevice {
        kind: kind.to_owned(),
        options: options.collect(),
        ..NewDevice::default()
    }
}

async fn devices(view: &View, allow: Allow) -> Devices {
    Devices::load(view.clone(), Random::system(), allow, NOW)
        .await
        .unwrap()
}

async fn fresh() -> Devices {
    devices(&view().await, Allow::paths(|_| true)).await
}

async fn record(devices: &Devices, id: &str) -> Result<(), Fault> {
    devices.record_request(&request(id)).await
}

fn state(devices: &Devices, path: &str) -> DeviceState {
    let mut states = devices.states().into_iter();
    states.find(|state| state.path == path).unwrap()
}

fn id(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap();
    line["request"]["id"].as_str().unwrap().to_owned()
}

fn next_id(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    id(&line)
}

/// Waits, without a clock of its own, until something is so.
async fn until(what: impl Fn() -> bool) {
    let patience = Instant::now();
    while !what() {
        assert!(patience.elapsed() < Duration::from_secs(30));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stream_that_was_lost_is_connected_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let unix = UnixListener::bind(&path).unwrap();
    let address = tcp.local_addr().unwrap().to_string();
    let devices = fresh().await;
    devices
        .enable("tcp", device("socket", &[("address", &address)]), NOW)
        .await
        .unwrap();
    let over_unix = device(
        "socket",
        &[("address", path.to_str().unwrap()), ("socket_type", "unix")],
    );
    devices.enable("unix", over_unix, NOW).await.unwrap();
    let accept = || {
        let tcp = BufReader::new(tcp.accept().unwrap().0);
        let unix = BufReader::new(unix.accept().unwrap().0);
        (tcp, unix)
    };
    let (mut one, mut two) = accept();
    next_id(&mut one);
    next_id(&mut two);
    record(&devices, "first").await.unwrap();
    assert_eq!(
        (next_id(&mut one), next_id(&mut two)),
        ("first".to_owned(), "first".to_owned())
    );
    drop((one, two));
    // The receiver closed; nothing is written into the void.
    record(&devices, "second").await.unwrap();
    let (mut one, mut two) = accept();
    assert_eq!(
        (next_id(&mut one), next_id(&mut two)),
        ("second".to_owned(), "second".to_owned())
    );
    // A rotation connects anew.
    devices.reopen(NOW).await;
    record(&devices, "third").await.unwrap();
    let (mut again, _) = accept();
    assert_eq!(next_id(&mut again), "third");
    let mut rest = Vec::new();
    assert_eq!(one.read_to_end(&mut rest).unwrap(), 0);
}

#[tokio::test]
async fn datagrams_hold_a_line_each_and_too_long_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let unix = UnixDatagram::bind(&path).unwrap();
    let address = udp.local_addr().unwrap().to_string();
    let devices = fresh().await;
    let over_udp = device("socket", &[("address", &address), ("socket_type", "udp")]);
    devices.enable("udp", over_udp, NOW).await.unwrap();
    let over_unix = device(
        "socket",
        &[
            ("address", path.to_str().unwrap()),
            ("socket_type", "unixgram"),
        ],
    );
    devices.enable("unix", over_unix, NOW).await.unwrap();
    record(&devices, "first").await.unwrap();
    let mut bytes = vec![0; 70_000];
    let mut receive = || {
        let count = udp.recv(&mut bytes).unwrap();
        let one = id(std::str::from_utf8(&bytes[..count]).unwrap());
        let count = unix.recv(&mut bytes).unwrap();
        (one, id(std::str::from_utf8(&bytes[..count]).unwrap()))
    };
    receive();
    assert_eq!(receive(), ("first".to_owned(), "first".to_owned()));
    devices.disable("unix").await.unwrap();
    let long = "x".repeat(70_000);
    let facts = RequestFacts {
        path: &long,
        ..request("long")
    };
    let refused = devices.record_request(&facts).await.unwrap_err();
    assert!(refused.to_string().contains("too long"), "{refused}");
    let after = state(&devices, "udp/");
    assert!(after.healthy && after.dropped_lines == 1, "{after:?}");
    record(&devices, "second").await.unwrap();
    let count = udp.recv(&mut bytes).unwrap();
    assert_eq!(id(std::str::from_utf8(&bytes[..count]).unwrap()), "second");
}

#[tokio::test]
async fn syslog_gets_a_header_with_each_line_and_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let (nobody, path) = (folder.path().join("nobody"), folder.path().join("log"));
    let allow = Allow::paths(|_| true).with_syslog(vec![nobody, path.clone()]);
    let devices = devices(&view().await, allow).await;
    let tagged = device("syslog", &[("facility", "LOCAL3"), ("tag", "coffer")]);
    let refused = devices
        .enable("log", tagged.clone(), NOW)
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("no syslog daemon"),
        "{refused}"
    );
    let receive = |daemon: &UnixDatagram| {
        let mut bytes = vec![0; 65_536];
        let count = daemon.recv(&mut bytes).unwrap();
        let text = String::from_utf8(bytes[..count].to_vec()).unwrap();
        let (header, line) = text.split_once("]: ").unwrap();
        assert!(
            header.starts_with("<158>") && header.contains(" coffer["),
            "{header}"
        );
        id(line)
    };
    let daemon = UnixDatagram::bind(&path).unwrap();
    devices.enable("log", tagged, NOW).await.unwrap();
    record(&devices, "first").await.unwrap();
    receive(&daemon);
    assert_eq!(receive(&daemon), "first");
    drop(daemon);
    fs::remove_file(&path).unwrap();
    assert!(record(&devices, "nobody").await.is_err());
    assert!(!state(&devices, "log/").healthy);
    let daemon = UnixDatagram::bind(&path).unwrap();
    record(&devices, "second").await.unwrap();
    assert_eq!(receive(&daemon), "second");
    assert!(state(&devices, "log/").healthy);
}

/// Takes what is posted, unless told otherwise.
#[derive(Clone, Default)]
struct Receiver {
    bodies: Arc<Mutex<Vec<String>>>,
    /// Answers with this.
    refuses: Arc<Mutex<Option<String>>>,
    /// Answers once this is notified.
    holds: Arc<Mutex<Option<Arc<Notify>>>>,
}

impl HttpOutlet for Receiver {
    fn sender(&self, target: &HttpTarget) -> Result<Arc<dyn HttpSender>, String> {
        match target.uri.as_str() {
            "http://nowhere/" => Err("there is no such place".to_owned()),
            _ => Ok(Arc::new(self.clone())),
        }
    }
}

impl HttpSender for Receiver {
    fn post(&self, body: Zeroizing<Vec<u8>>) -> Posting {
        let receiver = self.clone();
        Box::pin(async move {
            let held = receiver.holds.lock().clone();
            if let Some(held) = held {
                held.notified().await;
            }
            if let Some(why) = receiver.refuses.lock().clone() {
                return Err(why);
            }
            let body = String::from_utf8(body.to_vec()).unwrap();
            receiver.bodies.lock().push(body);
            Ok(())
        })
    }
}

#[tokio::test]
async fn lines_are_posted_and_failures_are_told() {
    let without = fresh().await;
    let post = device("http", &[("uri", "http://h/")]);
    let refused = without.enable("web", post.clone(), NOW).await.unwrap_err();
    assert!(
        refused.to_string().contains("no lines over HTTP"),
        "{refused}"
    );

    let receiver = Receiver::default();
    let allow = Allow::paths(|_| true).with_http(Arc::new(receiver.clone()));
    let devices = devices(&view().await, allow).await;
    let nowhere = device("http", &[("uri", "http://nowhere/")]);
    let refused = devices.enable("web", nowhere, NOW).await.unwrap_err();
    assert!(refused.to_string().contains("no such place"), "{refused}");
    devices.enable("web", post, NOW).await.unwrap();
    record(&devices, "first").await.unwrap();
    assert_eq!(id(&receiver.bodies.lock()[1]), "first");
    *receiver.refuses.lock() = Some("status 503".to_owned());
    let refused = record(&devices, "second").await.unwrap_err();
    assert!(refused.to_string().contains("status 503"), "{refused}");
    let failing = state(&devices, "web/");
    assert!(
        !failing.healthy && failing.dropped_lines == 1,
        "{failing:?}"
    );
    *receiver.refuses.lock() = None;
    record(&devices, "third").await.unwrap();
    assert!(state(&devices, "web/").healthy);
}

#[tokio::test]
async fn posted_chains_hold_although_posts_fail() {
    let receiver = Receiver::default();
    let allow = Allow::paths(|_| true).with_http(Arc::new(receiver.clone()));
    let devices = devices(&view().await, allow).await;
    let post = device("http", &[("uri", "http://h/"), ("chain", "true")]);
    devices.enable("web", post, NOW).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    devices
        .enable("file", file(&folder.path().join("a.log"), &[]), NOW)
        .await
        .unwrap();
    for number in 0..30 {
        let fails = number % 7 == 3;
        *receiver.refuses.lock() = fails.then(|| "not now".to_owned());
        record(&devices, "x").await.unwrap();
        until(|| state(&devices, "web/").queue_lines == 0).await;
    }
    let text = receiver.bodies.lock().concat();
    let report = checked(&devices, "web", &[text.as_bytes()]);
    assert!(report.intact, "{report:#?}");
    assert_eq!(report.chains[0].lost, 4);
}

#[tokio::test]
async fn a_receiver_that_never_answers_holds_up_nobody_and_its_queue_is_bounded() {
    let receiver = Receiver::default();
    let allow = Allow::paths(|_| true).with_http(Arc::new(receiver.clone()));
    let devices = devices(&view().await, allow).await;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("a.log");
    devices.enable("file", file(&log, &[]), NOW).await.unwrap();
    let post = device("http", &[("uri", "http://h/"), ("chain", "true")]);
    devices.enable("web", post, NOW).await.unwrap();
    let gate = Arc::new(Notify::new());
    *receiver.holds.lock() = Some(Arc::clone(&gate));
    let start = Instant::now();
    for number in 0..1_200 {
        record(&devices, &number.to_string()).await.unwrap();
    }
    assert!(start.elapsed() < NOT_HELD_UP, "{:?}", start.elapsed());
    let behind = state(&devices, "web/");
    assert!(
        behind.queue_lines >= 1_000 && behind.dropped_lines > 100,
        "{behind:?}"
    );
    assert!(
        behind.queue_lines as u64 + behind.dropped_lines == 1_200,
        "{behind:?}"
    );
    *receiver.holds.lock() = None;
    gate.notify_one();
    until(|| state(&devices, "web/").queue_lines == 0).await;
    record(&devices, "end").await.unwrap();
    until(|| {
        receiver
            .bodies
            .lock()
            .last()
            .is_some_and(|body| id(body) == "end")
    })
    .await;
    let text = receiver.bodies.lock().concat();
    let report = checked(&devices, "web", &[text.as_bytes()]);
    assert!(report.intact, "{report:#?}");
    assert_eq!(report.chains[0].lost, behind.dropped_lines);
    assert_eq!(ids(&log).len(), 1 + 1_200 + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocked_devices_of_all_kinds_hold_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, log) = (folder.path().join("pipe"), folder.path().join("a.log"));
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let devices = fresh().await;
    devices.enable("good", file(&log, &[]), NOW).await.unwrap();
    let untried = [("skip_test", "true")];
    for (path, device) in [
        ("pipe", file(&pipe, &untried)),
        ("full", file(Path::new("/dev/full"), &untried)),
        (
            "closed",
            device("socket", &[("address", "127.0.0.1:1"), untried[0]]),
        ),
    ] {
        devices.enable(path, device, NOW).await.unwrap();
    }
    let start = Instant::now();
    for number in 0..50 {
        record(&devices, &number.to_string()).await.unwrap();
    }
    assert!(start.elapsed() < NOT_HELD_UP, "{:?}", start.elapsed());
    assert_eq!(ids(&log).len(), 51);
    assert!(state(&devices, "good/").healthy);
    for path in ["full/", "closed/"] {
        until(|| state(&devices, path).queue_lines == 0).await;
        let failing = state(&devices, path);
        assert!(
            !failing.healthy && failing.dropped_lines == 50,
            "{failing:?}"
        );
        assert!(
            !failing.last_error.is_empty() && failing.failing_since == Some(NOW),
            "{failing:?}"
        );
    }
    let pipe = state(&devices, "pipe/");
    assert!(
        pipe.queue_lines == 50 && pipe.recorded_lines == 0,
        "{pipe:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_does_not_read_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("a.log");
    // Connections are accepted by the system, and nobody reads from them.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap().to_string();
    let devices = fresh().await;
    devices
        .enable("good", file(&log, &[("chain", "false")]), NOW)
        .await
        .unwrap();
    let to_deaf = device("socket", &[("address", &address), ("write_timeout", "20s")]);
    devices.enable("deaf", to_deaf, NOW).await.unwrap();
    let long = "x".repeat(1_000_000);
    let is_stuck = || state(&devices, "deaf/").queue_lines > 1;
    let mut sent = 0;
    while !is_stuck() {
        assert!(sent < 100, "the system's buffers have no end");
        sent += 1;
        let facts = RequestFacts {
            path: &long,
            ..request("long")
        };
        devices.record_request(&facts).await.unwrap();
    }
    let start = Instant::now();
    for number in 0..20 {
        record(&devices, &number.to_string()).await.unwrap();
    }
    assert!(start.elapsed() < NOT_HELD_UP, "{:?}", start.elapsed());
    assert_eq!(ids(&log).len(), 1 + sent + 20);
}

#[tokio::test]
async fn filters_choose_and_the_fallback_takes_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let logs: BTreeMap<&str, _> = ["kv", "rest", "other"]
        .into_iter()
        .map(|name| (name, folder.path().join(name)))
        .collect();
    let devices = fresh().await;
    let filtered = file(
        &logs["kv"],
        &[("filter", "mount_type == kv and operation != list")],
    );
    devices.enable("kv", filtered, NOW).await.unwrap();
    let fallback = file(&logs["rest"], &[("fallback", "true")]);
    devices.enable("rest", fallback.clone(), NOW).await.unwrap();
    let second = devices.enable("more", fallback, NOW).await.unwrap_err();
    assert!(second.to_string().contains("rest/"), "{second}");
    let ask = async |id: &'static str, kind: &'static str, operation: &'static str| {
        let facts = RequestFacts {
            operation,
            mount: Some(MountFacts {
                kind,
                ..MountFacts::default()
            }),
            ..request(id)
        };
        devices.record_request(&facts).await
    };
    ask("one", "kv", "read").await.unwrap();
    ask("two", "kv", "list").await.unwrap();
    ask("three", "transit", "read").await.unwrap();
    let seen = |name: &str| ids(&logs[name])[1..].to_vec();
    assert_eq!(seen("kv"), ["one"]);
    assert_eq!(seen("rest"), ["two", "three"]);
    // What was chosen and could not be recorded goes there, too.
    fs::remove_file(&logs["kv"]).unwrap();
    fs::create_dir(&logs["kv"]).unwrap();
    devices.reopen(NOW).await;
    ask("four", "kv", "read").await.unwrap();
    assert_eq!(seen("rest"), ["two", "three", "four"]);
    // Without a fallback, what no filter chooses is not recorded, and not refused.
    devices.disable("rest").await.unwrap();
    ask("five", "transit", "read").await.unwrap();
    assert!(ask("six", "kv", "read").await.is_err());
    devices
        .enable("other", file(&logs["other"], &[]), NOW)
        .await
        .unwrap();
    ask("seven", "transit", "read").await.unwrap();
    assert_eq!(seen("other"), ["seven"]);
}

#[tokio::test]
async fn what_is_excluded_is_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("a.log");
    let exclude =
        r#"[{"condition":"/request/operation == read","fields":["/request/path","/auth"]}]"#;
    let view = view().await;
    let devices = devices(&view, Allow::paths(|_| true)).await;
    devices
        .enable("main", file(&log, &[("exclude", exclude)]), NOW)
        .await
        .unwrap();
    record(&devices, "x").await.unwrap();
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["request"]["path"], "sys/audit/test");
    assert!(lines[1].get("auth").is_none() && lines[1]["request"].get("path").is_none());
    assert_eq!(lines[1]["request"]["id"], "x");
    assert!(checked(&devices, "main", &[text.as_bytes()]).intact);
}

fn checked(devices: &Devices, path: &str, files: &[&[u8]]) -> Report {
    let (key, head) = devices.chain(path).unwrap();
    let mut verifier = Verifier::new();
    verifier.key(key);
    verifier.head(head.unwrap());
    for file in files {
        verifier.file("log", &mut &**file, |_| {}).unwrap();
    }
    verifier.finish()
}

#[tokio::test]
async fn a_file_s_chain_outlives_rotations_restarts_and_crashes() {
    let folder = tempfile::tempdir().unwrap();
    let (log, old) = (folder.path().join("a.log"), folder.path().join("a.log.1"));
    let view = view().await;
    let begin = || devices(&view, Allow::paths(|_| true));
    let first = begin().await;
    first.enable("main", file(&log, &[]), NOW).await.unwrap();
    record(&first, "1").await.unwrap();
    record(&first, "2").await.unwrap();
    first.keep_heads().await.unwrap();
    // Killed in the middle of a line, after lines that no stored head knows.
    record(&first, "3").await.unwrap();
    let kept = first.chain("main").unwrap().1.unwrap();
    drop(first);
    let mut text = fs::read(&log).unwrap();
    text.extend(b"{\"time\":\"20");
    fs::write(&log, &text).unwrap();
    let second = begin().await;
    assert_eq!(
        second.chain("main").unwrap().1,
        Some(kept),
        "the file knows more than the storage"
    );
    record(&second, "4").await.unwrap();
    fs::rename(&log, &old).unwrap();
    second.reopen(NOW).await;
    record(&second, "5").await.unwrap();
    second.keep_heads().await.unwrap();
    drop(second);
    let third = begin().await;
    record(&third, "6").await.unwrap();
    let (before, after) = (fs::read(&old).unwrap(), fs::read(&log).unwrap());
    let report = checked(&third, "main", &[&before, &after]);
    assert!(report.intact, "{report:#?}");
    assert_eq!((report.chains[0].runs, report.lines), (3, 8));
    assert!(checked(&third, "main", &[&after]).intact);
    third.keep_heads().await.unwrap();
    drop(third);
    // The end is cut off while nobody looks.
    let lines = String::from_utf8(after).unwrap();
    let cut = lines.lines().next().unwrap();
    fs::write(&log, format!("{cut}\n")).unwrap();
    let fourth = begin().await;
    record(&fourth, "7").await.unwrap();
    let after = fs::read(&log).unwrap();
    let report = checked(&fourth, "main", &[&before, &after]);
    assert!(
        !report.intact && report.problems[0].text.contains("missing"),
        "{report:#?}"
    );
    fourth.disable("main").await.unwrap();
    assert!(
        view.scan_paths("heads/", None, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn heads_are_texts_that_a_check_takes() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("a.log");
    let devices = fresh().await;
    devices.enable("main", file(&log, &[]), NOW).await.unwrap();
    let shown = state(&devices, "main/").chain_head.unwrap();
    let head: Head = shown.parse().unwrap();
    assert_eq!(Some(head), devices.chain("main/").unwrap().1);
    devices
        .enable(
            "plain",
            file(&folder.path().join("b"), &[("chain", "false")]),
            NOW,
        )
        .await
        .unwrap();
    let none = devices.chain("plain").unwrap_err();
    assert!(none.to_string().contains("chain=true"), "{none}");
    assert!(
        !fs::read_to_string(folder.path().join("b"))
            .unwrap()
            .contains("chain")
    );
}
