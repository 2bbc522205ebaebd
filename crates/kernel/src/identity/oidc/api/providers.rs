//! `identity/oidc/provider`: issuers that applications sign people in with.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::provider::{self, Provider};
use super::super::scope::Scope;
use super::super::{claims, issuer};
use super::config::WARNING;
use super::listed_with;
use crate::identity::edit::{Draft, Edit, as_set, check_name};
use crate::open::Open;

/// The longest list of clients or scopes.
const MAX_LISTED: usize = 10_000;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("oidc/provider", "Lists the providers.").list::<ListProviders>(),
        path(
            "oidc/provider/{name}",
            "An issuer that clients sign people in with.",
        )
        .read::<ReadProvider>()
        .write::<WriteProvider>()
        .delete::<DeleteProvider>(),
    ])
}

/// Lists the providers.
#[derive(Deserialize, JsonSchema)]
struct ListProviders {
    /// Only those that a client with this id may use.
    #[serde(default)]
    allowed_client_id: Text,
}

impl Handle<Open> for ListProviders {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let mut providers = open.space.oidc.all::<Provider>().await?;
        if !providers.iter().any(|(name, _)| name == provider::DEFAULT) {
            let built_in = Provider::built_in(provider::DEFAULT);
            providers.extend(built_in.map(|built_in| (provider::DEFAULT.to_owned(), built_in)));
        }
        let id = &self.allowed_client_id.0;
        providers.retain(|(_, provider)| id.is_empty() || provider.admits(id));
        let info = providers.into_iter().map(|(name, provider)| {
            let about = shown(open, &name, &provider);
            (name, about)
        });
        listed_with(info.collect())
    }
}

fn shown(open: &Open, name: &str, provider: &Provider) -> Value {
    json!({
        "issuer": issuer::of_provider(open, &provider.issuer, name),
        "allowed_client_ids": provider.allowed_client_ids,
        "scopes_supported": provider.scopes_supported,
    })
}

/// Shows a provider.
#[derive(Deserialize, JsonSchema)]
struct ReadProvider {
    /// Its name.
    name: String,
}

impl Handle<Open> for ReadProvider {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        check_name(&self.name)?;
        let provider = super::discovery::provider(open, &self.name).await?;
        let provider = provider.ok_or(Fault::NotFound)?;
        Reply::data(&shown(open, &self.name, &provider))
    }
}

/// Makes a provider, or changes one.
#[derive(Deserialize, JsonSchema)]
struct WriteProvider {
    /// Its name.
    name: String,
    /// Scheme, host and port that its issuer begins with; empty for this server's own address.
    #[serde(default)]
    issuer: Option<Text>,
    /// Ids of the clients that may use it; `*` for all.
    #[serde(default)]
    allowed_client_ids: Option<CommaList>,
    /// The scopes that may be asked for.
    #[serde(default)]
    scopes_supported: Option<CommaList>,
}

impl Handle<Open> for WriteProvider {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        check_name(&self.name)?;
        let mut reply = Reply::default();
        if let Some(Text(issuer)) = &self.issuer {
            issuer::check(issuer)?;
            if !issuer.is_empty() {
                reply = reply.warn(WARNING);
            }
        }
        reply
            .warnings
            .extend(open.space.oidc.edit(&self, cx.now).await?);
        Ok(reply)
    }
}

impl Edit for WriteProvider {
    type Done = Vec<String>;

    async fn decide(&self, draft: &mut Draft) -> Result<Vec<String>, Fault> {
        let stored: Option<Provider> = draft.get(&self.name).await?;
        let mut provider = stored
            .or_else(|| Provider::built_in(&self.name))
            .unwrap_or_default();
        if let Some(Text(issuer)) = &self.issuer {
            provider.issuer.clone_from(issuer);
        }
        if let Some(CommaList(ids)) = &self.allowed_client_ids {
            provider.allowed_client_ids = as_set(ids.clone());
        }
        if let Some(CommaList(names)) = &self.scopes_supported {
            provider.scopes_supported = as_set(names.clone());
        }
        let lists = [&provider.allowed_client_ids, &provider.scopes_supported];
        if lists.iter().any(|list| list.len() > MAX_LISTED) {
            return Err(Fault::Invalid(format!(
                "a provider has at most {MAX_LISTED} allowed_client_ids and as many scopes"
            )));
        }
        let warnings = conflicts(draft, &provider.scopes_supported).await?;
        draft.put(&self.name, &provider)?;
        Ok(warnings)
    }
}

/// Refuses scopes that are not there; tells which of the others name the same claim.
async fn conflicts(draft: &Draft, names: &[String]) -> Result<Vec<String>, Fault> {
    let mut named: Vec<(String, &String)> = Vec::new();
    let mut warnings = Vec::new();
    for name in names {
        let scope = match check_name(name) {
            Ok(()) => draft.get::<Scope>(name).await?,
            Err(_) => None,
        };
        let scope =
            scope.ok_or_else(|| Fault::Invalid(format!("scope {name:?} does not exist")))?;
        for claim in claims::check(&scope.template, draft.now)? {
            match named.iter().find(|(known, _)| *known == claim) {
                Some((_, other)) => warnings.push(format!(
                    "the scopes {other:?} and {name:?} both have a claim {claim:?}: a client that asks for both gets no token"
                )),
                None => named.push((claim, name)),
            }
        }
    }
    Ok(warnings)
}

/// Takes a provider away. Its codes and tokens are refused from then on.
#[derive(Deserialize, JsonSchema)]
struct DeleteProvider {
    /// Its name.
    name: String,
}

impl Handle<Open> for DeleteProvider {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        if self.name == provider::DEFAULT {
            return Err(Fault::invalid(
                "deletion of OIDC provider \"default\" not allowed",
            ));
        }
        open.space.oidc.edit(&self, cx.now).await?;
        Ok(Empty)
    }
}

impl Edit for DeleteProvider {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        draft.delete::<Provider>(&self.name)
    }
}
