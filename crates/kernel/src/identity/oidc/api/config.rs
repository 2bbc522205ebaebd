//! `identity/oidc/config`: the issuer.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path("oidc/config", "The issuer of identity tokens.")
        .read::<ReadConfig>()
        .write::<WriteConfig>()])
}

/// What whoever sets an issuer should know.
pub(super) const WARNING: &str = "tokens now name this address as their issuer, and whoever checks them must reach the published keys there; an empty issuer brings this server's own address back";

/// Shows the issuer.
#[derive(Deserialize, JsonSchema)]
struct ReadConfig {}

impl Handle<Open> for ReadConfig {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let issuer = open.space.oidc.issuer_base().await?;
        Reply::data(&json!({ "issuer": issuer }))
    }
}

/// Sets the issuer.
#[derive(Deserialize, JsonSchema)]
struct WriteConfig {
    /// Scheme, host and port that the issuer begins with; empty for this server's own address.
    #[serde(default)]
    issuer: Option<Text>,
}

impl Handle<Open> for WriteConfig {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let Some(Text(issuer)) = self.issuer else {
            return Ok(Reply::default());
        };
        let reply = Reply::default();
        let reply = if issuer.is_empty() {
            reply
        } else {
            reply.warn(WARNING)
        };
        open.space.oidc.set_issuer_base(issuer).await?;
        Ok(reply)
    }
}
