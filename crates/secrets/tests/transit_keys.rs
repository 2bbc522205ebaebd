//! The life of transit's keys, by path.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can not go on has failed"
)]

use std::time::Duration;

use coffer_engine::testing::Bench;
use coffer_engine::{Engine as _, Fault};
use coffer_secrets::transit::Transit;
use coffer_wire::Verb;
use serde_json::{Value, json};

const HELLO: &str = "aGVsbG8=";
const HOUR: Duration = Duration::from_secs(3_600);

type TestBench = Bench<Transit>;

async fn ok(bench: &TestBench, path: &str, input: Value) -> Value {
    match bench.write(path, input).await {
        Ok(answered) => answered.data,
        Err(fault) => panic!("{path}: {fault}"),
    }
}

async fn refused(bench: &TestBench, path: &str, input: Value) -> String {
    match bench.write(path, input).await {
        Err(Fault::Invalid(text)) => text,
        other => panic!("{path}: {other:?}"),
    }
}

async fn encrypt(bench: &TestBench, name: &str) -> String {
    let answer = ok(
        bench,
        &format!("encrypt/{name}"),
        json!({"plaintext": HELLO}),
    )
    .await;
    answer["ciphertext"].as_str().unwrap().to_owned()
}

async fn decrypts(bench: &TestBench, name: &str, ciphertext: &str) -> bool {
    let input = json!({ "ciphertext": ciphertext });
    match bench.write(&format!("decrypt/{name}"), input).await {
        Ok(answered) => {
            assert_eq!(answered.data["plaintext"], HELLO);
            true
        }
        Err(Fault::Invalid(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_table_has_no_faults() {
    assert!(
        Transit::routes().faults().is_empty(),
        "{:?}",
        Transit::routes().faults()
    );
}

#[tokio::test]
async fn every_kind_is_made_and_shown_without_its_secrets() {
    let bench = TestBench::new().await;
    for kind in [
        "aes128-gcm96",
        "aes256-gcm96",
        "chacha20-poly1305",
        "xchacha20-poly1305",
        "ed25519",
        "ecdsa-p256",
        "ecdsa-p384",
        "ecdsa-p521",
        "rsa-2048",
        "mldsa-44",
        "mldsa-65",
        "mldsa-87",
    ] {
        let made = ok(&bench, &format!("keys/{kind}"), json!({"type": kind})).await;
        assert_eq!(
            made,
            bench.read(&format!("keys/{kind}")).await.unwrap().data
        );
        assert_eq!(made["type"], kind);
        let version = &made["keys"]["1"];
        match version {
            Value::Number(_) => assert_eq!(version, 1_800_000_000),
            pair => {
                let mut fields: Vec<_> = pair.as_object().unwrap().keys().collect();
                fields.sort();
                assert_eq!(
                    fields,
                    ["certificate_chain", "creation_time", "name", "public_key"]
                );
            }
        }
    }
    let made = ok(&bench, "keys/mac", json!({"type": "hmac", "key_size": 32})).await;
    assert_eq!((&made["key_size"], made.get("keys")), (&json!(32), None));
    for kind in ["managed_key", "external-key", "", "AES256-GCM96"] {
        refused(&bench, "keys/no", json!({"type": kind})).await;
    }
    assert!(matches!(bench.read("keys/no").await, Err(Fault::NotFound)));
}

#[tokio::test]
async fn what_no_key_can_be_is_refused() {
    let bench = TestBench::new().await;
    for input in [
        json!({"convergent_encryption": true}),
        json!({"derived": true, "type": "rsa-2048"}),
        json!({"derived": true, "type": "mldsa-44"}),
        json!({"derived": true, "convergent_encryption": true, "type": "ed25519"}),
        json!({"derived": true, "type": "hmac", "key_size": 32}),
        json!({"type": "hmac"}),
        json!({"type": "hmac", "key_size": 31}),
        json!({"type": "hmac", "key_size": 513}),
        json!({"type": "hmac", "key_size": -32}),
        json!({"key_size": 32}),
        json!({"auto_rotate_period": "59m59s"}),
        json!({"external_key_ref": "a:b"}),
    ] {
        refused(&bench, "keys/no", input).await;
    }
    for name in ["-x", "x-", "a b", "ä"] {
        let made = bench.write(&format!("keys/{name}"), json!({})).await;
        assert!(matches!(made, Err(Fault::UnsupportedPath)), "{name}");
        let used = bench
            .write(&format!("encrypt/{name}"), json!({"plaintext": HELLO}))
            .await;
        assert!(matches!(used, Err(Fault::UnsupportedPath)), "{name}");
    }
    assert!(matches!(bench.list("keys").await, Err(Fault::NotFound)));
}

#[tokio::test]
async fn a_key_that_is_there_stays_as_it_is() {
    let bench = TestBench::new().await;
    let made = ok(&bench, "keys/a", json!({"exportable": true})).await;
    let again = ok(
        &bench,
        "keys/a",
        json!({"type": "ed25519", "derived": true}),
    )
    .await;
    assert_eq!(made, again);
    let no = json!({"exportable": false, "allow_plaintext_backup": true});
    let configured = ok(&bench, "keys/a/config", no).await;
    assert_eq!(
        configured["exportable"], true,
        "what was exported stays exported"
    );
    let configured = ok(
        &bench,
        "keys/a/config",
        json!({"allow_plaintext_backup": false}),
    )
    .await;
    assert_eq!(configured["allow_plaintext_backup"], true);
}

#[tokio::test]
async fn rotation_keeps_old_versions_for_decryption() {
    let bench = TestBench::new().await;
    let mut made = Vec::new();
    ok(&bench, "keys/a", json!({})).await;
    for version in 1..=5 {
        let text = encrypt(&bench, "a").await;
        assert!(text.starts_with(&format!("vault:v{version}:")), "{text}");
        made.push(text);
        ok(&bench, "keys/a/rotate", json!({})).await;
    }
    for text in &made {
        assert!(decrypts(&bench, "a", text).await);
    }
    ok(
        &bench,
        "keys/a/config",
        json!({"min_decryption_version": 3}),
    )
    .await;
    let shown = bench.read("keys/a").await.unwrap().data;
    let versions: Vec<_> = shown["keys"].as_object().unwrap().keys().collect();
    assert_eq!(versions, ["3", "4", "5", "6"]);
    for (text, good) in made.iter().zip([false, false, true, true, true]) {
        assert_eq!(decrypts(&bench, "a", text).await, good, "{text}");
    }
    ok(
        &bench,
        "keys/a/config",
        json!({"min_decryption_version": 1}),
    )
    .await;
    assert!(
        decrypts(&bench, "a", &made[0]).await,
        "what may be used again was kept"
    );

    let both = json!({"min_decryption_version": 4, "min_encryption_version": 4});
    ok(&bench, "keys/a/config", both).await;
    ok(&bench, "keys/a/trim", json!({"min_available_version": 4})).await;
    refused(
        &bench,
        "keys/a/config",
        json!({"min_decryption_version": 3}),
    )
    .await;
    let stored = bench.view().list_all("version/").await.unwrap();
    let stored = bench
        .view()
        .list_all(&format!("version/{}", stored[0]))
        .await
        .unwrap();
    assert_eq!(stored.len(), 3, "trimmed versions are gone from storage");
    assert!(decrypts(&bench, "a", &made[3]).await && !decrypts(&bench, "a", &made[2]).await);
}

#[tokio::test]
async fn deletion_is_guarded_and_leaves_nothing() {
    let bench = TestBench::new().await;
    ok(&bench, "keys/a", json!({})).await;
    ok(&bench, "keys/a/rotate", json!({})).await;
    let text = encrypt(&bench, "a").await;
    assert!(matches!(
        bench.delete("keys/a").await,
        Err(Fault::Invalid(_))
    ));
    assert!(decrypts(&bench, "a", &text).await);
    ok(&bench, "keys/a/config", json!({"deletion_allowed": true})).await;
    bench.delete("keys/a").await.unwrap();
    assert!(matches!(bench.read("keys/a").await, Err(Fault::NotFound)));
    assert!(!decrypts(&bench, "a", &text).await);
    for folder in ["key/", "version/", "deleted/"] {
        assert!(
            bench.view().list_all(folder).await.unwrap().is_empty(),
            "{folder}"
        );
    }
    ok(&bench, "keys/a", json!({})).await;
    assert!(
        !decrypts(&bench, "a", &text).await,
        "a new key under the old name"
    );
}

#[tokio::test]
async fn a_deletion_that_was_interrupted_is_finished() {
    let bench = TestBench::new().await;
    ok(&bench, "keys/a", json!({})).await;
    ok(&bench, "keys/b", json!({})).await;
    let ids = bench.view().list_all("version/").await.unwrap();
    let gone = ids[0].trim_end_matches('/');
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Mark {
        before: u32,
    }
    impl coffer_engine::Stored for Mark {}
    bench
        .view()
        .put(&format!("deleted/{gone}"), &Mark { before: u32::MAX })
        .await
        .unwrap();
    bench.tick().await.unwrap();
    assert_eq!(
        bench.view().list_all("version/").await.unwrap(),
        [ids[1].clone()]
    );
    assert!(bench.view().list_all("deleted/").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_soft_deleted_key_does_nothing_until_it_is_restored() {
    let bench = TestBench::new().await;
    ok(&bench, "keys/a", json!({})).await;
    let text = encrypt(&bench, "a").await;
    let code = ok(&bench, "hmac/a", json!({"input": HELLO})).await;
    bench.delete("keys/a/soft-delete").await.unwrap();
    let again = bench.delete("keys/a/soft-delete").await.unwrap();
    assert_eq!(
        again.reply.warnings,
        ["key was already marked as soft deleted"]
    );
    for (path, input) in [
        ("encrypt/a", json!({"plaintext": HELLO})),
        ("decrypt/a", json!({ "ciphertext": text })),
        ("rewrap/a", json!({ "ciphertext": text })),
        ("datakey/plaintext/a", json!({})),
        ("hmac/a", json!({"input": HELLO})),
        ("verify/a", json!({"input": HELLO, "hmac": code["hmac"]})),
        ("keys/a/rotate", json!({})),
    ] {
        assert_eq!(
            refused(&bench, path, input).await,
            "refusing to use soft-deleted key"
        );
    }
    assert_eq!(
        bench.read("keys/a").await.unwrap().data["soft_deleted"],
        true
    );
    ok(&bench, "keys/a/soft-delete-restore", json!({})).await;
    assert!(decrypts(&bench, "a", &text).await);
    bench.delete("keys/nosuch/soft-delete").await.unwrap();
}

#[tokio::test]
async fn keys_rotate_by_themselves_when_they_are_due() {
    let mut bench = TestBench::new().await;
    ok(&bench, "keys/hourly", json!({"auto_rotate_period": "1h"})).await;
    ok(&bench, "keys/never", json!({})).await;
    ok(&bench, "keys/gone", json!({"auto_rotate_period": "1h"})).await;
    bench.delete("keys/gone/soft-delete").await.unwrap();
    let latest = async |bench: &TestBench, name: &str| {
        let shown = bench.read(&format!("keys/{name}")).await.unwrap();
        shown.data["latest_version"].as_u64().unwrap()
    };
    encrypt(&bench, "hourly").await;
    bench.tick().await.unwrap();
    assert_eq!(latest(&bench, "hourly").await, 1);
    for version in 2..5 {
        bench.advance(HOUR);
        bench.tick().await.unwrap();
        bench.tick().await.unwrap();
        assert_eq!(latest(&bench, "hourly").await, version);
        assert!(
            encrypt(&bench, "hourly")
                .await
                .starts_with(&format!("vault:v{version}:"))
        );
    }
    assert_eq!(
        (latest(&bench, "never").await, latest(&bench, "gone").await),
        (1, 1)
    );
    ok(&bench, "keys/hourly/rotate", json!({})).await;
    bench.advance(HOUR / 2);
    bench.tick().await.unwrap();
    assert_eq!(
        latest(&bench, "hourly").await,
        5,
        "a manual rotation counts"
    );
}

#[tokio::test]
async fn a_key_with_thousands_of_versions_stays_small() {
    let bench = TestBench::new().await;
    ok(&bench, "keys/a", json!({})).await;
    let first = encrypt(&bench, "a").await;
    // The answer to a rotation names all versions that work: keep them few.
    for version in 2..=1_500 {
        ok(&bench, "keys/a/rotate", json!({})).await;
        if version % 100 == 0 {
            ok(
                &bench,
                "keys/a/config",
                json!({"min_decryption_version": version}),
            )
            .await;
        }
    }
    let record = bench
        .view()
        .barrier()
        .raw("logical/test/key/a")
        .await
        .unwrap()
        .unwrap();
    assert!(record.len() < 1_000, "{}", record.len());
    ok(
        &bench,
        "keys/a/config",
        json!({"min_decryption_version": 1}),
    )
    .await;
    assert!(decrypts(&bench, "a", &first).await);
    let shown = bench.read("keys/a").await.unwrap().data;
    assert_eq!(shown["keys"].as_object().unwrap().len(), 1_500);
    ok(&bench, "keys/a/config", json!({"deletion_allowed": true})).await;
    bench.delete("keys/a").await.unwrap();
    assert!(bench.view().list_all("version/").await.unwrap().is_empty());
}

/// One batch of writes holds 4,096.
#[tokio::test]
async fn more_versions_are_trimmed_than_one_batch_holds() {
    let bench = TestBench::new().await;
    ok(&bench, "keys/a", json!({})).await;
    let id = bench.view().list_all("version/").await.unwrap().remove(0);
    let id = id.trim_end_matches('/');
    // As if it had been rotated thousands of times.
    let mut record = raw(&bench, "key/a").await;
    let version = raw(&bench, &format!("version/{id}/0000000001")).await;
    record["latest_version"] = json!(9_000);
    record["min_decryption_version"] = json!(8_999);
    record["min_encryption_version"] = json!(8_999);
    for first in (2..=9_000).step_by(3_000) {
        let last = (first + 2_999).min(9_000);
        let changes = (first..=last).fold(bench.view().changes(), |changes, number| {
            let place = format!("version/{id}/{number:010}");
            changes
                .put(bench.view(), &place, &Raw(version.clone()))
                .unwrap()
        });
        changes.commit().await.unwrap();
    }
    bench.view().put("key/a", &Raw(record)).await.unwrap();
    ok(&bench, "cache-config", json!({"size": 0})).await;
    ok(
        &bench,
        "keys/a/trim",
        json!({"min_available_version": 8_999}),
    )
    .await;
    let left = bench
        .view()
        .list_all(&format!("version/{id}/"))
        .await
        .unwrap();
    assert_eq!(left, ["0000008999", "0000009000"]);
    assert!(bench.view().list_all("deleted/").await.unwrap().is_empty());
    assert!(encrypt(&bench, "a").await.starts_with("vault:v9000:"));
}

/// A record as its JSON.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
struct Raw(Value);

impl coffer_engine::Stored for Raw {}

async fn raw(bench: &TestBench, place: &str) -> Value {
    bench.view().get::<Raw>(place).await.unwrap().unwrap().0
}

#[tokio::test]
async fn settings_are_kept() {
    let bench = TestBench::new().await;
    assert_eq!(
        bench.read("cache-config").await.unwrap().data,
        json!({"size": 0})
    );
    for size in [-1, 1, 9] {
        refused(&bench, "cache-config", json!({ "size": size })).await;
    }
    ok(&bench, "cache-config", json!({"size": 10})).await;
    assert_eq!(
        bench.read("cache-config").await.unwrap().data,
        json!({"size": 10})
    );
    for n in 0..200 {
        let text = encrypt(&bench, &format!("k{n}")).await;
        assert!(
            decrypts(&bench, &format!("k{n}"), &text).await,
            "a cache that is full"
        );
    }
    ok(&bench, "config/keys", json!({"disable_upsert": true})).await;
    let text = refused(&bench, "encrypt/new", json!({"plaintext": HELLO})).await;
    assert_eq!(text, "encryption key not found");
    assert_eq!(bench.exists("encrypt/new").await, Some(false));
    assert_eq!(bench.exists("encrypt/k1").await, Some(true));
}

/// What is durable is what is used: a reader that knows that a change is over never sees the state before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_change_is_overlooked() {
    let bench = std::sync::Arc::new(TestBench::new().await);
    ok(&bench, "keys/a", json!({})).await;
    let done = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(1));
    let order = std::sync::atomic::Ordering::SeqCst;
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (bench, done) = (bench.clone(), done.clone());
            tokio::spawn(async move {
                loop {
                    let before = done.load(order);
                    let text = encrypt(&bench, "a").await;
                    let version: u32 = text.split(':').nth(1).unwrap()[1..].parse().unwrap();
                    assert!(version >= before, "{version} after {before}");
                    if before >= 200 {
                        return;
                    }
                }
            })
        })
        .collect();
    let rotators: Vec<_> = (0..2)
        .map(|_| {
            let (bench, done) = (bench.clone(), done.clone());
            tokio::spawn(async move {
                while done.load(order) < 200 {
                    let made = ok(&bench, "keys/a/rotate", json!({})).await;
                    let latest = u32::try_from(made["latest_version"].as_u64().unwrap()).unwrap();
                    done.fetch_max(latest, order);
                    let least = json!({"min_decryption_version": latest.saturating_sub(5).max(1)});
                    bench.write("keys/a/config", least).await.unwrap();
                }
            })
        })
        .collect();
    for task in readers.into_iter().chain(rotators) {
        task.await.unwrap();
    }
    let shown = bench.read("keys/a").await.unwrap().data;
    let versions = shown["keys"].as_object().unwrap().len();
    assert!(
        (1..=8).contains(&versions),
        "no version was lost or made twice: {versions}"
    );
}

#[tokio::test]
async fn many_make_one_key() {
    let bench = std::sync::Arc::new(TestBench::new().await);
    let made = (0..20).map(|_| {
        let bench = bench.clone();
        tokio::spawn(async move { encrypt(&bench, "a").await })
    });
    for task in made.collect::<Vec<_>>() {
        let text = task.await.unwrap();
        assert!(decrypts(&bench, "a", &text).await);
    }
    assert_eq!(bench.view().list_all("version/").await.unwrap().len(), 1);
    let listed = bench
        .request(Verb::List, "keys", Value::Null)
        .await
        .unwrap();
    assert_eq!(listed.data, json!({"keys": ["a"]}));
}
