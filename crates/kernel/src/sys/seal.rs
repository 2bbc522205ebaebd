//! `sys/seal` and `sys/step-down`.

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("seal", "Seals the server.").sudo().write::<Seal>(),
        path("step-down", "Gives up being the active node.")
            .sudo()
            .write::<StepDown>(),
    ])
}

/// Seals the server: forgets its keys, so that it answers nothing until it is unsealed.
#[derive(Deserialize, JsonSchema)]
struct Seal {}

impl Handle<Open> for Seal {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.signals.ask_to_seal();
        Ok(Empty)
    }
}

/// Gives up being the active node. The only node of a server takes the lead again at once.
#[derive(Deserialize, JsonSchema)]
struct StepDown {}

impl Handle<Open> for StepDown {
    type Reply = Empty;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Empty, Fault> {
        Ok(Empty)
    }
}
