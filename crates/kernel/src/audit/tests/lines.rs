//! `testdata/reference.jsonl` holds lines that OpenBao 2.7.2 wrote with `log_raw`, with identifiers,
//! tokens, times and ports made regular. The same facts must give the same text here.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Body, Fault};
use coffer_wire::{Auth, Timestamp, WrapInfo, parse_object};
use serde_json::{Map, Value};

use crate::audit::entry::*;
use crate::audit::hash::Hasher;
use crate::audit::line::{Data, Format};

const RECORDED: &str = include_str!("../testdata/reference.jsonl");
pub(super) const KV2: MountFacts<'_> = mount("kv2/", "kv", "kv_60c786dd", "secret");
const TOKEN: MountFacts<'_> = mount("auth/token/", "token", "auth_token_cb77a137", "auth");

/// What owns the facts of the lines.
pub(super) struct World {
    root: Secret<String>,
    user: Secret<String>,
    root_policies: Vec<String>,
    user_policies: Vec<String>,
    wrapping_policies: Vec<String>,
    metadata: BTreeMap<String, String>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            root: "s.token1".into(),
            user: "s.token4".into(),
            root_policies: vec!["root".into()],
            user_policies: vec!["default".into(), "p1".into()],
            wrapping_policies: vec!["response-wrapping".into()],
            metadata: BTreeMap::from([("username".into(), "al".into())]),
        }
    }

    /// The root token's request number `id`.
    pub(super) fn root(&self, id: &'static str, line: u64) -> RequestFacts<'_> {
        RequestFacts {
            id,
            time: time(line),
            remote_address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            client_token: Some(&self.root),
            token: Some(TokenFacts {
                accessor: "accessor1",
                display_name: "root",
                policies: &self.root_policies,
                token_policies: &self.root_policies,
                issued: Some(Timestamp::from_secs(1_767_225_600)),
                ..TokenFacts::default()
            }),
            policy_results: Some(granted("root")),
            ..RequestFacts::default()
        }
    }

    fn refused(&self, line: u64, fault: &'static Fault) -> RequestFacts<'_> {
        RequestFacts {
            id: "id-9",
            time: time(line),
            operation: "read",
            path: "kv2/data/a",
            mount: Some(MountFacts {
                accessor: "",
                ..KV2
            }),
            remote_address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            remote_port: 40_008,
            client_token: Some(&self.user),
            token: Some(TokenFacts {
                accessor: "accessor4",
                display_name: "userpass-al",
                policies: &self.user_policies,
                token_policies: &self.user_policies,
                metadata: Some(&self.metadata),
                entity_id: "id-8",
                ttl: Duration::from_secs(2_764_800),
                issued: Some(Timestamp::from_secs(1_767_225_600)),
                ..TokenFacts::default()
            }),
            policy_results: Some(PolicyResults::default()),
            refusal: Some(fault),
            ..RequestFacts::default()
        }
    }
}

const fn mount(
    point: &'static str,
    kind: &'static str,
    accessor: &'static str,
    class: &'static str,
) -> MountFacts<'static> {
    MountFacts {
        point,
        kind,
        accessor,
        class,
        running_version: "v0",
        plain_request_keys: &[],
        plain_response_keys: &[],
    }
}

fn granted(name: &'static str) -> PolicyResults<'static> {
    let granting: &'static [GrantingPolicy<'static>] = vec![GrantingPolicy {
        name,
        namespace: NamespaceFacts::ROOT,
        kind: "acl",
    }]
    .leak();
    PolicyResults {
        allowed: true,
        granting,
    }
}

/// The n-th time of the recording.
fn time(n: u64) -> Timestamp {
    Timestamp::from_nanos(1_767_225_600_000_000_000 + n * 1_000_000 + 500_000)
}

pub(super) fn object(text: &str) -> Map<String, Value> {
    parse_object(text.as_bytes()).unwrap().take()
}

pub(super) fn body(text: &str) -> Body {
    Body::Json(Zeroizing::new(text.as_bytes().to_vec()))
}

pub(super) fn format(log_raw: bool) -> Format {
    Format {
        log_raw,
        ..Format::hashing(Hasher::new(b"Jefe"))
    }
}

pub(super) fn hash(text: &str) -> String {
    Hasher::new(b"Jefe")
        .hash(text.as_bytes())
        .as_str()
        .to_owned()
}

pub(super) fn line_of(
    format: &Format,
    facts: &RequestFacts<'_>,
    answer: Option<&ResponseFacts<'_>>,
) -> String {
    let line = match answer {
        None => format.request(facts).unwrap(),
        Some(answer) => format.response(facts, answer, &Data::of(answer)).unwrap(),
    };
    String::from_utf8(line.to_vec()).unwrap()
}

