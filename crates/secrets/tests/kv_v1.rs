//! KV version 1 and the cubbyhole, by path.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can not go on has failed"
)]

use std::time::Duration;

use coffer_engine::testing::{Answered, Bench};
use coffer_engine::{Body, Engine, Fault};
use coffer_secrets::cubbyhole::Cubbyhole;
use coffer_secrets::kv::V1;
use coffer_wire::{Verb, parse_object};
use serde_json::{Value, json};

/// What a client would send as this text.
fn body(text: &str) -> Value {
    Value::Object(parse_object(text.as_bytes()).unwrap().take())
}

/// The very text of the answer's data.
fn text(answered: &Answered) -> &str {
    match &answered.reply.body {
        Body::Json(text) => std::str::from_utf8(text).unwrap(),
        other => panic!("no data: {other:?}"),
    }
}

async fn keeps_what_is_written<E: Engine>() {
    let bench = Bench::<E>::new().await;
    assert!(matches!(bench.read("a").await, Err(Fault::NotFound)));
    assert_eq!(bench.exists("a").await, Some(false));
    bench
        .write("a", json!({"x": "1", "n": {"deep": [1, null, true]}}))
        .await
        .unwrap();
    bench.write("dir/b", json!({"x": 1})).await.unwrap();
    assert_eq!(bench.exists("a").await, Some(true));
    let read = bench.read("a").await.unwrap();
    assert_eq!(read.data, json!({"x": "1", "n": {"deep": [1, null, true]}}));
    bench.write("a", json!({"y": "2"})).await.unwrap();
    assert_eq!(bench.read("a").await.unwrap().data, json!({"y": "2"}));

    assert_eq!(bench.list("").await.unwrap(), ["a", "dir/"]);
    assert_eq!(bench.list("dir").await.unwrap(), ["b"]);
    assert_eq!(bench.list("dir/").await.unwrap(), ["b"]);
    assert!(matches!(bench.list("a").await, Err(Fault::NotFound)));

    bench.delete("a").await.unwrap();
    bench.delete("a").await.unwrap();
    assert!(matches!(bench.read("a").await, Err(Fault::NotFound)));
    assert_eq!(bench.list("").await.unwrap(), ["dir/"]);
}

async fn takes_any_field_and_keeps_its_text<E: Engine>() {
    let bench = Bench::<E>::new().await;
    let sent = r#"{"zero":0.10,"exp":1e3,"big":12345678901234567890,"path":"mine","body":"<&>","list":true}"#;
    let written = bench.write("a", body(sent)).await.unwrap();
    assert!(
        written.reply.warnings.is_empty(),
        "{:?}",
        written.reply.warnings
    );
    assert_eq!(
        text(&bench.read("a").await.unwrap()),
        r#"{"big":12345678901234567890,"body":"\u003c\u0026\u003e","exp":1e3,"list":true,"path":"mine","zero":0.10}"#
    );
}

async fn refuses_nothing_as_a_secret<E: Engine>() {
    let bench = Bench::<E>::new().await;
    for nothing in [json!({}), Value::Null] {
        let refused = bench.write("a", nothing).await;
        assert!(
            matches!(&refused, Err(Fault::Invalid(text)) if text == "missing data fields"),
            "{refused:?}"
        );
    }
    for folder in ["a/", "dir/a/"] {
        assert!(matches!(
            bench.write(folder, json!({"x": 1})).await,
            Err(Fault::NotFound)
        ));
        assert!(matches!(bench.read(folder).await, Err(Fault::NotFound)));
        assert!(matches!(bench.delete(folder).await, Err(Fault::NotFound)));
    }
}

#[tokio::test]
async fn version_1_and_cubbyhole_keep_what_is_written() {
    keeps_what_is_written::<V1>().await;
    keeps_what_is_written::<Cubbyhole>().await;
}

#[tokio::test]
async fn version_1_and_cubbyhole_take_any_field_and_keep_its_text() {
    takes_any_field_and_keeps_its_text::<V1>().await;
    takes_any_field_and_keeps_its_text::<Cubbyhole>().await;
}

#[tokio::test]
async fn version_1_and_cubbyhole_refuse_nothing_as_a_secret() {
    refuses_nothing_as_a_secret::<V1>().await;
    refuses_nothing_as_a_secret::<Cubbyhole>().await;
}

#[tokio::test]
async fn lease_duration_follows_the_secret_then_the_mount() {
    let bench = Bench::<V1>::new().await;
    let mount = 768 * 3600;
    for (fields, secs) in [
        (json!({"x": 1}), mount),
        (json!({"ttl": "90s"}), 90),
        (json!({"ttl": 5, "lease": "1h"}), 5),
        (json!({"lease": "45m"}), 2700),
        (json!({"ttl": "1d"}), 86_400),
        (json!({"ttl": "0"}), 0),
        (json!({"ttl": "often"}), mount),
        (json!({"ttl": {"a": 1}}), mount),
        (json!({"ttl": "3000h"}), 10_800_000),
    ] {
        bench.write("t", fields.clone()).await.unwrap();
        let read = bench.read("t").await.unwrap();
        assert_eq!(
            read.reply.lease_duration,
            Some(Duration::from_secs(secs)),
            "{fields}"
        );
        assert_eq!(read.data, fields);
        assert!(read.lease_id.is_none());
    }
    assert!(bench.list("").await.is_ok());
}

#[tokio::test]
async fn cubbyhole_has_no_lease_duration_and_no_scan() {
    let bench = Bench::<Cubbyhole>::new().await;
    bench.write("t", json!({"ttl": "90s"})).await.unwrap();
    assert_eq!(bench.read("t").await.unwrap().reply.lease_duration, None);
    let scanned = bench.request(Verb::Scan, "", Value::Null).await;
    assert!(matches!(scanned, Err(Fault::UnsupportedVerb)));
    const { assert!(Cubbyhole::PER_TOKEN) };
}

#[tokio::test]
async fn scans_go_down_all_folders() {
    let bench = Bench::<V1>::new().await;
    for path in ["a", "dir", "dir/b", "dir/deep/c", "dir-x"] {
        bench.write(path, json!({"x": 1})).await.unwrap();
    }
    let scan = async |path| {
        bench
            .request(Verb::Scan, path, Value::Null)
            .await
            .unwrap()
            .data
    };
    assert_eq!(
        scan("").await,
        json!({"keys": ["a", "dir", "dir-x", "dir/b", "dir/deep/c"]})
    );
    assert_eq!(scan("dir").await, json!({"keys": ["b", "deep/c"]}));
    assert_eq!(scan("nosuch").await, json!({}));
}

#[tokio::test]
async fn long_lists_are_whole() {
    let bench = Bench::<V1>::new().await;
    for n in 0..2_345 {
        bench
            .write(&format!("many/{n:05}"), json!({"x": n}))
            .await
            .unwrap();
    }
    assert_eq!(bench.list("many").await.unwrap().len(), 2_345);
    let scanned = bench
        .request(Verb::Scan, "many", Value::Null)
        .await
        .unwrap();
    assert_eq!(scanned.data["keys"].as_array().unwrap().len(), 2_345);
}

#[tokio::test]
async fn version_1_knows_no_patch() {
    let bench = Bench::<V1>::new().await;
    assert!(matches!(
        bench.patch("a", json!({"x": 1})).await,
        Err(Fault::UnsupportedVerb)
    ));
    assert!(V1::routes().faults().is_empty() && Cubbyhole::routes().faults().is_empty());
}
