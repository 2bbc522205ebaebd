//! What everybody may know: issuers, endpoints, public keys.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::client::Client;
use super::super::key::ALGORITHMS;
use super::super::provider::Provider;
use super::super::role::Role;
use super::super::scope::OPENID;
use super::super::{Oidc, issuer};
use crate::identity::edit::{as_set, check_name};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "oidc/.well-known/openid-configuration",
            "The issuer of identity tokens.",
        )
        .unauthenticated()
        .read::<IssuerFacts>(),
        path(
            "oidc/.well-known/keys",
            "The public keys of identity tokens.",
        )
        .unauthenticated()
        .read::<IssuerKeys>(),
        path(
            "oidc/provider/{name}/.well-known/openid-configuration",
            "What clients must know of a provider.",
        )
        .unauthenticated()
        .read::<ProviderFacts>(),
        path(
            "oidc/provider/{name}/.well-known/keys",
            "The public keys of a provider.",
        )
        .unauthenticated()
        .read::<ProviderKeys>(),
    ])
}

/// Tells who issues identity tokens.
#[derive(Deserialize, JsonSchema)]
struct IssuerFacts {}

impl Handle<Open> for IssuerFacts {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let issuer = open.space.oidc.issuer(open).await?;
        Reply::bare(&json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/.well-known/keys"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": algorithms(),
        }))
    }
}

/// Gives out the public keys of those keys that roles sign with.
#[derive(Deserialize, JsonSchema)]
struct IssuerKeys {}

impl Handle<Open> for IssuerKeys {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let oidc = &open.space.oidc;
        let roles = oidc.all::<Role>().await?.into_iter();
        let names = roles.map(|(_, role)| role.key).collect();
        published(oidc, names, cx.now).await
    }
}

/// Tells what clients must know of a provider.
#[derive(Deserialize, JsonSchema)]
struct ProviderFacts {
    /// Its name.
    name: String,
}

impl Handle<Open> for ProviderFacts {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let provider = provider(open, &self.name).await?.ok_or(Fault::NotFound)?;
        let issuer = issuer::of_provider(open, &provider.issuer, &self.name);
        let mut scopes = provider.scopes_supported;
        scopes.push(OPENID.to_owned());
        Reply::bare(&json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/.well-known/keys"),
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "id_token_signing_alg_values_supported": algorithms(),
            "response_types_supported": ["code"],
            "scopes_supported": scopes,
            "claims_supported": [],
            "subject_types_supported": ["public"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }))
    }
}

/// Gives out the public keys of those keys that the provider's clients have.
#[derive(Deserialize, JsonSchema)]
struct ProviderKeys {
    /// The provider's name.
    name: String,
}

impl Handle<Open> for ProviderKeys {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let provider = provider(open, &self.name).await?.ok_or(Fault::NotFound)?;
        let oidc = &open.space.oidc;
        let clients = oidc.all::<Client>().await?.into_iter();
        let clients = clients.filter(|(_, client)| provider.admits(&client.id));
        let names = clients.map(|(_, client)| client.key).collect();
        published(oidc, names, cx.now).await
    }
}

/// The provider of a name; none of a name that nothing can have.
pub(super) async fn provider(open: &Open, name: &str) -> Result<Option<Provider>, Fault> {
    if check_name(name).is_err() {
        return Ok(None);
    }
    let stored: Option<Provider> = open.space.oidc.get(name).await?;
    Ok(stored.or_else(|| Provider::built_in(name)))
}

async fn published(oidc: &Oidc, names: Vec<String>, now: Timestamp) -> Result<Reply, Fault> {
    let keys: Vec<Map<String, Value>> = oidc.published(&as_set(names), now).await?;
    Reply::bare(&json!({ "keys": keys }))
}

fn algorithms() -> [&'static str; ALGORITHMS.len()] {
    ALGORITHMS.map(|algorithm| algorithm.name())
}
