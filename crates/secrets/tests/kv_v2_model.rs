//! KV version 2 against a model that is too simple to be wrong.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can not go on has failed"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_engine::testing::{Answered, Bench};
use coffer_engine::{Body, Fault};
use coffer_secrets::kv::V2;
use coffer_wire::{Timestamp, Verb};
use proptest::prelude::*;
use serde_json::{Value, json};

const PATHS: [&str; 3] = ["a", "a/1", "b"];

#[derive(Clone, Debug)]
enum Step {
    Write { data: u8, cas: Option<u64> },
    Patch { name: u8, value: Option<u8> },
    DeleteLatest,
    Delete(Vec<u64>),
    Undelete(Vec<u64>),
    Destroy(Vec<u64>),
    MaxVersions(u16),
    DeleteAfter(u64),
    Forget,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let versions = || prop::collection::vec(0..9_u64, 1..4);
    prop_oneof![
        8 => (any::<u8>(), prop::option::weighted(0.3, 0..8_u64)).prop_map(|(data, cas)| Step::Write { data, cas }),
        3 => (0..3_u8, prop::option::of(any::<u8>())).prop_map(|(name, value)| Step::Patch { name, value }),
        2 => Just(Step::DeleteLatest),
        2 => versions().prop_map(Step::Delete),
        2 => versions().prop_map(Step::Undelete),
        2 => versions().prop_map(Step::Destroy),
        1 => (0..5_u16).prop_map(Step::MaxVersions),
        1 => (0..20_u64).prop_map(Step::DeleteAfter),
        1 => Just(Step::Forget),
        2 => (1..15_u64).prop_map(Step::Wait),
    ]
}

/// A secret as somebody who reads the documentation would keep it in mind.
#[derive(Default)]
struct Model {
    current: u64,
    versions: BTreeMap<u64, Version>,
    max_versions: u16,
    delete_after: u64,
}

struct Version {
    data: Option<Value>,
    deletion: Option<Timestamp>,
}

impl Model {
    fn deletion(&self, now: Timestamp) -> Option<Timestamp> {
        (self.delete_after > 0).then(|| now.plus(Duration::from_secs(self.delete_after)))
    }

    fn push(&mut self, data: Value, now: Timestamp) {
        self.current += 1;
        let version = Version {
            data: Some(data),
            deletion: self.deletion(now),
        };
        self.versions.insert(self.current, version);
        let keep = if self.max_versions == 0 {
            10
        } else {
            self.max_versions
        };
        while self.versions.len() > usize::from(keep) {
            self.versions.pop_first();
        }
    }

    fn readable(&self, version: u64, now: Timestamp) -> Option<&Value> {
        let version = self.versions.get(&version)?;
        version
            .data
            .as_ref()
            .filter(|_| version.deletion.is_none_or(|at| at > now))
    }

    fn chosen(&mut self, numbers: &[u64]) -> impl Iterator<Item = &mut Version> {
        let named = self
            .versions
            .iter_mut()
            .filter(|(n, _)| numbers.contains(n));
        named
            .map(|(_, version)| version)
            .filter(|version| version.data.is_some())
    }
}

/// Takes one step in the model; answers whether the engine should accept it.
fn take(
    models: &mut BTreeMap<&'static str, Model>,
    path: &'static str,
    step: &Step,
    now: Timestamp,
) -> bool {
    let there = models.contains_key(path);
    let model = match step {
        Step::Forget => {
            models.remove(path);
            return true;
        }
        Step::Write { .. } | Step::MaxVersions(_) | Step::DeleteAfter(_) => {
            if let Step::Write { cas: Some(cas), .. } = step
                && *cas != models.get(path).map_or(0, |model| model.current)
            {
                return false;
            }
            models.entry(path).or_default()
        }
        _ if !there => return !matches!(step, Step::Patch { .. }),
        _ => models.get_mut(path).unwrap(),
    };
    match step {
        Step::Write { data, .. } => model.push(json!({"0": data}), now),
        Step::Patch { name, value } => {
            let Some(mut data) = model.readable(model.current, now).cloned() else {
                return false;
            };
            let fields = data.as_object_mut().unwrap();
            match value {
                Some(value) => drop(fields.insert(name.to_string(), json!(value))),
                None => drop(fields.remove(&name.to_string())),
            }
            model.push(data, now);
        }
        Step::DeleteLatest => {
            let latest = model.current;
            delete(model, &[latest], now);
        }
        Step::Delete(numbers) => delete(model, numbers, now),
        Step::Undelete(numbers) => {
            let deletion = model.deletion(now);
            model
                .chosen(numbers)
                .for_each(|version| version.deletion = deletion);
        }
        Step::Destroy(numbers) => model
            .chosen(numbers)
            .for_each(|version| version.data = None),
        Step::MaxVersions(number) => model.max_versions = *number,
        Step::DeleteAfter(secs) => model.delete_after = *secs,
        Step::Forget | Step::Wait(_) => {}
    }
    true
}

