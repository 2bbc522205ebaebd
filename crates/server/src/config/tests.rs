use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coffer_kernel::events::EventSettings;

use super::*;

mod refusals;

/// A directory with files of that content.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn load(text: &str) -> Result<(Config, Vec<Warning>), Error> {
    let directory = directory(&[("c.hcl", text)]);
    Config::load(&[directory.path().join("c.hcl")])
}

/// A text that is loaded together with storage and a listener.
fn load_with(text: &str) -> Result<(Config, Vec<Warning>), Error> {
    load(&format!(
        "{text}\nstorage \"inmem\" {{}}\nlistener \"tcp\" {{ tls_disable = 1 }}\n"
    ))
}

fn tcp(listener: &Listener) -> (&str, Option<&Tls>) {
    match &listener.binding {
        Binding::Tcp { address, tls, .. } => (address, tls.as_ref()),
        Binding::Unix(_) => panic!("a unix listener"),
    }
}

#[test]
fn the_example_of_the_documentation() {
    let (config, warnings) = load(
        r#"
ui            = true
cluster_addr  = "https://127.0.0.1:8201"
api_addr      = "https://127.0.0.1:8200"
disable_mlock = true

storage "raft" {
  path    = "/path/to/raft/data"
  node_id = "raft_node_1"
  retry_join {
    leader_api_addr = "http://127.0.0.2:8200"
  }
}

listener "tcp" {
  address       = "127.0.0.1:8200"
  tls_cert_file = "/path/to/full-chain.pem"
  tls_key_file  = "/path/to/private-key.pem"
}

telemetry {
  statsite_address = "127.0.0.1:8125"
  disable_hostname = true
}
"#,
    )
    .unwrap();
    assert!(config.ui && config.telemetry.disable_hostname);
    assert_eq!(config.api_addr.as_deref(), Some("https://127.0.0.1:8200"));
    assert_eq!(
        config.cluster_addr.as_deref(),
        Some("https://127.0.0.1:8201")
    );
    let path = PathBuf::from("/path/to/raft/data");
    assert_eq!(
        config.storage,
        Storage::Embedded {
            path,
            node_id: Some("raft_node_1".to_owned())
        }
    );
    assert_eq!(config.default_lease_ttl, Duration::from_secs(768 * 3600));
    assert_eq!(config.max_lease_ttl, Duration::from_secs(768 * 3600));
    assert_eq!(config.seals, []);
    let [listener] = config.listeners.as_slice() else {
        panic!("one listener")
    };
    assert_eq!(listener.max_request_size_bytes, Some(33_554_432));
    assert_eq!(listener.max_request_duration, Duration::from_secs(90));
    assert_eq!(listener.timeouts.read_header, Duration::from_secs(10));
    assert_eq!(listener.timeouts.read, Some(Duration::from_secs(30)));
    assert_eq!(listener.timeouts.idle, Duration::from_secs(300));
    assert_eq!(listener.timeouts.write, None);
    let (address, tls) = tcp(listener);
    assert_eq!(address, "127.0.0.1:8200");
    let tls = tls.unwrap();
    assert_eq!(tls.key_file, Path::new("/path/to/private-key.pem"));
    assert_eq!(
        (tls.min_version, tls.max_version),
        (TlsVersion::Tls12, TlsVersion::Tls13)
    );
    assert_eq!(tls.client_certificates, ClientCertificates::Request);
    let places: Vec<(u32, bool)> = warnings
        .iter()
        .map(|warning| {
            (
                warning.place.position.line,
                warning.message.contains("no effect"),
            )
        })
        .collect();
    assert_eq!(places, [(5, true), (10, true), (22, true)], "{warnings:?}");
}

