use coffer_secrets::cubbyhole::Cubbyhole;
use coffer_secrets::kv::{V1, V2};
use proptest::prelude::*;

use super::*;

async fn v2() -> Bench<V2> {
    Bench::with_options(&[("version", "2")]).await
}

fn secret(n: u32) -> Value {
    json!({"data": {"password": format!("{MARK}-{n}"), format!("{MARK}-key"): n}})
}

/// An event of version 2 about `app`.
fn about(kind: &str, path: &str, current: u32, more: Value) -> Value {
    let operation = kind.split('/').next_back();
    let mut event = json!({
        "kind": kind, "operation": operation, "path": path, "modified": "true",
        "current_version": current.to_string(), "oldest_version": "0",
    });
    let all = event.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    event
}

#[tokio::test]
async fn version_1_tells_writes_and_deletions() {
    let bench = Bench::<V1>::new().await;
    silent(&bench, "app", json!({})).await;
    for path in ["app", "team/app"] {
        assert_eq!(
            wrote(&bench, path, json!({"password": MARK})).await,
            json!({"kind": "kv-v1/write", "operation": "write", "path": path, "data_path": path, "modified": "true"})
        );
    }
    bench.read("app").await.unwrap();
    assert!(told(&bench).is_empty());
    bench.delete("team/app").await.unwrap();
    assert_eq!(
        only(&bench),
        json!({"kind": "kv-v1/delete", "operation": "delete", "path": "team/app", "modified": "true"})
    );
    // Nothing is changed by these, though they succeed.
    for path in ["team/app", "team", "ap"] {
        bench.delete(path).await.unwrap();
    }
    assert!(told(&bench).is_empty());
}

#[tokio::test]
async fn version_2_tells_data() {
    let bench = v2().await;
    let data = json!({"data_path": "data/app"});
    for n in 1..=2 {
        assert_eq!(
            wrote(&bench, "data/app", secret(n)).await,
            about("kv-v2/data-write", "data/app", n, data.clone())
        );
    }
    let patch = json!({"data": {"more": MARK}});
    bench.patch("data/app", patch.clone()).await.unwrap();
    assert_eq!(only(&bench), about("kv-v2/data-patch", "data/app", 3, data));
    bench.delete("data/app").await.unwrap();
    assert_eq!(
        only(&bench),
        about("kv-v2/data-delete", "data/app", 3, json!({}))
    );
    // It is deleted already, or was never there.
    bench.delete("data/app").await.unwrap();
    bench.delete("data/other").await.unwrap();
    assert!(bench.patch("data/app", patch).await.is_err());
    assert!(told(&bench).is_empty());
}

#[tokio::test]
async fn version_2_tells_which_versions() {
    let bench = v2().await;
    for n in 1..=3 {
        bench.write("data/app", secret(n)).await.unwrap();
    }
    told(&bench);
    let versions = |numbers: &[u32]| json!({"versions": numbers});
    assert_eq!(
        wrote(&bench, "delete/app", versions(&[1, 2, 9])).await,
        about(
            "kv-v2/delete",
            "delete/app",
            3,
            json!({"deleted_versions": "[1,2]"})
        )
    );
    assert_eq!(
        wrote(&bench, "undelete/app", versions(&[2, 3])).await,
        about(
            "kv-v2/undelete",
            "undelete/app",
            3,
            json!({"undeleted_versions": "[2]", "data_path": "data/app"})
        )
    );
    assert_eq!(
        wrote(&bench, "destroy/app", versions(&[1, 2])).await,
        about(
            "kv-v2/destroy",
            "destroy/app",
            3,
            json!({"destroyed_versions": "[1,2]"})
        )
    );
    for (folder, numbers) in [
        ("delete", [1, 9]),
        ("undelete", [2, 3]),
        ("destroy", [1, 2]),
    ] {
        let path = format!("{folder}/app");
        bench.write(&path, versions(&numbers)).await.unwrap();
        assert!(told(&bench).is_empty(), "{path}");
    }
}

#[tokio::test]
async fn version_2_tells_metadata_and_config() {
    let bench = v2().await;
    bench.write("data/app", secret(1)).await.unwrap();
    told(&bench);
    let custom = json!({"custom_metadata": {"owner": MARK}});
    let at = json!({"data_path": "metadata/app"});
    assert_eq!(
        wrote(&bench, "metadata/app", custom.clone()).await,
        about("kv-v2/metadata-write", "metadata/app", 1, at.clone())
    );
    bench.patch("metadata/app", custom).await.unwrap();
    assert_eq!(
        only(&bench),
        about("kv-v2/metadata-patch", "metadata/app", 1, at)
    );
    bench.write("metadata/app", json!({})).await.unwrap();
    assert!(told(&bench).is_empty());
    assert_eq!(
        wrote(&bench, "config", json!({"max_versions": 3})).await,
        json!({"kind": "kv-v2/config-write", "operation": "config-write", "path": "config", "data_path": "config", "modified": "true"})
    );
    bench.delete("metadata/app").await.unwrap();
    assert_eq!(
        only(&bench),
        about("kv-v2/metadata-delete", "metadata/app", 1, json!({}))
    );
    bench.delete("metadata/app").await.unwrap();
    assert!(told(&bench).is_empty());
}

