//! `identity/oidc/provider/NAME/token`: an application exchanges a code for tokens, or gets one about itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::super::client::{Client, ClientKind};
use super::super::code::{self, Code};
use super::super::key::NamedKey;
use super::super::provider::Provider;
use super::super::scope::{OPENID, Scope};
use super::super::token::{Standard, half_hash};
use super::super::{claims, issuer};
use super::discovery::provider;
use super::oauth::{Refused, not_kept, refuse};
use super::userinfo::access_token;
use crate::identity::Standing;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("oidc/provider/{name}/token", "Exchanges a code for tokens.")
            .unauthenticated()
            .write::<Exchange>(),
    ])
}

/// Exchanges a code for tokens. The client proves who it is by its secret, in the header `Authorization: Basic` or in
/// fields; a public client by the verifier of its challenge alone.
#[derive(Deserialize, JsonSchema)]
struct Exchange {
    /// The provider's name.
    name: String,
    /// `authorization_code` or `client_credentials`.
    #[serde(default)]
    grant_type: Text,
    /// The code; it can be exchanged once.
    #[serde(default)]
    code: Text,
    /// The address that was given when the code was asked for.
    #[serde(default)]
    redirect_uri: Text,
    /// What belongs to the challenge that was given when the code was asked for.
    #[serde(default)]
    code_verifier: Text,
    /// The client's id, unless the header has it.
    #[serde(default)]
    client_id: Text,
    /// The client's secret, unless the header has it.
    #[serde(default)]
    client_secret: Text,
    /// What a client wants to be told about itself; with `client_credentials` alone.
    #[serde(default)]
    scope: Text,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        for text in [
            &mut self.client_secret,
            &mut self.code,
            &mut self.code_verifier,
        ] {
            text.0.zeroize();
        }
    }
}

impl Handle<Open> for Exchange {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        match self.exchanged(open, cx).await {
            Ok(tokens) => Ok(not_kept(Reply::bare(&tokens)?)),
            Err(Refused::OAuth(error)) => error.at_token(),
            Err(Refused::Fault(fault)) => Err(fault),
        }
    }
}

impl Exchange {
    async fn exchanged(&self, open: &Open, cx: &Ctx) -> Result<Value, Refused> {
        let provider = provider(open, &self.name).await?;
        let provider = provider.ok_or_else(|| refuse("invalid_request", "provider not found"))?;
        let client = self.client(open, cx).await?;
        if !provider.admits(&client.id) {
            return Err(refuse(
                "invalid_client",
                "client is not authorized to use the provider",
            ));
        }
        let key = open.space.oidc.key(open, &client.key).await?;
        let key = key.filter(|key| key.admits(&client.id));
        let key =
            key.ok_or_else(|| refuse("invalid_client", "client is not authorized to use the key"))?;
        let allowed = match self.grant_type.0.as_str() {
            "authorization_code" => client.authorization_code,
            "client_credentials" => client.client_credentials,
            _ => {
                return Err(refuse(
                    "unsupported_grant_type",
                    "unsupported grant_type or parameter is empty value",
                ));
            }
        };
        if !allowed {
            return Err(refuse(
                "invalid_grant",
                "client is not authorized to use given credentials flow",
            ));
        }
        match self.grant_type.0.as_str() {
            "client_credentials" => self.about_itself(open, cx, &provider, &client, &key),
            _ => {
                let code = self.code(open, cx, &client).await?;
                self.about_a_person(open, cx, &provider, &client, &key, code)
                    .await
            }
        }
    }

    /// The client that asks. Whether it is unknown or its secret is wrong is not told.
    async fn client(&self, open: &Open, cx: &Ctx) -> Result<Client, Refused> {
        let basic = cx.request.headers.get("authorization");
        let basic = basic.and_then(|header| basic_credentials(header));
        let (id, secret) = match &basic {
            Some((id, secret)) => (id.as_str(), secret.as_str()),
            None => (self.client_id.0.as_str(), self.client_secret.0.as_str()),
        };
        if id.is_empty() {
            return Err(refuse("invalid_request", "client_id parameter is required"));
        }
        let client = open.space.oidc.client_with(id).await?;
        let proved = Client::has_secret(client.as_ref(), secret);
        let known = client.filter(|client| proved || client.kind == ClientKind::Public);
        known.ok_or_else(|| refuse("invalid_client", "client failed to authenticate"))
    }

    /// What the code stands for. From here on it is spent, durably, whatever comes of it.
    async fn code(&self, open: &Open, cx: &Ctx, client: &Client) -> Result<Code, Refused> {
        if self.code.0.is_empty() {
            return Err(refuse("invalid_request", "code parameter is required"));
        }
        let codes = &open.space.oidc.codes;
        let code = codes.take(&code::place(&self.code.0), cx.now).await?;
        let grant = |why: &str| refuse("invalid_grant", why);
        let code = code.ok_or_else(|| grant("authorization grant is invalid or expired"))?;
        if code.client_id != client.id {
            return Err(grant("authorization code was not issued to the client"));
        }
        if code.provider != self.name {
            return Err(grant("authorization code was not issued by the provider"));
        }
        if self.redirect_uri.0.is_empty() {
            return Err(refuse(
                "invalid_request",
                "redirect_uri parameter is required",
            ));
        }
        if code.redirect_uri != self.redirect_uri.0 {
            return Err(grant(
                "redirect_uri does not match the redirect_uri used in the authorization request",
            ));
        }
        let verifier = self.code_verifier.0.as_str();
        match &code.challenge {
            None if verifier.is_empty() => Ok(code),
            None => Err(refuse(
                "invalid_request",
                "unexpected code_verifier for token exchange",
            )),
            Some(_) if verifier.is_empty() => Err(refuse(
                "invalid_request",
                "expected code_verifier for token exchange",
            )),
            Some(challenge) if challenge.is_met(verifier) => Ok(code),
            Some(_) => Err(grant("invalid code_verifier for token exchange")),
        }
    }

