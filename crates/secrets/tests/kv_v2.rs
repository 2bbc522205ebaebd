//! KV version 2, by path.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can not go on has failed"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use coffer_engine::testing::{Answered, Bench};
use coffer_engine::{Body, Engine, Fault};
use coffer_secrets::kv::V2;
use coffer_wire::{Verb, parse_object};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

async fn bench() -> Bench<V2> {
    Bench::with_options(&[("version", "2")]).await
}

/// Writes `{"data": {"n": n}}` as often as it takes to have the versions 1 to `last`.
async fn versions(bench: &Bench<V2>, path: &str, last: u64) {
    for n in 1..=last {
        let written = bench
            .write(&format!("data/{path}"), json!({"data": {"n": n}}))
            .await
            .unwrap();
        assert_eq!(written.data["version"], json!(n));
    }
}

async fn read_version(bench: &Bench<V2>, path: &str, version: i64) -> Result<Answered, Fault> {
    bench
        .request(
            Verb::Read,
            &format!("data/{path}"),
            json!({"version": version}),
        )
        .await
}

/// The answer that comes with a 404.
#[track_caller]
fn gone(answer: Result<Answered, Fault>) -> Value {
    let Err(Fault::Gone(reply)) = answer else {
        panic!("not gone: {answer:?}")
    };
    let Body::Json(text) = &reply.body else {
        panic!("no data: {reply:?}")
    };
    serde_json::from_slice(text).unwrap()
}

