//! Decisions compared with those of the reference server, as `policy_record.py` recorded them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use coffer_kernel::policy::{Acl, Policy, Question};
use coffer_wire::{Timestamp, Verb};
use serde_json::{Map, Value};

#[test]
fn decisions_are_those_of_the_reference() {
    let path = std::env::var("POLICY_RECORDED").ok();
    let recorded = path.map_or(include_str!("policy_recorded.json").to_owned(), |path| {
        std::fs::read_to_string(path).unwrap()
    });
    let cases: Vec<Value> = serde_json::from_str(&recorded).unwrap();
    let differences: Vec<String> = cases.iter().flat_map(differences).collect();
    let shown = differences.iter().take(10).cloned().collect::<Vec<_>>();
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        shown.join("\n")
    );
}

fn differences(case: &Value) -> Vec<String> {
    let texts = case["policies"].as_array().unwrap().iter().enumerate();
    let policies: Vec<Policy> = texts
        .map(|(number, text)| Policy::parse(&format!("p{number}"), text.as_str().unwrap()).unwrap())
        .collect();
    let acl = Acl::compile(&policies, Timestamp::from_secs(1_700_000_000));
    let mut found = Vec::new();
    for (path, expected) in case["capabilities"].as_object().into_iter().flatten() {
        let got = Value::from(acl.capabilities(path));
        if got != *expected {
            found.push(format!(
                "{path}: {got}, reference {expected}: {}",
                case["policies"]
            ));
        }
    }
    for request in case["requests"].as_array().into_iter().flatten() {
        let allowed = decide(&acl, request);
        if allowed != request[4].as_bool().unwrap() {
            found.push(format!("{request}: {allowed}: {}", case["policies"]));
        }
    }
    found
}

/// Decides a request given as `[method, path with query, body, wrapping seconds, whether the reference allows it]`.
fn decide(acl: &Acl, request: &Value) -> bool {
    let target = request[1].as_str().unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut body: Map<String, Value> = request[2].as_object().cloned().unwrap_or_default();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        body.insert(name.into(), value.into());
    }
    let verb = match request[0].as_str().unwrap() {
        "GET" => Verb::Read,
        "PUT" => Verb::Write,
        "LIST" => Verb::List,
        "SCAN" => Verb::Scan,
        "DELETE" => Verb::Delete,
        other => panic!("{other}"),
    };
    let slash = if matches!(verb, Verb::List | Verb::Scan) && !path.ends_with('/') {
        "/"
    } else {
        ""
    };
    let path = format!("{path}{slash}");
    let question = Question {
        path: &path,
        verb,
        creates: path == "k/new",
        body: &body,
        wrap_ttl: request[3].as_u64().map(Duration::from_secs),
        sudo_path: false,
    };
    acl.decide(&question).allowed
}
