//! `identity/oidc/provider/NAME/userinfo`: an application learns about who signed in, by its access token.
//!
//! An access token is a batch token without a policy: it opens this path of its provider, which looks at it itself, and
//! nothing else.

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, TokenKind, path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::client::Client;
use super::super::code::Code;
use super::discovery::provider;
use super::exchange::{person, told};
use super::oauth::{Refused, refuse};
use crate::open::Open;
use crate::tokens::TokenRecord;

/// Under which name the token's payload says what it is.
const KIND: &str = "oidc_access";

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path(
        "oidc/provider/{name}/userinfo",
        "What a client may know about who signed in.",
    )
    .unauthenticated()
    .read::<UserInfo>()
    .write::<UserInfo>()])
}

/// What an access token is for.
#[derive(Serialize, Deserialize)]
struct Access {
    client_id: String,
    provider: String,
    scopes: Vec<String>,
}

/// The token with which a client asks about who signed in.
pub(super) fn access_token(
    open: &Open,
    cx: &Ctx,
    client: &Client,
    provider: &str,
    code: &Code,
) -> Result<Secret<String>, Fault> {
    let access = Access {
        client_id: client.id.clone(),
        provider: provider.to_owned(),
        scopes: code.scopes.clone(),
    };
    let ttl = client.access_token_ttl;
    let record = TokenRecord {
        namespace: open.space.id.clone(),
        mount: cx.mount.accessor.clone(),
        path: cx.request.path.clone(),
        created: cx.now,
        creation_ttl_secs: ttl.as_secs(),
        expires: Some(cx.now.plus(ttl)),
        entity_id: code.entity_id.clone(),
        kind: TokenKind::Batch,
        payload: json!({ KIND: access }),
        ..TokenRecord::default()
    };
    open.tokens.batch(&record)
}

/// Tells about who signed in. The access token is sent in the header `Authorization: Bearer`.
#[derive(Deserialize, JsonSchema)]
struct UserInfo {
    /// The provider's name.
    name: String,
}

impl Handle<Open> for UserInfo {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        match self.info(open, cx).await {
            Ok(info) => Reply::bare(&info),
            Err(Refused::OAuth(error)) => error.at_resource(),
            Err(Refused::Fault(fault)) => Err(fault),
        }
    }
}

impl UserInfo {
    async fn info(&self, open: &Open, cx: &Ctx) -> Result<Map<String, Value>, Refused> {
        let (entity_id, access) = self.access(open, cx).await?;
        let denied = |why: &str| refuse("access_denied", why);
        let provider = provider(open, &self.name).await?;
        let provider = provider.ok_or_else(|| denied("provider not found"))?;
        let client = open.space.oidc.client_with(&access.client_id).await?;
        let client = client.ok_or_else(|| denied("client not found"))?;
        if !provider.admits(&client.id) {
            return Err(denied("client is not authorized to use the provider"));
        }
        let standing = person(open, &client, &entity_id).await?;
        let standing = standing
            .ok_or_else(|| denied("identity entity not authorized by client assignment"))?;
        let mut scopes = access.scopes;
        scopes.retain(|scope| provider.scopes_supported.contains(scope));
        let mut info = told(open, cx, &standing, &scopes).await?;
        info.insert("sub".to_owned(), json!(standing.entity.id));
        Ok(info)
    }

    /// Whom the token is about and what it is for. One that does not live, or whose entity is disabled, brought no
    /// caller.
    async fn access(&self, open: &Open, cx: &Ctx) -> Result<(String, Access), Refused> {
        let invalid = |why: &str| refuse("invalid_token", why);
        let as_bearer = cx.request.headers.get("authorization");
        let as_bearer = as_bearer.is_some_and(|scheme| scheme == "Bearer");
        let Some(token) = &cx.token else {
            return Err(invalid("permission denied"));
        };
        if !as_bearer {
            return Err(invalid("access token must be sent as a Bearer token"));
        }
        if cx.caller.is_none() {
            return Err(invalid("permission denied"));
        }
        let record = open.tokens.by_token(token.expose()).await?;
        let record = record.ok_or_else(|| invalid("permission denied"))?;
        let access = record.payload.get(KIND).cloned();
        let access: Option<Access> = access.and_then(|found| serde_json::from_value(found).ok());
        let access = access.ok_or_else(|| invalid("access token is malformed or invalid"))?;
        if access.provider != self.name || record.namespace != open.space.id {
            return Err(invalid("permission denied"));
        }
        Ok((record.entity_id, access))
    }
}