    async fn about_a_person(
        &self,
        open: &Open,
        cx: &Ctx,
        provider: &Provider,
        client: &Client,
        key: &NamedKey,
        code: Code,
    ) -> Result<Value, Refused> {
        let standing = person(open, client, &code.entity_id).await?;
        let denied = "identity entity not authorized by client assignment";
        let standing = standing.ok_or_else(|| refuse("invalid_request", denied))?;
        let mut told = told(open, cx, &standing, &code.scopes).await?;
        let access = access_token(open, cx, client, &self.name, &code)?;
        let algorithm = key.algorithm()?;
        for (name, text) in [("at_hash", access.expose()), ("c_hash", &self.code.0)] {
            told.insert(name.to_owned(), json!(half_hash(algorithm, text)));
        }
        if !code.nonce.is_empty() {
            told.insert("nonce".to_owned(), json!(code.nonce));
        }
        if let Some(time) = code.auth_time {
            told.insert("auth_time".to_owned(), json!(time.secs()));
        }
        let standard = Standard {
            issuer: &issuer::of_provider(open, &provider.issuer, &self.name),
            subject: &standing.entity.id,
            audience: &client.id,
            ttl: client.id_token_ttl,
        };
        let id_token = key.sign(&standard.over(open, told, cx.now))?;
        Ok(json!({
            "token_type": "Bearer",
            "access_token": access.expose(),
            "id_token": id_token,
            "expires_in": client.access_token_ttl.as_secs(),
        }))
    }

    /// A signed token about the client. It is good elsewhere, where its signature is checked, and opens nothing here.
    fn about_itself(
        &self,
        open: &Open,
        cx: &Ctx,
        provider: &Provider,
        client: &Client,
        key: &NamedKey,
    ) -> Result<Value, Refused> {
        if !self
            .scope
            .0
            .split_ascii_whitespace()
            .any(|scope| scope == OPENID)
        {
            return Err(refuse(
                "invalid_request",
                "scope parameter must contain the \"openid\" value",
            ));
        }
        let claims = Map::from_iter([("jti".to_owned(), json!(cx.random.uuid_v4()))]);
        let standard = Standard {
            issuer: &issuer::of_provider(open, &provider.issuer, &self.name),
            subject: &client.id,
            audience: &client.id,
            ttl: client.access_token_ttl,
        };
        Ok(json!({
            "token_type": "Bearer",
            "access_token": key.sign(&standard.over(open, claims, cx.now))?,
            "expires_in": client.access_token_ttl.as_secs(),
        }))
    }
}

/// The entity, if it is there, not disabled, and the client may sign it in.
pub(super) async fn person(
    open: &Open,
    client: &Client,
    entity_id: &str,
) -> Result<Option<Arc<Standing>>, Fault> {
    let standing = open.space.identity.standing(entity_id).await?;
    let Some(standing) = standing.filter(|standing| !standing.entity.disabled) else {
        return Ok(None);
    };
    let assigned = open.space.oidc.assigned(client, &standing).await?;
    Ok(assigned.then_some(standing))
}

/// What scopes tell about an entity. Two that tell the same claim tell nothing.
pub(super) async fn told(
    open: &Open,
    cx: &Ctx,
    standing: &Standing,
    scopes: &[String],
) -> Result<Map<String, Value>, Refused> {
    let mut told = Map::new();
    let mut by: Vec<(String, &String)> = Vec::new();
    for name in scopes {
        let scope: Option<Scope> = open.space.oidc.get(name).await?;
        let Some(scope) = scope else { continue };
        for (claim, value) in claims::about(standing, &scope.template, cx.now)? {
            if let Some((_, other)) = by.iter().find(|(known, _)| *known == claim) {
                return Err(refuse(
                    "invalid_request",
                    format!(
                        "found scopes with conflicting top-level claim: claim {claim:?} in scopes {other:?}, {name:?}"
                    ),
                ));
            }
            by.push((claim.clone(), name));
            told.insert(claim, value);
        }
    }
    Ok(told)
}

/// Id and secret of a header (RFC 7617). Nothing where it is another scheme or not readable: then the fields count.
fn basic_credentials(header: &str) -> Option<(String, zeroize::Zeroizing<String>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let decoded = zeroize::Zeroizing::new(String::from_utf8(decoded).ok()?);
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), zeroize::Zeroizing::new(secret.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_a_header() {
        let read =
            |header: &str| basic_credentials(header).map(|(id, secret)| (id, secret.to_string()));
        let found = Some(("id".to_owned(), "se:cret".to_owned()));
        assert_eq!(read("Basic aWQ6c2U6Y3JldA=="), found);
        assert_eq!(read("basic  aWQ6c2U6Y3JldA=="), found);
        for other in [
            "",
            "Basic",
            "Basic !!!",
            "Basic aWQ=",
            "Bearer aWQ6c2U6Y3JldA==",
            "Basic /w==",
        ] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }
}