#[test]
fn json_as_test_suites_write_it() {
    for text in [
        r#"{"backend": {"inmem": {}}, "listener": {"tcp": {"address": "127.0.0.1:8200", "tls_cert_file": "test/cert.pem",
            "tls_key_file": "test/key.pem"}}, "disable_mlock": true, "default_lease_ttl": "768h", "max_lease_ttl": "768h"}"#,
        r#"{"storage": [{"inmem": {}}], "listener": [{"tcp": [{"address": "127.0.0.1:8200", "tls_cert_file": "test/cert.pem",
            "tls_key_file": "test/key.pem", "tls_disable": "false"}]}], "default_lease_ttl": 2764800, "max_lease_ttl": "2764800"}"#,
    ] {
        let (config, _) = load(text).unwrap();
        assert_eq!(config.storage, Storage::Memory);
        let (address, tls) = tcp(&config.listeners[0]);
        assert_eq!(
            (address, tls.unwrap().cert_file.as_path()),
            ("127.0.0.1:8200", Path::new("test/cert.pem"))
        );
        assert_eq!(config.max_lease_ttl, Duration::from_secs(2_764_800));
    }
}

#[test]
fn a_listener_with_everything() {
    let (config, warnings) = load(
        r#"
storage "inmem" {}
default_max_request_duration = "2m"
listener "tcp" {
  address = ":8300"
  tls_disable = "true"
  max_request_size = -1
  max_request_json_memory = 1000000
  max_request_json_strings = "1000"
  max_json_depth = 0
  max_request_duration = 30
  http_read_timeout = 0
  http_idle_timeout = "0"
  http_read_header_timeout = "5s"
  x_forwarded_for_authorized_addrs = "10.0.0.0/8, ::1"
  x_forwarded_for_hop_skips = "1"
  x_forwarded_for_reject_not_present = false
  disable_unauthed_rekey_endpoints = true
  redact_version = "1"
  aws_kms = "/team/kms/"
  telemetry { unauthenticated_metrics_access = true }
  profiling { unauthenticated_pprof_access = true }
  custom_response_headers {
    "default" = { "Strict-Transport-Security" = ["max-age=1", "x"] }
    "2xx" = { "X-A" = "b" }
  }
}
listener "unix" {
  address = "/run/x.sock"
  socket_mode = "660"
  socket_user = 1000
}
"#,
    )
    .unwrap();
    let [one, two] = config.listeners.as_slice() else {
        panic!("two listeners")
    };
    let json = coffer_wire::JsonBounds {
        memory_bytes: Some(1_000_000),
        texts: Some(1000),
        ..coffer_wire::JsonBounds::default()
    };
    assert_eq!(
        (one.json, two.json),
        (json, coffer_wire::JsonBounds::default())
    );
    assert_eq!(
        (one.max_request_size_bytes, one.max_request_duration),
        (None, Duration::from_secs(30))
    );
    assert_eq!(two.max_request_duration, Duration::from_secs(120));
    assert_eq!(
        (one.timeouts.read, one.timeouts.idle),
        (None, Duration::from_secs(5))
    );
    assert!(
        one.unauthenticated_metrics_access
            && one.disable_unauthed_rekey_endpoints
            && one.redact_version
    );
    assert!(!two.unauthenticated_metrics_access && !two.redact_version);
    assert_eq!(
        (one.aws_kms.as_deref(), two.aws_kms.as_deref()),
        (Some("team/kms"), None)
    );
    let Binding::Tcp {
        address,
        tls: None,
        forwarded_for: Some(forwarded),
    } = &one.binding
    else {
        panic!("plain TCP")
    };
    assert_eq!(address, "[::]:8300");
    assert_eq!(
        forwarded.authorized,
        ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]
    );
    assert_eq!(
        (
            forwarded.hop_skips,
            forwarded.reject_not_present,
            forwarded.reject_not_authorized
        ),
        (1, false, true)
    );
    let values = vec!["max-age=1".to_owned(), "x".to_owned()];
    assert_eq!(
        one.response_headers[0].headers,
        [("Strict-Transport-Security".to_owned(), values)]
    );
    assert_eq!(one.response_headers[1].status, "2xx");
    let Binding::Unix(socket) = &two.binding else {
        panic!("a socket")
    };
    assert_eq!(
        (socket.mode, socket.user.as_deref(), socket.group.as_deref()),
        (Some(0o660), Some("1000"), None)
    );
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn operator_endpoints_without_a_token_can_be_closed() {
    let closed = |text: &str| {
        let (config, _) = load_with(text).unwrap();
        let listener = &config.listeners[0];
        (
            listener.disable_unauthed_rekey_endpoints,
            listener.disable_unauthed_generate_root_endpoints,
        )
    };
    assert_eq!(closed(""), (false, false));
    assert_eq!(closed("enable_unauthenticated_access = []"), (true, true));
    assert_eq!(
        closed("enable_unauthenticated_access = [\"generate-root\"]"),
        (true, false)
    );
}