#[tokio::test]
async fn what_is_refused_is_not_told() {
    let bench = v2().await;
    bench.write("data/app", secret(1)).await.unwrap();
    told(&bench);
    let with_cas = |cas: u32| json!({"data": {"a": MARK}, "options": {"cas": cas}});
    silent(&bench, "data/app", with_cas(0)).await;
    silent(&bench, "data/app", with_cas(7)).await;
    silent(&bench, "data/app", json!({"password": MARK})).await;
    silent(&bench, "delete/app", json!({})).await;
    silent(
        &bench,
        "metadata/app",
        json!({"metadata_cas": 9, "max_versions": 3}),
    )
    .await;
    silent(&bench, "config", json!({"max_versions": MARK})).await;
    silent(&bench, MARK, json!({"a": 1})).await;
}

#[tokio::test]
async fn the_cubbyhole_tells_nothing() {
    let bench = Bench::<Cubbyhole>::new().await;
    bench.write("app", json!({"a": MARK})).await.unwrap();
    bench.delete("app").await.unwrap();
    assert!(told(&bench).is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Write(u8, String, Option<u8>),
    Patch(u8, String),
    Delete(u8),
    Chosen(&'static str, u8, Vec<u8>),
    Custom(u8, String),
    Forget(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let text = || "s3cr3t[a-z0-9 \"\\\\/]{0,12}";
    let chosen = prop::sample::select(vec!["delete", "undelete", "destroy"]);
    prop_oneof![
        4 => (0..3u8, text(), prop::option::of(0..3u8)).prop_map(|(at, text, cas)| Step::Write(at, text, cas)),
        2 => (0..3u8, text()).prop_map(|(at, text)| Step::Patch(at, text)),
        1 => (0..3u8).prop_map(Step::Delete),
        3 => (chosen, 0..3u8, prop::collection::vec(0..6u8, 0..4)).prop_map(|(how, at, numbers)| Step::Chosen(how, at, numbers)),
        1 => (0..3u8, text()).prop_map(|(at, text)| Step::Custom(at, text)),
        1 => (0..3u8).prop_map(Step::Forget),
    ]
}

/// Where it is, what the metadata of the secret is there, and whether it was done.
async fn run(bench: &Bench<V2>, step: Step) -> (String, bool) {
    let at = |folder: &str, at: u8| format!("{folder}/app{at}");
    let (path, done) = match step {
        Step::Write(n, text, cas) => {
            let mut body = json!({"data": {"a": text}});
            if let Some(cas) = cas {
                body["options"] = json!({"cas": cas});
            }
            let path = at("data", n);
            let done = bench.write(&path, body).await;
            (path, done)
        }
        Step::Patch(n, text) => {
            let path = at("data", n);
            let done = bench.patch(&path, json!({"data": {"b": text}})).await;
            (path, done)
        }
        Step::Delete(n) => {
            let path = at("data", n);
            let done = bench.delete(&path).await;
            (path, done)
        }
        Step::Chosen(how, n, numbers) => {
            let path = at(how, n);
            let done = bench.write(&path, json!({"versions": numbers})).await;
            (path, done)
        }
        Step::Custom(n, text) => {
            let path = at("metadata", n);
            let body = json!({"custom_metadata": {"owner": text}});
            let done = bench.write(&path, body).await;
            (path, done)
        }
        Step::Forget(n) => {
            let path = at("metadata", n);
            let done = bench.delete(&path).await;
            (path, done)
        }
    };
    (path, done.is_ok())
}

/// What there is to read about the secrets, but for times that nobody sees change here.
async fn state(bench: &Bench<V2>) -> Vec<Value> {
    let mut all = Vec::new();
    for n in 0..3 {
        let metadata = bench.read(&format!("metadata/app{n}")).await;
        all.push(metadata.map(|answered| answered.data).unwrap_or_default());
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A step is told by one event, at the path that it was made at, if and only if it changed something.
    #[test]
    fn what_changes_is_told_and_nothing_else(steps in prop::collection::vec(step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let bench = v2().await;
            let mut before = state(&bench).await;
            for step in steps {
                let (path, done) = run(&bench, step.clone()).await;
                let after = state(&bench).await;
                let events = told(&bench);
                assert_eq!(events.len(), usize::from(before != after), "{step:?} {events:?}");
                assert!(done || events.is_empty(), "{step:?}");
                assert!(events.iter().all(|event| event["path"] == path), "{step:?} {events:?}");
                before = after;
            }
        });
    }
}
