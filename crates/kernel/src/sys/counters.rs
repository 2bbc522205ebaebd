//! `sys/internal/counters`: what dashboards ask, answered by what is known.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("internal/counters/entities", "How many entities there are.").read::<CountEntities>(),
        path("internal/counters/requests", "Nothing any more.").read::<CountRequests>(),
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