#[test]
fn several_files_are_merged_in_lexical_order() {
    let directory = directory(&[
        (
            "b.json",
            r#"{"default_lease_ttl": "2h", "listener": {"tcp": {"address": "127.0.0.1:2", "tls_disable": true}}}"#,
        ),
        (
            "a.hcl",
            "default_lease_ttl = \"1h\"\nmax_lease_ttl = \"3h\"\nstorage \"file\" { path = \"/a\" }\nlistener \"tcp\" { address = \"127.0.0.1:1\" tls_disable = 1 }",
        ),
        ("c.hcl", "storage \"inmem\" {}"),
        ("ignored.txt", "not { a config"),
        ("c.hcl.bak", "not { a config"),
    ]);
    let (config, _) = Config::load(&[directory.path().to_owned()]).unwrap();
    assert_eq!(
        (
            config.default_lease_ttl.as_secs(),
            config.max_lease_ttl.as_secs()
        ),
        (7200, 10_800)
    );
    assert_eq!(
        config
            .listeners
            .iter()
            .map(|listener| tcp(listener).0)
            .collect::<Vec<_>>(),
        ["127.0.0.1:1", "127.0.0.1:2"]
    );
    assert_eq!(config.storage, Storage::Memory);
    let files = ["a.hcl", "b.json"].map(|name| directory.path().join(name));
    assert!(matches!(
        Config::load(&files).unwrap().0.storage,
        Storage::Embedded { .. }
    ));
}

#[test]
fn audit_devices_logs_and_the_rest() {
    let (config, warnings) = load_with(
        r#"
audit "file" "to-stdout" {
  description = "out"
  options { file_path = "stdout" log_raw = true }
}
audit = [{ file = { "disk/" = { options = { file_path = "/x" } } } }]
seal "shamir" {}
log_level = "DEBUG"
log_format = "json"
log_file = "/var/log/x"
pid_file = "/run/x.pid"
max_lease_ttl = "1h"
version_override = "1.21.0+coffer.1"
raw_storage_endpoint = "true"
unsafe_allow_api_audit_creation = true
allow_audit_log_prefixing = true
telemetry { usage_gauge_period = "none" prometheus_retention_time = "0s" }
plugin "secret" "x" { command = "y" }
service_registration "kubernetes" { namespace = "x" }
user_lockout "all" { lockout_duration = "10m" lockout_threshold = "7" }
user_lockout "Userpass" { disable_lockout = "true" }
ha_storage "raft" { }
"#,
    )
    .unwrap();
    assert_eq!(
        config
            .audit
            .iter()
            .map(|device| device.path.as_str())
            .collect::<Vec<_>>(),
        ["to-stdout", "disk"]
    );
    assert_eq!(config.audit[0].options["log_raw"], "true");
    let all = config.user_lockout["all"];
    assert_eq!(
        (all.threshold, all.duration.as_secs(), all.disabled),
        (7, 600, false)
    );
    assert!(config.user_lockout["userpass"].disabled);
    assert_eq!(
        (config.log.level, config.log.format),
        (Some(LogLevel::Debug), Some(LogFormat::Json))
    );
    assert_eq!(
        config.default_lease_ttl,
        Duration::from_secs(3600),
        "a default that nobody wrote stays within the maximum"
    );
    assert_eq!(config.telemetry.usage_gauge_period, None);
    assert!(config.raw_storage_endpoint);
    assert_eq!(config.unsafe_allow_api_audit_creation, Some(true));
    assert!(config.allow_audit_log_prefixing);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
}