/// Compares with the recorded line; `known` are the wanted differences in it.
fn agrees(
    number: usize,
    facts: &RequestFacts<'_>,
    answer: Option<&ResponseFacts<'_>>,
    known: &[(&str, &str)],
) {
    let mut expected = format!("{}\n", RECORDED.lines().nth(number - 1).unwrap());
    for (theirs, ours) in known {
        assert!(expected.contains(theirs), "{theirs} is not in {expected}");
        expected = expected.replace(theirs, ours);
    }
    assert_eq!(line_of(&format(true), facts, answer), expected);
}

const KV_DATA: &str = r#"{"b":true,"e":{},"el":[],"empty":"","f":1.5,"l":["x",1,false,{"k":"v"}],"n":12,"nul":null,"pw":"s3cret"}"#;

#[test]
fn a_write() {
    let world = World::new();
    let data = object(&format!(r#"{{"data":{KV_DATA},"options":{{"cas":0}}}}"#));
    let facts = RequestFacts {
        operation: "create",
        path: "kv2/data/a",
        mount: Some(KV2),
        data: Some(&data),
        remote_port: 40_001,
        ..world.root("id-1", 1)
    };
    agrees(1, &facts, None, &[]);
}

#[test]
fn a_read_a_list_and_a_deletion() {
    let world = World::new();
    let read = RequestFacts {
        operation: "read",
        path: "kv2/data/a",
        mount: Some(KV2),
        remote_port: 40_002,
        ..world.root("id-2", 2)
    };
    let found = body(&format!(
        r#"{{"data":{KV_DATA},"metadata":{{"created_time":"2026-01-01T00:00:00.0035Z","custom_metadata":null,"deletion_time":"","destroyed":false,"version":1}}}}"#
    ));
    let answer = ResponseFacts {
        time: time(2),
        body: Some(&found),
        ..ResponseFacts::default()
    };
    agrees(2, &read, Some(&answer), &[]);
    let list = RequestFacts {
        id: "id-3",
        operation: "list",
        path: "kv2/metadata/",
        remote_port: 40_003,
        ..read
    };
    let found = body(r#"{"keys":["a"]}"#);
    let answer = ResponseFacts {
        time: time(4),
        body: Some(&found),
        ..ResponseFacts::default()
    };
    agrees(3, &list, Some(&answer), &[]);
    let delete = RequestFacts {
        id: "id-16",
        operation: "delete",
        remote_port: 40_013,
        ..read
    };
    let answer = ResponseFacts {
        time: time(17),
        body: Some(&Body::Empty),
        ..ResponseFacts::default()
    };
    agrees(15, &delete, Some(&answer), &[]);
}

#[test]
fn a_secret_and_remarks() {
    let world = World::new();
    let read = RequestFacts {
        operation: "read",
        path: "kv1/x",
        mount: Some(mount("kv1/", "kv", "kv_65791ceb", "secret")),
        remote_port: 40_004,
        ..world.root("id-4", 5)
    };
    let found = body(r#"{"pw":"s3cret"}"#);
    let answer = ResponseFacts {
        time: time(5),
        body: Some(&found),
        lease_id: Some(""),
        ..ResponseFacts::default()
    };
    agrees(4, &read, Some(&answer), &[]);
    let lease = ResponseFacts {
        lease_id: Some("database/creds/app/1"),
        ..answer
    };
    let line = line_of(&format(false), &read, Some(&lease));
    assert!(
        line.contains(r#""secret":{"lease_id":"database/creds/app/1"}"#),
        "{line}"
    );
    let data = object(r#"{"common_name":"x"}"#);
    let generate = RequestFacts {
        operation: "update",
        path: "pki/root/generate/internal",
        mount: Some(mount("pki/", "pki", "pki_fa1ba570", "secret")),
        data: Some(&data),
        remote_port: 40_012,
        ..world.root("id-13", 16)
    };
    let made = body(
        r#"{"certificate":"PEM","expiration":1798239480,"issuer_id":"id-14","issuer_name":"","issuing_ca":"PEM","key_id":"id-15","key_name":"","serial_number":"6e:c9:6d:39:c4:c6:36:5e:e5:69:23:09:1e:dd:ea:af:6a:ce:8a:8b"}"#,
    );
    let answer = ResponseFacts {
        time: time(16),
        body: Some(&made),
        warnings: &["a warning <x> & more".into()],
        ..ResponseFacts::default()
    };
    agrees(14, &generate, Some(&answer), &[]);
}

#[test]
fn a_new_token_and_a_wrapped_one() {
    let world = World::new();
    let data = object(
        r#"{"display_name":"bob","meta":{"who":"me"},"num_uses":5,"policies":["default"],"ttl":"1h"}"#,
    );
    let create = RequestFacts {
        operation: "update",
        path: "auth/token/create",
        mount: Some(TOKEN),
        data: Some(&data),
        remote_port: 40_005,
        ..world.root("id-5", 6)
    };
    let auth = Auth {
        client_token: "s.token2".into(),
        accessor: "accessor2".into(),
        policies: vec!["default".into()],
        token_policies: vec!["default".into()],
        metadata: Some(BTreeMap::from([("who".into(), "me".into())])),
        lease_duration: 3_600,
        token_type: "service".into(),
        num_uses: 5,
        ..Auth::default()
    };
    let answer = ResponseFacts {
        time: time(6),
        auth: Some(&auth),
        display_name: "token-bob",
        ..ResponseFacts::default()
    };
    agrees(5, &create, Some(&answer), &[]);
    let data = object(r#"{"policies":["default"],"ttl":"1h"}"#);
    let wrapped = RequestFacts {
        id: "id-6",
        data: Some(&data),
        remote_port: 40_006,
        wrap_ttl: Duration::from_secs(60),
        ..create
    };
    let wrap_info = WrapInfo {
        token: "s.token3".into(),
        accessor: "accessor3".into(),
        ttl: 60,
        creation_time: time(8),
        creation_path: "auth/token/create".into(),
        wrapped_accessor: "accessor6".into(),
    };
    let answer = ResponseFacts {
        time: time(7),
        wrap_info: Some(&wrap_info),
        ..ResponseFacts::default()
    };
    agrees(6, &wrapped, Some(&answer), &[]);
}

#[test]
fn a_login() {
    let world = World::new();
    let data = object(r#"{"password":"pw1"}"#);
    let login = RequestFacts {
        id: "id-7",
        time: time(9),
        operation: "update",
        path: "auth/userpass/login/al",
        mount: Some(mount(
            "auth/userpass/",
            "userpass",
            "auth_userpass_24d3b573",
            "auth",
        )),
        data: Some(&data),
        remote_address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        remote_port: 40_007,
        policy_results: Some(PolicyResults {
            allowed: true,
            granting: &[],
        }),
        ..RequestFacts::default()
    };
    agrees(7, &login, None, &[]);
    let auth = Auth {
        client_token: "s.token4".into(),
        accessor: "accessor4".into(),
        policies: world.user_policies.clone(),
        token_policies: world.user_policies.clone(),
        metadata: Some(world.metadata.clone()),
        lease_duration: 2_764_800,
        entity_id: "id-8".into(),
        token_type: "service".into(),
        ..Auth::default()
    };
    let answer = ResponseFacts {
        time: time(10),
        auth: Some(&auth),
        display_name: "userpass-al",
        entity_created: true,
        ..ResponseFacts::default()
    };
    agrees(8, &login, Some(&answer), &[]);
}

#[test]
fn refusals() {
    let world = World::new();
    let facts = world.refused(11, &Fault::Denied);
    let list = r"1 error occurred:\n\t* permission denied\n\n";
    let plain = [(list, "permission denied")];
    agrees(9, &facts, None, &plain);
    let answer = ResponseFacts {
        time: time(12),
        fault: Some(&Fault::Denied),
        ..ResponseFacts::default()
    };
    agrees(10, &facts, Some(&answer), &plain);
    let bogus = Secret::from("bogus");
    let unknown = RequestFacts {
        id: "id-10",
        time: time(13),
        remote_port: 40_009,
        client_token: Some(&bogus),
        token: None,
        policy_results: None,
        ..facts
    };
    agrees(11, &unknown, None, &[]);
}

#[test]
fn a_single_use_token_and_headers() {
    let world = World::new();
    let secret = Secret::from("s.token5");
    let root = world.root("id-11", 14);
    let token = TokenFacts {
        accessor: "accessor5",
        policies: &world.wrapping_policies,
        token_policies: &world.wrapping_policies,
        remaining_uses: 1,
        ttl: Duration::from_secs(60),
        ..root.token.unwrap()
    };
    let unwrap = RequestFacts {
        operation: "update",
        path: "sys/wrapping/unwrap",
        mount: Some(mount("sys/", "system", "system_3db23633", "secret")),
        remote_port: 40_010,
        client_token: Some(&secret),
        token: Some(token),
        policy_results: Some(granted("response-wrapping")),
        ..root
    };
    agrees(12, &unwrap, None, &[]);
    let headers = [
        HeaderFacts {
            name: "x-corr",
            values: &["abc".into()],
            hashed: true,
        },
        HeaderFacts {
            name: "x-plain",
            values: &["p1".into(), "p2".into()],
            hashed: false,
        },
    ];
    let read = RequestFacts {
        operation: "read",
        path: "kv1/x",
        mount: Some(mount("kv1/", "kv", "", "secret")),
        remote_port: 40_011,
        headers: &headers,
        ..world.root("id-12", 15)
    };
    let theirs = "hmac-sha256:1e3db0bc187cd83c894461ddbb7ba4f068f5deba8ad4494cbdcfdcfe6dfc3fba";
    agrees(13, &read, None, &[(theirs, &hash("abc"))]);
}
