//! `identity/oidc/token` and `identity/oidc/introspect`: tokens that tell others who one is.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::role::Role;
use crate::identity::edit::check_name;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("oidc/token/{name}", "A token that tells who one is.").read::<MakeToken>(),
        path("oidc/introspect", "Whether an identity token holds.").write::<Introspect>(),
    ])
}

/// Makes a token about the entity that asks.
#[derive(Deserialize, JsonSchema)]
struct MakeToken {
    /// The name of the role.
    name: String,
}

impl Handle<Open> for MakeToken {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        check_name(&self.name)?;
        let oidc = &open.space.oidc;
        let role: Option<Role> = oidc.get(&self.name).await?;
        let role = role.ok_or_else(|| Fault::Invalid(format!("role {:?} not found", self.name)))?;
        let caller = cx.caller()?;
        // Who comes from above is known there, and is nobody here.
        let here = caller.namespace == open.space.id;
        let standing = match here {
            true => open.standing_of(&open.space.id, &caller.entity_id).await?,
            false => None,
        };
        let standing = standing
            .ok_or_else(|| Fault::invalid("no entity associated with the request's token"))?;
        let token = oidc
            .identity_token(open, &self.name, &role, &standing)
            .await?;
        Reply::data(&json!({
            "token": token,
            "client_id": role.client_id,
            "ttl": role.ttl.as_secs(),
        }))
    }
}

/// Tells whether an identity token of this server holds.
#[derive(Deserialize, JsonSchema)]
struct Introspect {
    /// The token.
    #[serde(default)]
    token: Text,
    /// Whom it must be for; for anybody where nothing is given.
    #[serde(default)]
    client_id: Text,
}

impl Handle<Open> for Introspect {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let oidc = &open.space.oidc;
        let holds = oidc
            .introspect(open, &self.token.0, &self.client_id.0)
            .await?;
        Reply::bare(&match holds {
            Ok(()) => json!({ "active": true }),
            Err(why) => json!({ "active": false, "error": why }),
        })
    }
}
