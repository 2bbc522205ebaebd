//! `login`: the way in.

use std::collections::BTreeMap;
use std::net::IpAddr;

use coffer_engine::{Ctx, Fault, Handle, Login, Role as LoginRole, Routes, Session, Stay, path};
use coffer_wire::Text;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AppRole;
use super::role::Role;
use super::role_id::{MAX_ROLE_ID_BYTES, RoleId};
use super::secret_id::{self, SecretId};
use crate::networks;

pub(super) fn routes() -> Routes<AppRole> {
    Routes::new([path("login", "Logs in with a role id and a secret id.")
        .unauthenticated()
        .role::<LogIn>()
        .write::<LogIn>()])
    .sessions::<Entered>()
}

/// A login of some time ago.
#[derive(Serialize, Deserialize)]
struct Entered {
    role_name: String,
    /// What names the role for ever: one that was made anew under the same name is another.
    role: String,
}

/// Logs in with a role id and, where the role wants one, a secret id.
#[derive(Deserialize, JsonSchema)]
struct LogIn {
    /// What names the role.
    #[serde(default)]
    role_id: Text,
    /// A secret id of the role.
    #[serde(default)]
    secret_id: Text,
}

impl LoginRole<AppRole> for LogIn {
    async fn role(self, engine: &AppRole, cx: &Ctx) -> Result<Option<String>, Fault> {
        if self.role_id.0.is_empty() || self.role_id.0.len() > MAX_ROLE_ID_BYTES {
            return Ok(None);
        }
        let found = RoleId::role(engine, cx, &self.role_id.0).await?;
        Ok(found.map(|(name, _)| name))
    }
}

impl Handle<AppRole> for LogIn {
    type Reply = Box<Login>;

    async fn handle(self, engine: &AppRole, cx: &Ctx) -> Result<Box<Login>, Fault> {
        let id = &self.role_id.0;
        if id.is_empty() {
            return Err(Fault::invalid("missing role_id"));
        }
        if id.len() > MAX_ROLE_ID_BYTES {
            return Err(wrong());
        }
        cx.attempt(id).await?;
        let (name, role) = RoleId::role(engine, cx, id).await?.ok_or_else(wrong)?;
        let from = role.secret_id_bound_cidrs.as_deref().unwrap_or_default();
        let secret = match role.bind_secret_id {
            true => Some(self.spent(engine, cx, &role, from).await?),
            false => None,
        };
        if secret.is_none() {
            refuse_source(from, cx.request.client, "role")?;
        }
        role.token.check_bindable(cx.request.client)?;
        accepted(cx, &name, &role, secret)
    }
}

impl LogIn {
    /// The secret id that was brought, one use of it spent.
    async fn spent(
        &self,
        engine: &AppRole,
        cx: &Ctx,
        role: &Role,
        from: &[IpNet],
    ) -> Result<SecretId, Fault> {
        if self.secret_id.0.is_empty() {
            return Err(Fault::invalid("missing secret_id"));
        }
        let found = secret_id::by_id(engine, cx, role, &self.secret_id.0).await?;
        let found = found.ok_or_else(wrong)?;
        refuse_source(&found.record.cidrs, cx.request.client, "secret ID")?;
        refuse_source(from, cx.request.client, "role")?;
        let record = found.record.clone();
        match found.spend(cx).await? {
            true => Ok(record),
            false => Err(wrong()),
        }
    }
}

/// The token goes on as the role is now; not without a role.
impl Session<AppRole> for Entered {
    async fn renew(self, _: &AppRole, cx: &Ctx) -> Result<Stay, Fault> {
        let role = Role::find(cx, &self.role_name).await?;
        let role = role.filter(|role| role.key == self.role).ok_or_else(|| {
            Fault::Invalid(format!(
                "role {:?} does not exist during renewal",
                self.role_name
            ))
        })?;
        Ok(role.token.stay())
    }
}

fn accepted(
    cx: &Ctx,
    name: &str,
    role: &Role,
    secret: Option<SecretId>,
) -> Result<Box<Login>, Fault> {
    let (mut metadata, nets) = match secret {
        Some(secret) => (secret.metadata, secret.token_cidrs),
        None => (BTreeMap::new(), Vec::new()),
    };
    metadata.insert("role_name".to_owned(), name.to_owned());
    let alias = role.token.alias(role.role_id.clone(), metadata.clone());
    let entered = Entered {
        role_name: name.to_owned(),
        role: role.key.clone(),
    };
    let mut login = role.token.login(cx.request.client);
    if !nets.is_empty() && !role.token.strictly_bind_ip {
        login.bound_cidrs = nets;
    }
    let login = Login {
        metadata,
        alias: Some(alias),
        ..login
    };
    login.with_session(&entered).map(Box::new)
}

fn refuse_source(nets: &[IpNet], client: Option<IpAddr>, of: &str) -> Result<(), Fault> {
    match networks::holds(nets, client) {
        true => Ok(()),
        false => Err(Fault::Invalid(format!(
            "the source address is not among the networks that the {of} is bound to"
        ))),
    }
}

/// The same words for an unknown role and a wrong secret id.
fn wrong() -> Fault {
    Fault::invalid("invalid role or secret ID")
}
