//! Random operations against an ordered map, with the file closed and opened in between.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;

use coffer_storage::{Batch, Embedded, Error, Memory, Store};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Commit {
        check: Option<(String, Option<Vec<u8>>)>,
        writes: Vec<(String, Option<Vec<u8>>)>,
    },
    Get(String),
    List(String, Option<String>, usize),
    Scan(String, Option<String>, usize),
    Reopen,
}

/// Few short segments, so that operations meet.
fn path() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab0\\-ä]{1,2}", 1..4).prop_map(|segments| segments.join("/"))
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..12),
        1 => (3000_usize..20_000).prop_map(|n| vec![n as u8; n]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let writes = prop::collection::vec((path(), prop::option::weighted(0.7, value())), 0..6);
    let check = prop::option::of((path(), prop::option::of(value())));
    let folder = prop_oneof![Just(String::new()), path().prop_map(|p| format!("{p}/"))];
    let prefix = prop_oneof![Just(String::new()), "[ab0ä/]{1,3}"];
    prop_oneof![
        6 => (check, writes).prop_map(|(check, writes)| Step::Commit { check, writes }),
        2 => path().prop_map(Step::Get),
        3 => (folder, prop::option::of("[ab0/ä]{1,3}"), 0_usize..6)
            .prop_map(|(prefix, after, limit)| Step::List(prefix, after, limit)),
        3 => (prefix, prop::option::of(path()), 0_usize..6)
            .prop_map(|(prefix, after, limit)| Step::Scan(prefix, after, limit)),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn embedded_behaves_like_a_map(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        run(steps, || Embedded::open(dir.path()).unwrap());
    }

    #[test]
    fn memory_behaves_like_a_map(steps in prop::collection::vec(step(), 1..60)) {
        let steps = steps.into_iter().filter(|step| !matches!(step, Step::Reopen)).collect();
        run(steps, Memory::new);
    }
}

fn run<S: Store>(steps: Vec<Step>, open: impl Fn() -> S) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut store = open();
        let mut model = BTreeMap::new();
        for step in steps {
            if matches!(step, Step::Reopen) {
                // The directory is free once the old handle is gone.
                drop(store);
                store = open();
            } else {
                take(&store, &mut model, step).await;
            }
        }
        let all = store.scan("", None, 10_000).await.unwrap();
        assert_eq!(all, model.into_iter().collect::<Vec<_>>());
    });
}

async fn take(store: &dyn Store, model: &mut BTreeMap<String, Vec<u8>>, step: Step) {
    match step {
        Step::Commit { check, writes } => commit(store, model, check, writes).await,
        Step::Get(path) => assert_eq!(store.get(&path).await.unwrap().as_ref(), model.get(&path)),
        Step::List(prefix, after, limit) => {
            let found = store.list(&prefix, after.as_deref(), limit).await.unwrap();
            assert_eq!(found, children(model, &prefix, after.as_deref(), limit));
        }
        Step::Scan(prefix, after, limit) => {
            let found = store.scan(&prefix, after.as_deref(), limit).await.unwrap();
            let wanted: Vec<_> = model
                .iter()
                .filter(|(path, _)| path.starts_with(&prefix))
                .filter(|(path, _)| after.as_ref().is_none_or(|after| *path > after))
                .take(limit)
                .map(|(path, value)| (path.clone(), value.clone()))
                .collect();
            assert_eq!(found, wanted);
        }
        Step::Reopen => {}
    }
}

async fn commit(
    store: &dyn Store,
    model: &mut BTreeMap<String, Vec<u8>>,
    check: Option<(String, Option<Vec<u8>>)>,
    writes: Vec<(String, Option<Vec<u8>>)>,
) {
    let mut batch = Batch::new();
    let mut holds = true;
    if let Some((path, value)) = check {
        holds = model.get(&path) == value.as_ref();
        batch = batch.expect(path, value);
    }
    for (path, value) in &writes {
        batch = match value {
            Some(value) => batch.put(path, value.clone()),
            None => batch.delete(path),
        };
    }
    let answer = store.commit(batch).await;
    if !holds {
        assert!(matches!(answer, Err(Error::Conflict { .. })));
        return;
    }
    answer.unwrap();
    for (path, value) in writes {
        match value {
            Some(value) => model.insert(path, value),
            None => model.remove(&path),
        };
    }
}

/// The plain definition of a listing, without any seeking.
fn children(
    model: &BTreeMap<String, Vec<u8>>,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Vec<String> {
    let mut found: Vec<String> = model
        .keys()
        .filter_map(|path| path.strip_prefix(prefix))
        .map(|rest| rest.split_inclusive('/').next().unwrap().to_owned())
        .filter(|child| after.is_none_or(|after| child.as_str() > after))
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(limit);
    found
}