#[track_caller]
fn invalid(answer: Result<Answered, Fault>) -> String {
    match answer {
        Err(Fault::Invalid(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
fn missing(answer: Result<Answered, Fault>) {
    assert!(matches!(answer, Err(Fault::NotFound)), "{answer:?}");
}

async fn metadata(bench: &Bench<V2>, path: &str) -> Value {
    bench.read(&format!("metadata/{path}")).await.unwrap().data
}

#[tokio::test]
async fn writes_make_versions_that_can_be_read() {
    let bench = bench().await;
    missing(bench.read("data/a").await);
    assert_eq!(bench.exists("data/a").await, Some(false));
    let written = bench
        .write("data/a", json!({"data": {"x": "1", "n": [1, null]}}))
        .await
        .unwrap();
    let now = bench.now.to_string();
    let first = json!({"created_time": now, "custom_metadata": null, "deletion_time": "", "destroyed": false, "version": 1});
    assert_eq!(written.data, first);
    bench
        .write("data/a", json!({"data": {"x": "2"}}))
        .await
        .unwrap();
    assert_eq!(bench.exists("data/a").await, Some(true));

    let read = bench.read("data/a").await.unwrap();
    assert_eq!(
        (&read.data["data"], &read.data["metadata"]["version"]),
        (&json!({"x": "2"}), &json!(2))
    );
    assert_eq!(read.reply.lease_duration, None);
    let read = read_version(&bench, "a", 1).await.unwrap();
    assert_eq!(
        read.data,
        json!({"data": {"x": "1", "n": [1, null]}, "metadata": first})
    );
    for latest in [json!(0), json!(-1), json!("2"), json!(""), Value::Null] {
        let read = bench
            .request(Verb::Read, "data/a", json!({"version": latest}))
            .await
            .unwrap();
        assert_eq!(read.data["metadata"]["version"], json!(2), "{latest}");
    }
    missing(read_version(&bench, "a", 9).await);
    let text = invalid(
        bench
            .request(Verb::Read, "data/a", json!({"version": "x"}))
            .await,
    );
    assert!(
        text.contains("version") && text.contains("whole number"),
        "{text}"
    );
}

#[tokio::test]
async fn data_keeps_its_text() {
    let bench = bench().await;
    let sent =
        br#"{"data":{"b":1e3,"a":0.10,"c":12345678901234567890,"d":"<&>","e":1E-5,"f":-0.0}}"#;
    let sent = Value::Object(parse_object(sent).unwrap().take());
    bench.write("data/a", sent).await.unwrap();
    bench
        .patch("data/a", json!({"data": {"g": 1}}))
        .await
        .unwrap();
    let read = bench.read("data/a").await.unwrap();
    let Body::Json(text) = &read.reply.body else {
        panic!()
    };
    let text = std::str::from_utf8(text).unwrap();
    let kept = r#"{"data":{"a":0.10,"b":1e3,"c":12345678901234567890,"d":"\u003c\u0026\u003e","e":1E-5,"f":-0.0,"g":1},"#;
    assert!(text.starts_with(kept), "{text}");
}

#[tokio::test]
async fn what_is_no_data_is_refused() {
    let bench = bench().await;
    for body in [json!({}), json!({"x": 1}), json!({"options": {"cas": 0}})] {
        assert!(invalid(bench.write("data/a", body).await).starts_with("no data provided"));
    }
    for data in [json!("text"), json!(5), json!([]), json!("{\"a\":1}")] {
        let text = invalid(bench.write("data/a", json!({"data": data})).await);
        assert!(
            text.contains("\"data\"") && !text.contains("text"),
            "{text}"
        );
    }
    assert!(
        invalid(
            bench
                .write("data/a", json!({"data": {}, "options": "x"}))
                .await
        )
        .contains("options")
    );
    missing(bench.read("data/a").await);
    for folder in ["data/", "data/a/"] {
        missing(bench.write(folder, json!({"data": {}})).await);
        missing(bench.read(folder).await);
    }
    let written = bench
        .write("data/a", json!({"data": {}, "colour": 1, "path": "b"}))
        .await
        .unwrap();
    assert_eq!(
        written.reply.warnings.len(),
        2,
        "{:?}",
        written.reply.warnings
    );
}

#[tokio::test]
async fn null_is_a_version() {
    let bench = bench().await;
    bench.write("data/a", json!({"data": null})).await.unwrap();
    let read = bench.read("data/a").await.unwrap();
    assert_eq!(
        (&read.data["data"], &read.data["metadata"]["version"]),
        (&Value::Null, &json!(1))
    );
    assert_eq!(
        bench.read("subkeys/a").await.unwrap().data["subkeys"],
        Value::Null
    );
    bench
        .patch("data/a", json!({"data": {"x": 1}}))
        .await
        .unwrap();
    assert_eq!(
        bench.read("data/a").await.unwrap().data["data"],
        json!({"x": 1})
    );
}

#[tokio::test]
async fn check_and_set() {
    let bench = bench().await;
    let write = async |cas: Value| {
        bench
            .write("data/a", json!({"data": {"x": 1}, "options": {"cas": cas}}))
            .await
    };
    let differs = "check-and-set parameter did not match the current version";
    assert_eq!(invalid(write(json!(1)).await), differs);
    write(json!(0)).await.unwrap();
    for wrong in [json!(0), json!(2), json!(-1), Value::Null] {
        assert_eq!(invalid(write(wrong).await), differs);
    }
    write(json!("1")).await.unwrap();
    assert!(invalid(write(json!("x")).await).contains("options.cas"));
    bench.delete("data/a").await.unwrap();
    assert_eq!(invalid(write(json!(0)).await), differs);
    write(json!(2)).await.unwrap();
}

#[tokio::test]
async fn check_and_set_can_be_required() {
    let bench = bench().await;
    let required = "check-and-set parameter required for this call";
    bench
        .write("metadata/a", json!({"cas_required": true}))
        .await
        .unwrap();
    assert_eq!(
        invalid(bench.write("data/a", json!({"data": {}})).await),
        required
    );
    assert_eq!(
        invalid(
            bench
                .write("data/a", json!({"data": {}, "options": {}}))
                .await
        ),
        required
    );
    bench
        .write("data/a", json!({"data": {}, "options": {"cas": 0}}))
        .await
        .unwrap();
    assert_eq!(
        invalid(bench.patch("data/a", json!({"data": {}})).await),
        required
    );
    bench.write("data/b", json!({"data": {}})).await.unwrap();

    bench
        .write("config", json!({"cas_required": "true"}))
        .await
        .unwrap();
    assert_eq!(
        invalid(bench.write("data/b", json!({"data": {}})).await),
        required
    );
    let ignored = bench
        .write("metadata/b", json!({"cas_required": false}))
        .await
        .unwrap();
    assert_eq!(ignored.reply.warnings.len(), 1);
    assert_eq!(
        invalid(bench.write("data/b", json!({"data": {}})).await),
        required
    );
}

#[tokio::test]
async fn patches_merge_into_a_new_version() {
    let bench = bench().await;
    missing(
        bench
            .patch("data/a", json!({"data": {"x": 1}, "options": {"cas": 0}}))
            .await,
    );
    bench
        .write(
            "data/a",
            json!({"data": {"a": {"b": 1, "c": null}, "l": [1]}}),
        )
        .await
        .unwrap();
    let patch = json!({"data": {"a": {"b": null}, "n": {"x": null, "y": 1}, "l": [2, null]}, "options": {"cas": 1}});
    let patched = bench.patch("data/a", patch.clone()).await.unwrap();
    assert_eq!(patched.data["version"], json!(2));
    let merged = json!({"a": {"c": null}, "l": [2, null], "n": {"y": 1}});
    assert_eq!(bench.read("data/a").await.unwrap().data["data"], merged);
    assert!(invalid(bench.patch("data/a", patch).await).contains("did not match"));
    assert!(invalid(bench.patch("data/a", json!({"x": 1})).await).contains("no data"));

    bench.delete("data/a").await.unwrap();
    let deleted = gone(bench.patch("data/a", json!({"data": {"z": 1}})).await);
    assert_eq!(deleted["version"], json!(2));
    bench
        .write("metadata/empty", json!({"max_versions": 2}))
        .await
        .unwrap();
    missing(bench.patch("data/empty", json!({"data": {"a": 1}})).await);
}

#[tokio::test]
async fn deleted_versions_come_back_and_destroyed_ones_do_not() {
    let mut bench = bench().await;
    versions(&bench, "a", 3).await;
    bench.advance(SECOND);
    bench.delete("data/a").await.unwrap();
    let deleted = gone(bench.read("data/a").await);
    assert_eq!(deleted["data"], Value::Null);
    assert_eq!(
        deleted["metadata"]["deletion_time"],
        json!(bench.now.to_string())
    );
    let shape = gone(bench.read("subkeys/a").await);
    assert_eq!(
        (&shape["subkeys"], &shape["metadata"]["version"]),
        (&Value::Null, &json!(3))
    );
    bench.advance(SECOND);
    bench
        .write("delete/a", json!({"versions": [3]}))
        .await
        .unwrap();
    assert_eq!(
        gone(bench.read("data/a").await),
        deleted,
        "the first deletion counts"
    );

    bench
        .write("undelete/a", json!({"versions": [3]}))
        .await
        .unwrap();
    assert_eq!(
        bench.read("data/a").await.unwrap().data["data"],
        json!({"n": 3})
    );
    bench
        .write("delete/a", json!({"versions": "1, 2,99,-4"}))
        .await
        .unwrap();
    gone(read_version(&bench, "a", 1).await);
    gone(read_version(&bench, "a", 2).await);

    bench
        .write("destroy/a", json!({"versions": [2, "3"]}))
        .await
        .unwrap();
    for version in [2, 3] {
        assert_eq!(
            gone(read_version(&bench, "a", version).await)["metadata"]["destroyed"],
            json!(true)
        );
    }
    bench
        .write("undelete/a", json!({"versions": [1, 2, 3]}))
        .await
        .unwrap();
    assert_eq!(
        read_version(&bench, "a", 1).await.unwrap().data["data"],
        json!({"n": 1})
    );
    assert_eq!(
        gone(read_version(&bench, "a", 2).await)["metadata"]["destroyed"],
        json!(true)
    );
    gone(bench.patch("data/a", json!({"data": {}})).await);
    assert_eq!(
        bench.view().scan_paths("v2/data/", None, 10).await.unwrap(),
        ["v2/data/a/1"]
    );
    assert_eq!(
        bench
            .write("data/a", json!({"data": {}, "options": {"cas": 3}}))
            .await
            .unwrap()
            .data["version"],
        json!(4)
    );
}

#[tokio::test]
async fn version_lists_are_lenient_but_not_empty() {
    let bench = bench().await;
    versions(&bench, "a", 2).await;
    for endpoint in ["delete", "undelete", "destroy"] {
        for none in [
            json!({}),
            json!({"versions": []}),
            json!({"versions": null}),
            json!({"versions": ""}),
        ] {
            let text = invalid(bench.write(&format!("{endpoint}/a"), none).await);
            assert!(text.starts_with("no version number provided"), "{text}");
        }
        for wrong in [json!(["x"]), json!([1.5]), json!({})] {
            let text = invalid(
                bench
                    .write(&format!("{endpoint}/a"), json!({"versions": wrong}))
                    .await,
            );
            assert!(text.contains("versions"), "{text}");
        }
        bench
            .write(&format!("{endpoint}/nosuch"), json!({"versions": [1]}))
            .await
            .unwrap();
        bench
            .write(&format!("{endpoint}/a"), json!({"versions": 1}))
            .await
            .unwrap();
        assert!(matches!(
            bench.read(&format!("{endpoint}/a")).await,
            Err(Fault::UnsupportedVerb)
        ));
    }
    bench.delete("data/nosuch").await.unwrap();
    missing(bench.read("metadata/nosuch").await);
    let many = vec![2; 10_000];
    bench
        .write("destroy/a", json!({"versions": many}))
        .await
        .unwrap();
}

#[tokio::test]
async fn versions_delete_themselves() {
    let mut bench = bench().await;
    let write = async |bench: &Bench<V2>| {
        let written = bench
            .write("data/a", json!({"data": {"x": 1}}))
            .await
            .unwrap();
        written.data["deletion_time"].as_str().unwrap().to_owned()
    };
    let at = |bench: &Bench<V2>, hours| bench.now.plus(HOUR * hours).to_string();
    bench
        .write("config", json!({"delete_version_after": "2h"}))
        .await
        .unwrap();
    assert_eq!(write(&bench).await, at(&bench, 2));
    bench
        .write("metadata/a", json!({"delete_version_after": "3h"}))
        .await
        .unwrap();
    assert_eq!(write(&bench).await, at(&bench, 2), "the shorter of both");
    bench
        .write("metadata/a", json!({"delete_version_after": "1h"}))
        .await
        .unwrap();
    assert_eq!(write(&bench).await, at(&bench, 1));
    bench
        .write("config", json!({"delete_version_after": "-1s"}))
        .await
        .unwrap();
    assert_eq!(write(&bench).await, "", "the mount can switch it off");
    bench
        .write("config", json!({"delete_version_after": 0}))
        .await
        .unwrap();
    assert_eq!(write(&bench).await, at(&bench, 1));

    assert!(bench.read("data/a").await.is_ok());
    bench.advance(HOUR);
    gone(bench.read("data/a").await);
    bench
        .write("undelete/a", json!({"versions": [5]}))
        .await
        .unwrap();
    let read = bench.read("data/a").await.unwrap();
    assert_eq!(
        read.data["metadata"]["deletion_time"],
        json!(at(&bench, 1)),
        "it starts again"
    );
    bench.advance(HOUR);
    gone(bench.read("data/a").await);
    let negative = bench
        .write("metadata/a", json!({"delete_version_after": "-1s"}))
        .await;
    assert!(invalid(negative).contains("negative"));
}

#[tokio::test]
async fn old_versions_go_in_the_same_step() {
    let bench = bench().await;
    versions(&bench, "a", 12).await;
    let about = metadata(&bench, "a").await;
    assert_eq!(
        (&about["oldest_version"], &about["current_version"]),
        (&json!(3), &json!(12))
    );
    missing(read_version(&bench, "a", 2).await);
    assert!(read_version(&bench, "a", 3).await.is_ok());
    assert_eq!(
        bench
            .view()
            .scan_paths("v2/data/", None, 100)
            .await
            .unwrap()
            .len(),
        10
    );

    bench
        .write("config", json!({"max_versions": 4}))
        .await
        .unwrap();
    bench
        .write("metadata/a", json!({"max_versions": 2}))
        .await
        .unwrap();
    bench.write("data/a", json!({"data": {}})).await.unwrap();
    assert_eq!(
        metadata(&bench, "a").await["oldest_version"],
        json!(10),
        "the larger of both"
    );
    bench
        .write("metadata/a", json!({"max_versions": 6}))
        .await
        .unwrap();
    bench.write("data/a", json!({"data": {}})).await.unwrap();
    assert_eq!(
        metadata(&bench, "a").await["versions"]
            .as_object()
            .unwrap()
            .len(),
        5
    );
    assert_eq!(
        bench
            .view()
            .scan_paths("v2/data/", None, 100)
            .await
            .unwrap()
            .len(),
        5
    );

    bench.delete("metadata/a").await.unwrap();
    bench.delete("metadata/a").await.unwrap();
    missing(bench.read("data/a").await);
    assert_eq!(
        bench.view().scan_paths("v2/", None, 100).await.unwrap(),
        ["v2/config"]
    );
}

#[tokio::test]
async fn the_configuration() {
    let bench = bench().await;
    let plain = json!({"cas_required": false, "delete_version_after": "0s", "max_versions": 0, "metadata_cas_required": false});
    assert_eq!(bench.read("config").await.unwrap().data, plain);
    bench
        .write(
            "config",
            json!({"max_versions": "5", "delete_version_after": "3h"}),
        )
        .await
        .unwrap();
    bench
        .write("config", json!({"cas_required": 1}))
        .await
        .unwrap();
    let changed = json!({"cas_required": true, "delete_version_after": "3h0m0s", "max_versions": 5, "metadata_cas_required": false});
    assert_eq!(bench.read("config").await.unwrap().data, changed);
    for (wrong, name) in [
        (
            json!({"delete_version_after": "soon"}),
            "delete_version_after",
        ),
        (json!({"max_versions": "x"}), "max_versions"),
        (json!({"max_versions": -1}), "max_versions"),
        (json!({"max_versions": 4001}), "max_versions"),
        (json!({"cas_required": "maybe"}), "cas_required"),
    ] {
        assert!(invalid(bench.write("config", wrong).await).contains(name));
    }
    assert_eq!(bench.read("config").await.unwrap().data, changed);
    bench
        .write("config", json!({"delete_version_after": "-5m"}))
        .await
        .unwrap();
    assert_eq!(
        bench.read("config").await.unwrap().data["delete_version_after"],
        json!("-1s")
    );
    bench
        .write(
            "config",
            json!({"delete_version_after": null, "max_versions": null, "cas_required": null}),
        )
        .await
        .unwrap();
    assert_eq!(bench.read("config").await.unwrap().data, plain);
    assert!(matches!(
        bench.delete("config").await,
        Err(Fault::UnsupportedVerb)
    ));
}

#[tokio::test]
async fn metadata_is_written_and_patched() {
    let mut bench = bench().await;
    bench.write("metadata/m", json!({})).await.unwrap();
    missing(bench.read("metadata/m").await);
    let created = bench.now;
    bench.write("metadata/m", json!({"custom_metadata": {"a": "1", "n": 5}, "max_versions": 3, "delete_version_after": "90m"})).await.unwrap();
    missing(bench.read("data/m").await);
    bench.advance(SECOND);
    bench
        .write("metadata/m", json!({"cas_required": true}))
        .await
        .unwrap();
    let expected = json!({
        "cas_required": true, "created_time": created.to_string(), "current_metadata_version": 2, "current_version": 0,
        "custom_metadata": {"a": "1", "n": "5"}, "delete_version_after": "1h30m0s", "max_versions": 3,
        "metadata_cas_required": false, "oldest_version": 0, "updated_time": bench.now.to_string(), "versions": {},
    });
    assert_eq!(metadata(&bench, "m").await, expected);

    bench
        .patch(
            "metadata/m",
            json!({"custom_metadata": {"a": null, "b": "2"}, "max_versions": null}),
        )
        .await
        .unwrap();
    let about = metadata(&bench, "m").await;
    assert_eq!(
        (&about["custom_metadata"], &about["max_versions"]),
        (&json!({"n": "5", "b": "2"}), &json!(0))
    );
    bench.patch("metadata/m", json!({})).await.unwrap();
    assert_eq!(metadata(&bench, "m").await, about);
    bench
        .patch("metadata/m", json!({"custom_metadata": null}))
        .await
        .unwrap();
    assert_eq!(metadata(&bench, "m").await["custom_metadata"], Value::Null);
    missing(
        bench
            .patch("metadata/nosuch", json!({"max_versions": 1}))
            .await,
    );
    bench
        .write("metadata/m", json!({"custom_metadata": {"c": "3"}}))
        .await
        .unwrap();
    bench
        .write("data/m", json!({"data": {}, "options": {"cas": 0}}))
        .await
        .unwrap();
    assert_eq!(
        bench.read("data/m").await.unwrap().data["metadata"]["custom_metadata"],
        json!({"c": "3"})
    );
}

#[tokio::test]
async fn metadata_check_and_set() {
    let bench = bench().await;
    let write = async |body: Value| bench.write("metadata/m", body).await;
    write(json!({"max_versions": 3, "metadata_cas": 0}))
        .await
        .unwrap();
    write(json!({"metadata_cas_required": true, "metadata_cas": 1}))
        .await
        .unwrap();
    assert!(invalid(write(json!({"max_versions": 4})).await).contains("required"));
    assert!(
        invalid(bench.patch("metadata/m", json!({"max_versions": 4})).await).contains("required")
    );
    bench
        .patch("metadata/m", json!({"max_versions": 4, "metadata_cas": 2}))
        .await
        .unwrap();
    assert!(
        invalid(write(json!({"max_versions": 5, "metadata_cas": 2})).await)
            .contains("did not match")
    );
    bench.write("data/m", json!({"data": {}})).await.unwrap();
    assert_eq!(
        metadata(&bench, "m").await["current_metadata_version"],
        json!(3)
    );
    bench
        .write("config", json!({"metadata_cas_required": true}))
        .await
        .unwrap();
    assert!(
        invalid(
            bench
                .write("metadata/new", json!({"max_versions": 4}))
                .await
        )
        .contains("required")
    );
}

#[tokio::test]
async fn custom_metadata_has_limits() {
    let bench = bench().await;
    let many = |n: usize| Value::Object((0..n).map(|n| (format!("k{n}"), json!("v"))).collect());
    let long = |n: usize| "x".repeat(n);
    for (wrong, part) in [
        (many(65), "64 keys"),
        (json!({ long(129): "v" }), "1 to 128 bytes"),
        (json!({ "": "v" }), "1 to 128 bytes"),
        (json!({ "k": long(513) }), "1 to 512 bytes"),
        (json!({ "k": "" }), "1 to 512 bytes"),
        (json!({ "k\n": "v" }), "unprintable"),
        (json!({ "k": "\u{1}" }), "unprintable"),
        (json!({ "k": {"a": 1} }), "custom_metadata"),
    ] {
        let text = invalid(
            bench
                .write("metadata/m", json!({"custom_metadata": wrong}))
                .await,
        );
        assert!(text.contains(part), "{text}");
        assert!(!text.contains(&long(200)), "no value in an error: {text}");
    }
    missing(bench.read("metadata/m").await);
    bench
        .write("metadata/m", json!({"custom_metadata": many(64)}))
        .await
        .unwrap();
    invalid(
        bench
            .patch("metadata/m", json!({"custom_metadata": {"more": "v"}}))
            .await,
    );
    bench
        .write(
            "metadata/m",
            json!({"custom_metadata": {long(128): long(512)}}),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn subkeys_show_the_shape() {
    let bench = bench().await;
    missing(bench.read("subkeys/a").await);
    bench
        .write(
            "data/a",
            json!({"data": {"one": {"two": {"three": 1}}, "list": [1], "leaf": "x", "empty": {}}}),
        )
        .await
        .unwrap();
    let shape = async |input| {
        bench
            .request(Verb::Read, "subkeys/a", input)
            .await
            .unwrap()
            .data["subkeys"]
            .clone()
    };
    let whole = json!({"empty": null, "leaf": null, "list": null, "one": {"two": {"three": null}}});
    for all in [
        json!({}),
        json!({"depth": 0}),
        json!({"depth": -1}),
        json!({"version": 1}),
        json!({"depth": "3"}),
    ] {
        assert_eq!(shape(all).await, whole);
    }
    assert_eq!(
        shape(json!({"depth": 1})).await,
        json!({"empty": null, "leaf": null, "list": null, "one": null})
    );
    assert_eq!(
        shape(json!({"depth": 2})).await,
        json!({"empty": null, "leaf": null, "list": null, "one": {"two": null}})
    );
    missing(
        bench
            .request(Verb::Read, "subkeys/a", json!({"version": 2}))
            .await,
    );
}

#[tokio::test]
async fn lists_in_pages_with_details() {
    let bench = bench().await;
    for path in ["l/a", "l/b/c", "l/b/d", "l/b-x", "l/b"] {
        versions(&bench, path, 1).await;
    }
    let keys = async |verb, path, input: Value| {
        bench
            .request(verb, path, input)
            .await
            .map(|a| a.data["keys"].clone())
    };
    assert_eq!(bench.list("metadata/").await.unwrap(), ["l/"]);
    assert_eq!(bench.list("metadata").await.unwrap(), ["l/"]);
    for (input, expected) in [
        (json!({}), json!(["a", "b", "b-x", "b/"])),
        (json!({"limit": 0}), json!(["a", "b", "b-x", "b/"])),
        (json!({"limit": -1}), json!(["a", "b", "b-x", "b/"])),
        (json!({"after": "b"}), json!(["b-x", "b/"])),
        (json!({"after": "aa", "limit": "2"}), json!(["b", "b-x"])),
    ] {
        assert_eq!(
            keys(Verb::List, "metadata/l", input).await.unwrap(),
            expected
        );
    }
    for nothing in [json!({"after": "b/"}), json!({"after": "zz"})] {
        missing(bench.request(Verb::List, "metadata/l", nothing).await);
    }
    missing(bench.request(Verb::List, "metadata/l/a", json!({})).await);
    assert_eq!(
        keys(Verb::Scan, "metadata/l", json!({})).await.unwrap(),
        json!(["a", "b", "b-x", "b/c", "b/d"])
    );
    assert_eq!(
        keys(Verb::Scan, "metadata/l", json!({"after": "b", "limit": 2}))
            .await
            .unwrap(),
        json!(["b-x", "b/c"])
    );
    assert_eq!(
        keys(Verb::Scan, "metadata/no", json!({})).await.unwrap(),
        Value::Null
    );
    assert!(matches!(
        bench.list("data/").await,
        Err(Fault::UnsupportedVerb)
    ));

    let details = bench
        .request(Verb::List, "detailed-metadata/l", json!({"limit": 4}))
        .await
        .unwrap()
        .data;
    assert_eq!(details["keys"], json!(["a", "b", "b-x", "b/"]));
    assert_eq!(
        (&details["key_info"]["a"], &details["key_info"]["b/"]),
        (&metadata(&bench, "l/a").await, &json!({}))
    );
    let details = bench
        .request(Verb::Scan, "detailed-metadata/", json!({}))
        .await
        .unwrap()
        .data;
    assert_eq!(
        details["key_info"]["l/b/c"],
        metadata(&bench, "l/b/c").await
    );
    missing(
        bench
            .request(Verb::List, "detailed-metadata/no", json!({}))
            .await,
    );
}

#[tokio::test]
async fn paths_of_version_1_get_a_hint() {
    let bench = bench().await;
    for verb in Verb::ALL {
        for path in ["", "a", "dir/a", "nosuch/a"] {
            let answer = bench.request(verb, path, json!({"x": 1})).await;
            let Err(Fault::Gone(reply)) = answer else {
                panic!("{verb} {path}: {answer:?}")
            };
            assert!(matches!(reply.body, Body::Empty));
            let hint = reply.warnings.join("\n");
            assert!(
                hint.starts_with("Invalid path for a versioned K/V secrets engine"),
                "{hint}"
            );
            assert!(
                hint.contains(&format!("data/{path}"))
                    || hint.contains(&format!("metadata/{path}")),
                "{hint}"
            );
        }
    }
    assert!(
        V2::routes().faults().is_empty(),
        "{:?}",
        V2::routes().faults()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_writers_with_one_cas_one_wins() {
    let bench = Arc::new(bench().await);
    for round in 0..100 {
        let writers = (0..4).map(|_| {
            let bench = Arc::clone(&bench);
            let body = json!({"data": {"round": round}, "options": {"cas": round}});
            tokio::spawn(async move { bench.write("data/a", body).await })
        });
        let answers = futures_util::future::join_all(writers).await;
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for refused in answers.into_iter().filter(|answer| answer.is_err()) {
            assert!(invalid(refused).contains("did not match"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_concurrent_write_is_lost() {
    let bench = Arc::new(bench().await);
    bench
        .write("config", json!({"max_versions": 1000}))
        .await
        .unwrap();
    let writers = (0..8).map(|writer| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            for n in 0..25 {
                let body = json!({"data": {"writer": writer, "n": n}});
                bench.write("data/a", body).await.unwrap();
                bench
                    .write("metadata/a", json!({"max_versions": 500}))
                    .await
                    .unwrap();
            }
        })
    });
    for writer in futures_util::future::join_all(writers).await {
        writer.unwrap();
    }
    let about = metadata(&bench, "a").await;
    assert_eq!(
        (
            &about["current_version"],
            &about["current_metadata_version"]
        ),
        (&json!(200), &json!(200))
    );
    let mut seen = BTreeSet::new();
    for version in 1..=200 {
        seen.insert(read_version(&bench, "a", version).await.unwrap().data["data"].to_string());
    }
    assert_eq!(seen.len(), 200);
}
