//! Transit's keys with two halves, by path: signatures, export, import, backups, certificates.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can not go on has failed"
)]

mod agree;
mod backup;
mod certificates;
mod export;
mod import;
mod sign;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::testing::Bench;
use coffer_engine::{Engine as _, Fault};
use coffer_secrets::transit::Transit;
use serde_json::{Value, json};

/// All kinds with two halves, whose pairs are made fast.
const KINDS: [&str; 8] = [
    "ed25519",
    "ecdsa-p256",
    "ecdsa-p384",
    "ecdsa-p521",
    "rsa-2048",
    "mldsa-44",
    "mldsa-65",
    "mldsa-87",
];

fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

fn decoded(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}

/// A key that may leave.
async fn key(bench: &Bench<Transit>, name: &str, kind: &str) {
    let mut body = json!({"type": kind, "exportable": true, "allow_plaintext_backup": true});
    if kind == "hmac" {
        body["key_size"] = json!(32);
    }
    bench.write(&format!("keys/{name}"), body).await.unwrap();
}

async fn data(bench: &Bench<Transit>, path: &str, body: Value) -> Value {
    bench.write(path, body).await.unwrap().data
}

/// Why a request was the client's mistake.
async fn refusal(bench: &Bench<Transit>, path: &str, body: Value) -> String {
    match bench.write(path, body).await {
        Err(Fault::Invalid(why)) => why,
        other => panic!("{path}: {other:?}"),
    }
}

async fn signature(bench: &Bench<Transit>, name: &str, mut body: Value) -> String {
    body["input"] = json!(base64("message"));
    let made = data(bench, &format!("sign/{name}"), body).await;
    made["signature"].as_str().unwrap().to_owned()
}

async fn is_valid(bench: &Bench<Transit>, name: &str, signature: &str, mut body: Value) -> bool {
    if body.get("input").is_none() {
        body["input"] = json!(base64("message"));
    }
    body["signature"] = json!(signature);
    let verdict = data(bench, &format!("verify/{name}"), body).await;
    verdict["valid"].as_bool().unwrap()
}

#[test]
fn the_table_of_paths_has_no_faults() {
    assert!(Transit::routes().faults().is_empty());
}
