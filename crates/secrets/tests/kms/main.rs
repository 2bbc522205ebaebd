//! The kms engine by path.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can not go on has failed"
)]

mod aliases;
mod encryption;
mod golden;
mod import;
mod keys;
mod model;
mod pairs;
mod races;
mod rotation;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::testing::{Answered, Bench};
use coffer_engine::{Engine as _, Fault, MountInfo};
use coffer_secrets::kms::Kms;
use coffer_wire::Verb;
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn days(count: u32) -> Duration {
    DAY * count
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

fn unb64(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

/// A key of these fields; its id.
async fn key(bench: &Bench<Kms>, fields: Value) -> String {
    let made = bench.write("keys", fields).await.unwrap();
    made.data["key_id"].as_str().unwrap().to_owned()
}

async fn symmetric(bench: &Bench<Kms>) -> String {
    key(bench, json!({})).await
}

async fn encrypt(bench: &Bench<Kms>, key: &str, text: &str) -> String {
    let path = format!("encrypt/{key}");
    let made = bench
        .write(&path, json!({"plaintext": b64(text)}))
        .await
        .unwrap();
    made.data["ciphertext_blob"].as_str().unwrap().to_owned()
}

async fn decrypt(bench: &Bench<Kms>, key: &str, blob: &str) -> Result<String, Fault> {
    let path = format!("decrypt/{key}");
    let opened = bench.write(&path, json!({"ciphertext_blob": blob})).await?;
    Ok(String::from_utf8(unb64(&opened.data["plaintext"])).unwrap())
}

/// The key's state.
async fn state(bench: &Bench<Kms>, key: &str) -> String {
    let read = bench.read(&format!("keys/{key}")).await.unwrap();
    read.data["key_state"].as_str().unwrap().to_owned()
}

/// A write that is refused; the name of the exception.
async fn refused(bench: &Bench<Kms>, path: &str, fields: Value) -> String {
    exception(bench.write(path, fields).await)
}

fn exception<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    let text = match result {
        Err(Fault::Invalid(text) | Fault::Missing(text) | Fault::TooMany(text)) => text,
        other => panic!("expected a refusal, not {other:?}"),
    };
    let (name, reason) = text.split_once(": ").unwrap_or((&text, ""));
    assert!(!reason.is_empty(), "a refusal without a reason: {text}");
    name.to_owned()
}

async fn list(bench: &Bench<Kms>, path: &str, fields: Value) -> Answered {
    bench.request(Verb::List, path, fields).await.unwrap()
}

#[test]
fn the_table_is_sound() {
    let _ = Kms::new(&MountInfo::default());
    assert_eq!(Kms::routes().faults(), &[] as &[String]);
}
