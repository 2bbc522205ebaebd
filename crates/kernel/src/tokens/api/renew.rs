//! Renewing tokens.

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Text, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::open::Open;
use crate::tokens;
use crate::tokens::issue::auth_of;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("renew", "Extends a token.").write::<Renew>(),
        path("renew-self", "Extends the token that asks.")
            .at_home()
            .write::<RenewSelf>(),
        path("renew-accessor", "Extends the token with an accessor.").write::<RenewAccessor>(),
    ])
}

/// Extends a token.
#[derive(Deserialize, JsonSchema)]
struct Renew {
    /// The token.
    #[serde(default)]
    #[schemars(with = "String")]
    token: Option<Secret<String>>,
    /// How long it shall live from now; as long as last time where nothing is said.
    #[serde(default)]
    increment: Ttl,
}

impl Handle<Open> for Renew {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let token = super::required(self.token.as_ref())?;
        let record = super::living(open, cx, token, false).await?;
        let record = record.ok_or_else(|| Fault::invalid("token not found"))?;
        super::refuse_batch(&record, "renewed")?;
        renewed(open, cx, &record.accessor, token, self.increment).await
    }
}

/// Extends the token that asks.
#[derive(Deserialize, JsonSchema)]
struct RenewSelf {
    /// The token that asks; what is named here is not looked at.
    #[serde(default, rename = "token")]
    #[schemars(with = "String")]
    _token: Option<Secret<String>>,
    /// How long it shall live from now; as long as last time where nothing is said.
    #[serde(default)]
    increment: Ttl,
}

impl Handle<Open> for RenewSelf {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let record = super::own(open, cx).await?;
        super::refuse_batch(&record, "renewed")?;
        let token = cx.token.as_deref().ok_or(Fault::Denied)?;
        renewed(open, cx, &record.accessor, token.expose(), self.increment).await
    }
}

/// Extends the token with an accessor.
#[derive(Deserialize, JsonSchema)]
struct RenewAccessor {
    /// The accessor.
    #[serde(default)]
    accessor: Text,
    /// How long it shall live from now; as long as last time where nothing is said.
    #[serde(default)]
    increment: Ttl,
}

impl Handle<Open> for RenewAccessor {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let accessor = super::required_accessor(&self.accessor)?;
        if !super::is_here(open, accessor) || open.tokens.living(accessor, cx.now).await?.is_none()
        {
            return Err(Fault::invalid("invalid accessor"));
        }
        renewed(open, cx, accessor, "", self.increment).await
    }
}

async fn renewed(
    open: &Open,
    cx: &Ctx,
    accessor: &str,
    token: &str,
    increment: Ttl,
) -> Result<Reply, Fault> {
    let renewed = tokens::renew(open, accessor, increment.0, cx).await?;
    let standing = renewed.standing.as_deref();
    Ok(Reply {
        auth: Some(Box::new(auth_of(&renewed.record, standing, token, cx.now))),
        warnings: renewed.warnings,
        ..Reply::default()
    })
}
