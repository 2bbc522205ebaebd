//! `sys/internal/counters` and `sys/replication`: what dashboards and support bundles ask, answered by what is known.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("internal/counters/entities", "How many entities there are.").read::<CountEntities>(),
        path("internal/counters/requests", "Nothing any more.").read::<CountRequests>(),
        path(
            "replication/status",
            "Whether this server is replicated to others.",
        )
        .unauthenticated()
        .read::<ReadReplication>(),
        path(
            "replication/dr/status",
            "Whether this server is replicated for disaster recovery.",
        )
        .unauthenticated()
        .read::<ReadOneReplication>(),
        path(
            "replication/performance/status",
            "Whether this server is replicated for performance.",
        )
        .unauthenticated()
        .read::<ReadOneReplication>(),
    ])
}

/// Counts the entities of the namespace, page by page.
#[derive(Deserialize, JsonSchema)]
struct CountEntities {}

impl Handle<Open> for CountEntities {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let total = open.space.identity.count_entities().await?;
        Reply::data(&json!({ "counters": { "entities": { "total": total } } }))
    }
}

/// Says that requests are not counted by the month; `sys/metrics` counts them.
#[derive(Deserialize, JsonSchema)]
struct CountRequests {}

impl Handle<Open> for CountRequests {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Err(Fault::Missing(
            "The functionality has been removed on this path; sys/metrics counts requests".into(),
        ))
    }
}

/// Says that there is no replication.
#[derive(Deserialize, JsonSchema)]
struct ReadReplication {}

impl Handle<Open> for ReadReplication {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&json!({ "dr": { "mode": "disabled" }, "performance": { "mode": "disabled" } }))
    }
}

/// Says that there is no replication of this kind.
#[derive(Deserialize, JsonSchema)]
struct ReadOneReplication {}

impl Handle<Open> for ReadOneReplication {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&json!({ "mode": "disabled" }))
    }
}
