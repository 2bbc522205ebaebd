use std::fs;
use std::path::PathBuf;

use super::{directory, load};
use crate::config::{Config, Error, Warning};

/// The error's text, the directory cut off.
fn refusal(result: Result<(Config, Vec<Warning>), Error>) -> String {
    let text = result.unwrap_err().to_string();
    match text.find("c.hcl") {
        Some(start) => text[start..].to_owned(),
        None => text,
    }
}

#[test]
fn every_refusal_names_file_line_and_what_to_do() {
    for (text, expected) in [
        (
            "\nlisetner \"tcp\" {}",
            "c.hcl:2:1: unknown key `lisetner` in the configuration; did you mean `listener`?",
        ),
        (
            "initialize \"a\" { request \"b\" { operation = \"brew\" path = \"x\" } }",
            "c.hcl:1:18: unknown operation \"brew\", expected one of create",
        ),
        (
            "initialize \"a\" {}\ninitialize \"a\" {}",
            "c.hcl:2:1: initialize \"a\" twice, expected a name of its own",
        ),
        (
            "xyzzy_plugh = 1",
            "c.hcl:1:1: unknown key `xyzzy_plugh` in the configuration; remove it",
        ),
        (
            "listener \"tcp\" {\n tls_disabled = 1 }",
            "c.hcl:1:1: `listener \"tcp\"` speaks TLS without a certificate",
        ),
        (
            "listener \"tcp\" {\n tls_disable = 1\n  adress = \"x\" }",
            "c.hcl:3:3: unknown key `adress` in `listener \"tcp\"`; did you mean `address`?",
        ),
        (
            "listener \"udp\" {}",
            "c.hcl:1:1: `listener \"udp\"` is of an unknown type",
        ),
        (
            "listener {}\nui = \"yes\"",
            "c.hcl:2:1: `ui` has a value that does not fit (a string), expected true or false",
        ),
        (
            "listener { address = \"x\" }",
            "c.hcl:1:12: a string inside `listener`, expected `listener \"label\" { … }`",
        ),
        (
            "listener \"tcp\" { address = \"{{ GetPrivateIP }}:1\" }",
            "c.hcl:1:18: `address` has a value that does not fit",
        ),
        (
            "listener \"tcp\" { tls_disable = true, tls_min_version = \"ssl3\" }",
            "c.hcl:1:38: `tls_min_version`",
        ),
        (
            "listener \"tcp\" { tls_disable = true, tls_min_version = \"tls13\" tls_max_version = \"tls12\" }",
            "c.hcl:1:1: `listener \"tcp\"` allows no TLS version",
        ),
        (
            "listener \"tcp\" { tls_disable = 1 x_forwarded_for_authorized_addrs = \"nonsense\" }",
            "c.hcl:1:34: `x_forwarded_for",
        ),
        (
            "listener \"tcp\" { tls_disable = 1 custom_response_headers { \"600\" = {} } }",
            "c.hcl:1:60: `custom_response_headers \"600\"` is for no status",
        ),
        (
            "listener \"tcp\" { tls_disable = 1 custom_response_headers { \"200\" = { \"X-Vault-A\" = \"b\" } } }",
            "c.hcl:1:60: ",
        ),
        (
            "listener \"unix\" { socket_mode = \"rwx\" }",
            "c.hcl:1:19: `socket_mode`",
        ),
        (
            "default_lease_ttl = \"1x\"",
            "c.hcl:1:1: `default_lease_ttl` has a value that does not fit (a string), expected a duration",
        ),
        (
            "max_lease_ttl = \"1h\"\ndefault_lease_ttl = \"2h\"",
            "c.hcl:2:1: `default_lease_ttl` is longer than `max_lease_ttl`, expected at most 1h0m0s",
        ),
        (
            "seal \"ocikms\" { secret_key = \"hunter2\" }",
            "c.hcl:1:1: seal `ocikms` is not supported; there are ",
        ),
        (
            "seal \"static\" { name = \"a/b\" }",
            "c.hcl:1:1: `seal \"static\"` has a `name` that does not fit",
        ),
        (
            "seal \"static\" { priority = 0 }",
            "c.hcl:1:1: `seal \"static\"` has a `priority` that does not fit",
        ),
        (
            "seal \"static\" {}\nseal \"static\" {}",
            "c.hcl:2:1: the seal has the name of the one at ",
        ),
        (
            "seal \"static\" { current_key { a = 1 } }",
            "c.hcl:1:17: `current_key` has a value that does not fit",
        ),
        (
            "storage \"consul\" { token = \"hunter2\" }",
            "c.hcl:1:1: storage `consul` is not supported",
        ),
        (
            "storage \"file\" { }",
            "c.hcl:1:1: `storage \"file\"` has no path",
        ),
        (
            "storage \"raft\" { path = \"/a\"\nnode = \"x\" }",
            "c.hcl:2:1: unknown key `node` in `storage \"raft\"`; did you mean `node_id`?",
        ),
        (
            "storage \"file\" { path = \"/a\" }\nbackend \"inmem\" {}\nstorage \"inmem\" {}",
            "c.hcl:3:1: `storage \"inmem\"` follows another storage at",
        ),
        (
            "telemetry { foo = 1 }",
            "c.hcl:1:13: unknown key `foo` in `telemetry`",
        ),
        ("log_level = \"loud\"", "c.hcl:1:1: `log_level`"),
        (
            "version_override = \"1.2\"",
            "c.hcl:1:1: `version_override`",
        ),
        (
            "audit \"file\" \"a\" { }\naudit \"file\" \"a/\" { }",
            "c.hcl:2:1: `audit \"file\" \"a/\"` has the path of the device at",
        ),
        (
            "ui = true\napi_addr = unquoted",
            "c.hcl:2:12: found an unquoted word, expected a value; put text values into double quotes",
        ),
        (
            "{\"ui\": true,\n \"foo\": 1}",
            "c.hcl:2:2: unknown key `foo`",
        ),
        (
            "ui = true",
            "no storage is configured; write `storage \"embedded\"",
        ),
        (
            "storage \"inmem\" {}",
            "no listener is configured; write `listener \"tcp\"",
        ),
    ] {
        let refused = refusal(load(text));
        assert!(
            refused.starts_with(expected),
            "{text}\n  says {refused}\n  want {expected}"
        );
        assert!(!refused.contains("hunter2"), "a value leaks: {refused}");
    }
}

#[test]
fn unreadable_and_empty_places_are_named() {
    let absent = Config::load(&[PathBuf::from("/nonexistent/c.hcl")])
        .unwrap_err()
        .to_string();
    assert!(
        absent.contains("/nonexistent/c.hcl") && absent.contains("-config"),
        "{absent}"
    );
    let empty = directory(&[("x.txt", "")]);
    let refused = Config::load(&[empty.path().to_owned()])
        .unwrap_err()
        .to_string();
    assert!(refused.contains("holds no *.hcl or *.json"), "{refused}");
    let binary = tempfile::tempdir().unwrap();
    fs::write(binary.path().join("c.hcl"), [0xff, 0xfe]).unwrap();
    let refused = Config::load(&[binary.path().to_owned()])
        .unwrap_err()
        .to_string();
    assert!(refused.contains("UTF-8"), "{refused}");
    let large = directory(&[("c.hcl", &"# ".repeat(1024 * 1024))]);
    let refused = Config::load(&[large.path().to_owned()])
        .unwrap_err()
        .to_string();
    assert!(refused.contains("at most 1048576 bytes"), "{refused}");
}
