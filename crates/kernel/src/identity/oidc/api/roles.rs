//! `identity/oidc/role`: what identity tokens say.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Text, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::claims;
use super::super::role::{DEFAULT_TTL, ID_CHARS, Role};
use super::listed;
use crate::identity::edit::{Draft, Edit, check_name};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("oidc/role", "Lists the roles of identity tokens.").list::<ListRoles>(),
        path("oidc/role/{name}", "What an identity token says.")
            .read::<ReadRole>()
            .write::<WriteRole>()
            .delete::<DeleteRole>(),
    ])
}

/// Lists the roles.
#[derive(Deserialize, JsonSchema)]
struct ListRoles {}

impl Handle<Open> for ListRoles {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let roles = open.space.oidc.all::<Role>().await?;
        listed(roles.into_iter().map(|(name, _)| name).collect())
    }
}

/// Shows a role.
#[derive(Deserialize, JsonSchema)]
struct ReadRole {
    /// Its name.
    name: String,
}

impl Handle<Open> for ReadRole {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        check_name(&self.name)?;
        let role: Option<Role> = open.space.oidc.get(&self.name).await?;
        let role = role.ok_or(Fault::NotFound)?;
        Reply::data(&json!({
            "key": role.key,
            "template": role.template,
            "ttl": role.ttl.as_secs(),
            "client_id": role.client_id,
        }))
    }
}

/// Makes a role, or changes one.
#[derive(Deserialize, JsonSchema)]
struct WriteRole {
    /// Its name.
    name: String,
    /// The name of the key that signs.
    #[serde(default)]
    key: Option<Text>,
    /// The template of further claims, plain or in base64.
    #[serde(default)]
    template: Option<Text>,
    /// How long a token holds; not longer than its key can be verified.
    #[serde(default)]
    ttl: Option<Ttl>,
    /// Whom the tokens are for; made up where nothing is given.
    #[serde(default)]
    client_id: Option<Text>,
}

impl Handle<Open> for WriteRole {
    type Reply = Empty;

    async fn handle(mut self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        let sent = self.template.take();
        self.template = sent.map(|Text(sent)| Text(claims::read(sent)));
        let fresh_id = cx.random.base62(ID_CHARS);
        let put = PutRole {
            ask: self,
            fresh_id,
        };
        let key = open.space.oidc.edit(&put, cx.now).await?;
        open.space.oidc.key(open, &key).await?; // The built-in one is made when it is needed first: now.
        Ok(Empty)
    }
}

struct PutRole {
    ask: WriteRole,
    fresh_id: String,
}

impl Edit for PutRole {
    type Done = String;

    async fn decide(&self, draft: &mut Draft) -> Result<String, Fault> {
        let ask = &self.ask;
        let stored = draft.get::<Role>(&ask.name).await?;
        let mut role = stored.unwrap_or_else(|| Role {
            key: String::new(),
            template: String::new(),
            ttl: DEFAULT_TTL,
            client_id: String::new(),
        });
        if let Some(Text(key)) = &ask.key {
            role.key.clone_from(key);
        }
        if let Some(Text(template)) = &ask.template {
            role.template.clone_from(template);
        }
        if let Some(Ttl(ttl)) = ask.ttl {
            role.ttl = ttl;
        }
        if let Some(Text(id)) = &ask.client_id {
            role.client_id.clone_from(id);
        }
        if role.client_id.is_empty() {
            role.client_id.clone_from(&self.fresh_id);
        }
        if role.key.is_empty() {
            return Err(Fault::invalid("the key parameter is required"));
        }
        let unknown = || Fault::Invalid(format!("cannot find key {:?}", role.key));
        check_name(&role.key).map_err(|_| unknown())?;
        let key = draft.key(&role.key).await?.ok_or_else(unknown)?;
        if role.ttl > key.verification_ttl {
            return Err(Fault::invalid(
                "a role's token ttl cannot be longer than the verification_ttl of the key it references",
            ));
        }
        claims::check(&role.template, draft.now)?;
        draft.put(&ask.name, &role)?;
        Ok(role.key)
    }
}

/// Takes a role away. Tokens that were made by it hold until they expire.
#[derive(Deserialize, JsonSchema)]
struct DeleteRole {
    /// Its name.
    name: String,
}

impl Handle<Open> for DeleteRole {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        open.space.oidc.edit(&self, cx.now).await?;
        Ok(Empty)
    }
}

impl Edit for DeleteRole {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        draft.delete::<Role>(&self.name)
    }
}
