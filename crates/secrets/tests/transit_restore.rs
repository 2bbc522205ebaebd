//! What a backup says is checked, and what was stored before may be unreadable: transit by path.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can not go on has failed"
)]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::testing::Bench;
use coffer_engine::{Fault, Stored};
use coffer_secrets::transit::Transit;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);

type TestBench = Bench<Transit>;

/// Any record.
#[derive(Serialize, Deserialize)]
struct Odd(Value);

impl Stored for Odd {}

async fn ok(bench: &TestBench, path: &str, input: Value) -> Value {
    match bench.write(path, input).await {
        Ok(answered) => answered.data,
        Err(fault) => panic!("{path}: {fault}"),
    }
}

/// A key that may be backed up, with two versions.
async fn key(bench: &TestBench, name: &str, mut wish: Value) -> Value {
    wish["exportable"] = json!(true);
    wish["allow_plaintext_backup"] = json!(true);
    ok(bench, &format!("keys/{name}"), wish).await;
    ok(bench, &format!("keys/{name}/rotate"), json!({})).await;
    document(bench, name).await
}

async fn document(bench: &TestBench, name: &str) -> Value {
    let taken = bench.read(&format!("backup/{name}")).await.unwrap().data;
    let bytes = STANDARD.decode(taken["backup"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn backup(document: &Value) -> Value {
    json!({ "backup": STANDARD.encode(document.to_string()) })
}

async fn refused(bench: &TestBench, document: &Value) {
    let answer = bench.write("restore/b", backup(document)).await;
    assert!(matches!(answer, Err(Fault::Invalid(_))), "{answer:?}");
    assert!(matches!(bench.read("keys/b").await, Err(Fault::NotFound)));
    bench.tick().await.unwrap();
}

#[tokio::test]
async fn a_backup_says_nothing_that_no_client_may_say() {
    let bench = TestBench::new().await;
    let whole = key(&bench, "a", json!({})).await;
    let over = u64::from(u32::MAX);
    for (field, value) in [
        ("auto_rotate_period", json!(3_599_000_000_000_u64)),
        ("auto_rotate_period", json!(u64::MAX)),
        ("auto_rotate_period", json!(i64::MAX.unsigned_abs() + 1)),
        ("auto_rotate_period", json!(-1)),
        ("latest_version", json!(over)),
        ("latest_version", json!(0)),
        ("latest_version", json!(over + 1)),
        ("archive_min_version", json!(over)),
        ("archive_min_version", json!(3)),
        ("min_decryption_version", json!(0)),
        ("min_decryption_version", json!(3)),
        ("min_encryption_version", json!(3)),
        ("min_available_version", json!(2)),
        ("min_available_version", json!(over)),
        ("key_size", json!(over)),
    ] {
        let mut document = whole.clone();
        document["policy"][field] = value;
        refused(&bench, &document).await;
    }
    let mut document = whole.clone();
    document["policy"]["min_decryption_version"] = json!(2);
    document["policy"]["min_encryption_version"] = json!(1);
    refused(&bench, &document).await;
    let mut document = key(&bench, "h", json!({ "type": "hmac", "key_size": 32 })).await;
    for size in [0, 31, 513, over] {
        document["policy"]["key_size"] = json!(size);
        refused(&bench, &document).await;
    }

    let mut document = whole;
    document["policy"]["auto_rotate_period"] = json!(3_600_000_000_000_u64);
    ok(&bench, "restore/b", backup(&document)).await;
    let shown = bench.read("keys/b").await.unwrap().data;
    assert_eq!(shown["auto_rotate_period"], 3600);
}

/// The only version of a key has this number.
fn numbered(mut document: Value, number: u32) -> Value {
    let entry = document["policy"]["keys"]["2"].clone();
    document["policy"]["keys"] = json!({ number.to_string(): entry });
    document["archived_keys"]["keys"] = json!([]);
    for field in [
        "latest_version",
        "archive_min_version",
        "min_decryption_version",
        "min_encryption_version",
        "min_available_version",
    ] {
        document["policy"][field] = json!(number);
    }
    document
}

#[tokio::test]
async fn numbers_of_versions_never_run_out() {
    let bench = TestBench::new().await;
    let whole = key(&bench, "a", json!({})).await;
    for number in [u32::MAX, u32::MAX - 1, 1_000_000_001] {
        refused(&bench, &numbered(whole.clone(), number)).await;
    }
    let most = numbered(whole, 1_000_000_000);
    ok(&bench, "restore/b", backup(&most)).await;
    let rotated = ok(&bench, "keys/b/rotate", json!({})).await;
    assert_eq!(rotated["latest_version"], 1_000_000_001);
    assert_eq!(
        document(&bench, "b").await["policy"]["archive_min_version"],
        1_000_000_000
    );
}

#[tokio::test]
async fn many_versions_of_rsa_are_refused_before_any_is_read() {
    let bench = TestBench::new().await;
    let mut whole = key(&bench, "r", json!({ "type": "rsa-2048" })).await;
    let entry = whole["policy"]["keys"]["1"].clone();
    whole["archived_keys"]["keys"] = json!(vec![entry; 202]);
    whole["policy"]["latest_version"] = json!(201);
    refused(&bench, &whole).await;
}

#[tokio::test]
async fn a_record_that_can_not_be_read_stops_no_other_and_can_be_removed() {
    let mut bench = TestBench::new().await;
    let hourly = json!({ "auto_rotate_period": "1h" });
    let whole = key(&bench, "a", hourly.clone()).await;
    key(&bench, "z", hourly).await;
    let too_long = u64::MAX / 1_000_000_000;
    for (name, record) in [
        (
            "m",
            json!({ "id": "idOfM", "deletion_allowed": true, "auto_rotate_period": too_long }),
        ),
        ("n", json!({ "id": "../key/z" })),
        ("o", json!("nothing")),
        ("p", json!({ "id": "idOfP", "deletion_allowed": false })),
        ("q", json!({ "id": "idOfQ" })),
    ] {
        let place = format!("key/{name}");
        bench.view().put(&place, &Odd(record)).await.unwrap();
    }
    let place = "version/idOfM/0000000001";
    let material = Odd(json!({ "key": "" }));
    bench.view().put(place, &material).await.unwrap();

    bench.advance(HOUR);
    bench.tick().await.unwrap();
    for name in ["a", "z"] {
        let shown = bench.read(&format!("keys/{name}")).await.unwrap().data;
        assert_eq!(shown["latest_version"], 3, "{name}");
    }

    for name in ["m", "n", "o"] {
        bench.delete(&format!("keys/{name}")).await.unwrap();
        let read = bench.read(&format!("keys/{name}")).await;
        assert!(matches!(read, Err(Fault::NotFound)), "{name}");
    }
    let left: Option<Odd> = bench.view().get(place).await.unwrap();
    assert!(left.is_none(), "its versions went with it");

    // Where it says that it may not be deleted, only who puts another in its place is heard.
    let protected = bench.delete("keys/p").await;
    assert!(matches!(protected, Err(Fault::Invalid(_))));
    let mut forced = backup(&whole);
    for name in ["p", "q"] {
        let path = format!("restore/{name}");
        let careful = bench.write(&path, backup(&whole)).await;
        assert!(matches!(careful, Err(Fault::Invalid(_))), "{careful:?}");
        forced["force"] = json!(true);
        ok(&bench, &path, forced.clone()).await;
        let shown = bench.read(&format!("keys/{name}")).await.unwrap().data;
        assert_eq!(shown["latest_version"], 2);
    }
}
