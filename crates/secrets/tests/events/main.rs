//! What engines tell about changes, by path: each change one event of the right words, no event without a change, and
//! never a value.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that can not go on has failed"
)]

mod everything;
mod kms;
mod kv;
mod transit;

use coffer_engine::testing::Bench;
use coffer_engine::{Engine, Event};
use serde_json::{Value, json};

/// What every secret of these tests has in it.
const MARK: &str = "s3cr3t";

/// An event as its metadata with its kind.
fn shown(event: &Event) -> Value {
    let mut shown = json!(event.metadata);
    shown["kind"] = json!(event.kind);
    shown
}

/// What was told since the last time, after a look at what may never be in it.
fn told<E: Engine>(bench: &Bench<E>) -> Vec<Value> {
    let events: Vec<Value> = bench.events().iter().map(shown).collect();
    let text = json!(events).to_string();
    assert!(!text.contains(MARK), "a value is in an event: {text}");
    events
}

/// The one event that was told.
fn only<E: Engine>(bench: &Bench<E>) -> Value {
    let mut events = told(bench);
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

/// Does a write, and shows the one event that it made.
async fn wrote<E: Engine>(bench: &Bench<E>, path: &str, body: Value) -> Value {
    bench.write(path, body).await.unwrap();
    only(bench)
}

/// A write that is refused, and makes no event.
async fn silent<E: Engine>(bench: &Bench<E>, path: &str, body: Value) {
    let refused = bench.write(path, body).await;
    assert!(refused.is_err(), "{path} is not refused");
    assert_eq!(told(bench), [] as [Value; 0], "{path}");
}
