//! `sys/quotas/token-count`: how many tokens one identity may have. Other servers have no such quota.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Int, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{keys, positive, told, wish};
use crate::events::catalogue;
use crate::open::Open;
use crate::quotas::{Kind, Limit, Shown};

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("quotas/token-count", "Lists the quotas of tokens.").list::<ListTokens>(),
        path(
            "quotas/token-count/{name}",
            "How many tokens one identity may have.",
        )
        .read::<ReadTokens>()
        .write::<WriteTokens>()
        .delete::<DeleteTokens>(),
    ])
}

/// Lists the quotas of tokens.
#[derive(Deserialize, JsonSchema)]
struct ListTokens {}

impl Handle<Open> for ListTokens {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        keys(open.quotas.names(Kind::Tokens))
    }
}

/// Shows a quota of tokens.
#[derive(Deserialize, JsonSchema)]
struct ReadTokens {
    /// The name of the quota.
    name: String,
}

impl Handle<Open> for ReadTokens {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let found = open.quotas.read(open, Kind::Tokens, &self.name).await?;
        shown(&found.ok_or(Fault::NotFound)?)
    }
}

/// Removes a quota of tokens.
#[derive(Deserialize, JsonSchema)]
struct DeleteTokens {
    /// The name of the quota.
    name: String,
}

impl Handle<Open> for DeleteTokens {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.quotas.delete(Kind::Tokens, &self.name).await?;
        told(open, catalogue::QUOTA_DELETE, "token-count", &self.name);
        Ok(Empty)
    }
}

/// Sets how many tokens one identity may have; what is not given is reset.
#[derive(Deserialize, JsonSchema)]
struct WriteTokens {
    /// The name of the quota.
    name: String,
    /// Its kind, which the path says.
    #[serde(default, rename = "type")]
    _type: Text,
    /// The mount, the path below it (a `*` at the end for all that begin so) or the namespace; empty for everything.
    #[serde(default)]
    path: Text,
    /// The role whose logins it is for; `path` is then an auth mount.
    #[serde(default)]
    role: Text,
    /// How many living tokens each identity may have: an entity or, without one, a name in an auth method.
    #[serde(default)]
    max_tokens: Int,
    /// Namespaces within share it where they have none. True if it is for everything, else false.
    #[serde(default)]
    inheritable: Option<Flag>,
}

impl Handle<Open> for WriteTokens {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let most = positive(self.max_tokens, "max_tokens")?;
        let limit = Limit::Tokens { most };
        let wish = wish(self.name, self.path, self.role, self.inheritable, limit)?;
        let name = wish.name.clone();
        open.quotas.put(open, wish).await?;
        told(open, catalogue::QUOTA_WRITE, "token-count", &name);
        Ok(Empty)
    }
}

fn shown(found: &Shown) -> Result<Reply, Fault> {
    let Limit::Tokens { most } = found.quota.limit else {
        return Err(Fault::NotFound);
    };
    super::shown(found, json!({ "max_tokens": most }))
}
