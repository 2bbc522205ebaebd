//! `sys/control-group`: requests that wait until others authorize them.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::control::{authorize, state};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "control-group/authorize",
            "Authorizes a request that waits for it.",
        )
        .write::<Authorize>(),
        path(
            "control-group/request",
            "What waits to be authorized, and who did.",
        )
        .write::<State>(),
    ])
}

/// Says yes to a request that waits, as a member of one of the groups that its policy names.
#[derive(Deserialize, JsonSchema)]
struct Authorize {
    /// The accessor of the wrapping token that the asker got.
    #[serde(default)]
    accessor: Text,
}

impl Handle<Open> for Authorize {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let approved = authorize(open, &self.accessor.0, cx.caller()?, cx.now).await?;
        Reply::data(&json!({ "approved": approved }))
    }
}

/// Shows a request that waits, who asks, and who said yes.
#[derive(Deserialize, JsonSchema)]
struct State {
    /// The accessor of the wrapping token that the asker got.
    #[serde(default)]
    accessor: Text,
}

impl Handle<Open> for State {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&state(open, &self.accessor.0, cx.now).await?)
    }
}