fn delete(model: &mut Model, numbers: &[u64], now: Timestamp) {
    let alive = model
        .chosen(numbers)
        .filter(|version| version.deletion.is_none_or(|at| at > now));
    alive.for_each(|version| version.deletion = Some(now));
}

async fn ask(bench: &Bench<V2>, path: &str, step: &Step) -> Result<Answered, Fault> {
    let at = |folder| format!("{folder}/{path}");
    match step {
        Step::Write { data, cas: None } => {
            bench.write(&at("data"), json!({"data": {"0": data}})).await
        }
        Step::Write { data, cas } => {
            bench
                .write(
                    &at("data"),
                    json!({"data": {"0": data}, "options": {"cas": cas}}),
                )
                .await
        }
        Step::Patch { name, value } => {
            bench
                .patch(&at("data"), json!({"data": {(name.to_string()): value}}))
                .await
        }
        Step::DeleteLatest => bench.delete(&at("data")).await,
        Step::Delete(numbers) => {
            bench
                .write(&at("delete"), json!({"versions": numbers}))
                .await
        }
        Step::Undelete(numbers) => {
            bench
                .write(&at("undelete"), json!({"versions": numbers}))
                .await
        }
        Step::Destroy(numbers) => {
            bench
                .write(&at("destroy"), json!({"versions": numbers}))
                .await
        }
        Step::MaxVersions(number) => {
            bench
                .write(&at("metadata"), json!({"max_versions": number}))
                .await
        }
        Step::DeleteAfter(secs) => {
            bench
                .write(&at("metadata"), json!({"delete_version_after": secs}))
                .await
        }
        Step::Forget => bench.delete(&at("metadata")).await,
        Step::Wait(_) => bench.read("config").await,
    }
}

/// What a read of a version shows: none where the version is unknown, null where its data is gone.
async fn shown(bench: &Bench<V2>, path: &str, version: u64) -> Option<Value> {
    let read = bench
        .request(
            Verb::Read,
            &format!("data/{path}"),
            json!({"version": version}),
        )
        .await;
    match read {
        Ok(answered) => Some(answered.data["data"].clone()),
        Err(Fault::Gone(reply)) => {
            let Body::Json(text) = &reply.body else {
                panic!("no data: {reply:?}")
            };
            let data: Value = serde_json::from_slice(text).unwrap();
            assert!(data["metadata"]["version"].is_number() && data["data"].is_null());
            Some(Value::Null)
        }
        Err(Fault::NotFound) => None,
        Err(other) => panic!("{other:?}"),
    }
}

/// Everything that can be seen agrees, and the storage holds exactly the data that the model has.
async fn compare(bench: &Bench<V2>, models: &BTreeMap<&'static str, Model>) {
    let mut records = 0;
    for path in PATHS {
        let Some(model) = models.get(path) else {
            assert!(matches!(
                bench.read(&format!("metadata/{path}")).await,
                Err(Fault::NotFound)
            ));
            continue;
        };
        let about = bench.read(&format!("metadata/{path}")).await.unwrap().data;
        assert_eq!(about["current_version"], json!(model.current));
        assert_eq!(
            about["versions"].as_object().unwrap().len(),
            model.versions.len()
        );
        for version in 1..=model.current {
            let known = model.versions.contains_key(&version);
            let expected = known.then(|| {
                model
                    .readable(version, bench.now)
                    .cloned()
                    .unwrap_or_default()
            });
            assert_eq!(
                shown(bench, path, version).await,
                expected,
                "{path} version {version}"
            );
        }
        records += model
            .versions
            .values()
            .filter(|version| version.data.is_some())
            .count();
    }
    let kept = bench
        .view()
        .scan_paths("v2/data/", None, 1_000)
        .await
        .unwrap();
    assert_eq!(kept.len(), records, "{kept:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sequence_of_steps_agrees_with_the_model(
        steps in prop::collection::vec((0..PATHS.len(), step()), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut bench = Bench::<V2>::new().await;
            let mut models = BTreeMap::new();
            for (path, step) in steps {
                if let Step::Wait(secs) = step {
                    bench.advance(Duration::from_secs(secs));
                }
                let answer = ask(&bench, PATHS[path], &step).await;
                let expected = take(&mut models, PATHS[path], &step, bench.now);
                assert_eq!(answer.is_ok(), expected, "{step:?}: {answer:?}");
                compare(&bench, &models).await;
            }
        });
    }
}