#[test]
fn dev_mode_needs_no_file_and_no_storage() {
    let (config, warnings) = Config::load_for_dev(&[]).unwrap();
    assert_eq!(
        (config.storage, config.listeners.len(), warnings.len()),
        (Storage::Memory, 0, 0)
    );
    let directory = directory(&[("c.hcl", "ui = true\nlog_level = \"trace\"")]);
    assert!(
        Config::load_for_dev(&[directory.path().to_owned()])
            .unwrap()
            .0
            .ui
    );
}

#[test]
fn every_ignored_key_is_accepted_once_and_warned_about() {
    let groups = [
        (ignored::AT_TOP, "", ""),
        (
            ignored::IN_LISTENER,
            "listener \"tcp\" { tls_disable = 1\n",
            "}",
        ),
        (ignored::IN_TCP, "listener \"tcp\" { tls_disable = 1\n", "}"),
        (ignored::IN_UNIX, "listener \"unix\" {\n", "}"),
        (ignored::IN_TELEMETRY, "telemetry {\n", "}"),
        (
            ignored::IN_STORAGE,
            "storage \"file\" {\npath = \"/a\"\n",
            "}",
        ),
    ];
    for (ignored, before, after) in groups {
        let keys: Vec<&str> = ignored
            .iter()
            .flat_map(|group| group.keys.iter().copied())
            .collect();
        let lines: String = keys.iter().map(|key| format!("{key} = \"x\"\n")).collect();
        let storage = if before.starts_with("storage") {
            ""
        } else {
            "storage \"inmem\" {}"
        };
        let listener = "listener \"tcp\" { tls_disable = 1 }";
        let (_, warnings) =
            load(&format!("{before}{lines}{after}\n{storage}\n{listener}")).unwrap();
        assert_eq!(warnings.len(), keys.len());
        for (warning, key) in warnings.iter().zip(keys) {
            assert!(
                warning
                    .message
                    .starts_with(&format!("`{key}` has no effect: ")),
                "{warning}"
            );
        }
    }
}

#[test]
fn events_are_kept_as_the_configuration_says() {
    let with = |stanza: &str| {
        let rest = "storage \"inmem\" {}\nlistener \"tcp\" { tls_disable = 1 }";
        load(&format!("events {{ {stanza} }}\n{rest}"))
    };
    let events = |stanza: &str| with(stanza).unwrap().0.events;
    assert_eq!(events(""), EventSettings::default());
    let given = events(
        "retention = \"1h\"\nmax_bytes = \"2MiB\"\nmemory_bytes = 3000000\nmax_subscribers = 7\nmax_subscribers_per_client = 2",
    );
    let expected = EventSettings {
        retention: Duration::from_secs(3_600),
        max_bytes: 2 << 20,
        memory_bytes: 3_000_000,
        max_subscribers: 7,
        max_subscribers_per_client: 2,
    };
    assert_eq!(given, expected);
    assert!(!events("retention = 0").stores());
    for wrong in [
        "max_bytes = \"64 apples\"",
        "max_bytes = -1",
        "max_bytes = \"99999999999GiB\"",
        "memory_bytes = 0",
        "memory_bytes = \"5GiB\"",
        "max_subscribers = 0",
        "max_subscribers_per_client = \"many\"",
        "retention = \"long\"",
        "retain = \"1h\"",
    ] {
        let error = with(wrong).unwrap_err().to_string();
        let key = wrong.split(' ').next().unwrap();
        assert!(error.contains(key), "{error}");
    }
}
