//! What clients of other editions ask about: licenses, and redirections below `/.well-known/`.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "license/status",
            "The license; there is none and none is needed.",
        )
        .root_only()
        .read::<ReadLicense>(),
        path(
            "well-known",
            "What mounts have registered below /.well-known/.",
        )
        .read::<ListWellKnown>()
        .list::<ListWellKnown>(),
    ])
}

/// Says that no license is in use.
#[derive(Deserialize, JsonSchema)]
struct ReadLicense {}

impl Handle<Open> for ReadLicense {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let reply = Reply::data(&json!({ "autoloading_used": false, "persisted_autoload": null }))?;
        Ok(reply.warn("no license is needed: all that this server can do is in its one edition"))
    }
}

/// Lists what mounts have registered below `/.well-known/`: no engine of this server registers anything there.
#[derive(Deserialize, JsonSchema)]
struct ListWellKnown {}

impl Handle<Open> for ListWellKnown {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&json!({ "keys": [], "key_info": {} }))
    }
}
