//! What is read with every request is small: records that a client could blow up are refused.

mod harness;

use coffer_wire::Verb;
use harness::Harness;
use serde_json::{Value, json};

/// More than a record may hold, and than a batch token may carry.
const MUCH: usize = 100 * 1024;

async fn refused(h: &Harness, path: &str, body: Value) {
    let answer = h.request(Verb::Write, path, &h.root, body).await;
    assert_eq!(answer.status, 400, "{path}: {answer:?}");
    assert!(answer.error().contains("limit"), "{}", answer.error());
}

#[tokio::test(start_paused = true)]
async fn records_of_tokens_roles_and_mounts_stay_small() {
    let h = Harness::new().await;
    let much = "x".repeat(MUCH);
    let meta = json!({ "policies": "a", "meta": { "k": much } });
    refused(&h, "auth/token/create", meta).await;
    let batch = json!({ "policies": "a", "type": "batch", "ttl": "5m", "meta": { "k": "x".repeat(9_000) } });
    refused(&h, "auth/token/create", batch).await;
    let role = json!({ "allowed_policies": [much] });
    refused(&h, "auth/token/roles/wide", role).await;
    let tuning = json!({ "description": much });
    refused(&h, "sys/auth/token/tune", tuning).await;
}
