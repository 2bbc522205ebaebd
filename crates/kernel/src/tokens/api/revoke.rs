//! Ending tokens.

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::open::Open;
use crate::tokens::{revoke_orphaning, revoke_tree};

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("revoke", "Ends a token and its children.").write::<Revoke>(),
        path("revoke-self", "Ends the token that asks and its children.")
            .at_home()
            .write::<RevokeSelf>(),
        path(
            "revoke-accessor",
            "Ends the token with an accessor and its children.",
        )
        .write::<RevokeAccessor>(),
        path(
            "revoke-orphan",
            "Ends a token and lets its children live on.",
        )
        .sudo()
        .write::<RevokeOrphan>(),
    ])
}

/// Ends a token and its children, their leases and their own storages.
#[derive(Deserialize, JsonSchema)]
struct Revoke {
    /// The token.
    #[serde(default)]
    #[schemars(with = "String")]
    token: Option<Secret<String>>,
}

impl Handle<Open> for Revoke {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        let token = super::required(self.token.as_ref())?;
        if let Some(record) = super::known(open, cx, token, false).await? {
            super::refuse_batch(&record, "revoked")?;
            revoke_tree(open, &record.accessor).await?;
        }
        Ok(Empty)
    }
}

/// Ends the token that asks and its children, their leases and their own storages.
#[derive(Deserialize, JsonSchema)]
struct RevokeSelf {}

impl Handle<Open> for RevokeSelf {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        let record = super::own(open, cx).await?;
        super::refuse_batch(&record, "revoked")?;
        revoke_tree(open, &record.accessor).await?;
        Ok(Empty)
    }
}

/// Ends the token with an accessor and its children, their leases and their own storages.
#[derive(Deserialize, JsonSchema)]
struct RevokeAccessor {
    /// The accessor.
    #[serde(default)]
    accessor: Text,
}

impl Handle<Open> for RevokeAccessor {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let accessor = super::required_accessor(&self.accessor)?;
        if !super::is_here(open, accessor) || open.tokens.by_accessor(accessor).await?.is_none() {
            return Ok(Reply::default().warn("No token found with this accessor"));
        }
        revoke_tree(open, accessor).await?;
        Ok(Reply::default())
    }
}

/// Ends a token, its leases and its own storage; its children live on without a parent.
#[derive(Deserialize, JsonSchema)]
struct RevokeOrphan {
    /// The token.
    #[serde(default)]
    #[schemars(with = "String")]
    token: Option<Secret<String>>,
}

impl Handle<Open> for RevokeOrphan {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        let token = super::required(self.token.as_ref())?;
        let record = super::living(open, cx, token, true).await?;
        let record = record.ok_or_else(|| Fault::invalid("token to revoke not found"))?;
        super::refuse_batch(&record, "revoked")?;
        revoke_orphaning(open, &record.accessor).await?;
        Ok(Empty)
    }
}
