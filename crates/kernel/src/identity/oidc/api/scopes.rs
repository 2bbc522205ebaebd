//! `identity/oidc/scope`: what applications may ask to be told.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::claims;
use super::super::provider::Provider;
use super::super::scope::{OPENID, Scope};
use super::{listed, unless_used};
use crate::identity::edit::{Draft, Edit, check_name};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("oidc/scope", "Lists the scopes.").list::<ListScopes>(),
        path("oidc/scope/{name}", "What a client may ask to be told.")
            .read::<ReadScope>()
            .write::<WriteScope>()
            .delete::<DeleteScope>(),
    ])
}

/// Lists the scopes.
#[derive(Deserialize, JsonSchema)]
struct ListScopes {}

impl Handle<Open> for ListScopes {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let scopes = open.space.oidc.all::<Scope>().await?;
        listed(scopes.into_iter().map(|(name, _)| name).collect())
    }
}

/// Shows a scope.
#[derive(Deserialize, JsonSchema)]
struct ReadScope {
    /// Its name.
    name: String,
}

impl Handle<Open> for ReadScope {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        check_name(&self.name)?;
        let scope: Option<Scope> = open.space.oidc.get(&self.name).await?;
        let scope = scope.ok_or(Fault::NotFound)?;
        Reply::data(&json!({
            "template": scope.template,
            "description": scope.description,
        }))
    }
}

/// Makes a scope, or changes one.
#[derive(Deserialize, JsonSchema)]
struct WriteScope {
    /// Its name.
    name: String,
    /// The template of its claims, plain or in base64.
    #[serde(default)]
    template: Option<Text>,
    /// What people are told about it.
    #[serde(default)]
    description: Option<Text>,
}

impl Handle<Open> for WriteScope {
    type Reply = Empty;

    async fn handle(mut self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        if self.name == OPENID {
            return Err(Fault::invalid("the \"openid\" scope name is reserved"));
        }
        let sent = self.template.take();
        self.template = sent.map(|Text(sent)| Text(claims::read(sent)));
        open.space.oidc.edit(&self, cx.now).await?;
        Ok(Empty)
    }
}

impl Edit for WriteScope {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        let mut scope: Scope = draft.get(&self.name).await?.unwrap_or_default();
        if let Some(Text(template)) = &self.template {
            scope.template.clone_from(template);
        }
        if let Some(Text(description)) = &self.description {
            scope.description.clone_from(description);
        }
        claims::check(&scope.template, draft.now)?;
        draft.put(&self.name, &scope)
    }
}

/// Takes a scope away that no provider offers.
#[derive(Deserialize, JsonSchema)]
struct DeleteScope {
    /// Its name.
    name: String,
}

impl Handle<Open> for DeleteScope {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        open.space.oidc.edit(&self, cx.now).await?;
        Ok(Empty)
    }
}

impl Edit for DeleteScope {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        let providers = draft.all::<Provider>().await?.into_iter();
        let users =
            providers.filter(|(_, provider)| provider.scopes_supported.contains(&self.name));
        let users = users.map(|(name, _)| name).collect();
        unless_used("scope", &self.name, "providers", users)?;
        draft.delete::<Scope>(&self.name)
    }
}
