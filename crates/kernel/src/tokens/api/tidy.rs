//! Tidying up on request.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path("tidy", "Removes index entries that lead nowhere.").write::<Tidy>()])
}

/// Removes index entries that lead nowhere, in the background.
#[derive(Deserialize, JsonSchema)]
struct Tidy {}

impl Handle<Open> for Tidy {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let reply = Reply::default().status(202);
        let Some(sweeping) = open.tokens.begin_sweep() else {
            return Ok(reply.warn("Tidy operation already in progress."));
        };
        tokio::spawn(async move {
            match sweeping.run().await {
                Ok(swept) => {
                    let (children, due) = (swept.children, swept.due);
                    let access_keys = swept.access_keys;
                    tracing::info!(children, access_keys, due, "tidied tokens");
                }
                Err(fault) => tracing::error!(%fault, "tokens could not be tidied"),
            }
        });
        Ok(reply.warn("Tidy operation successfully started. Any information from the operation will be printed to the server's log."))
    }
}
