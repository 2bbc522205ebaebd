//! `role/{role_name}/role-id`, and which role an id belongs to.

use coffer_engine::{Changes, Ctx, Empty, Fault, Handle, Reply, Routes, Stored, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::AppRole;
use super::role::{self, Role};
use crate::names;

/// The longest role id in bytes: as long as a name in the identity store.
pub(super) const MAX_ROLE_ID_BYTES: usize = 512;

pub(super) fn routes() -> Routes<AppRole> {
    Routes::new([path(
        "role/{role_name}/role-id",
        "What machines say to name the role.",
    )
    .caseless()
    .read::<ReadRoleId>()
    .write::<WriteRoleId>()
    .tells("approle/role-id-write")])
}

/// Which role an id belongs to.
#[derive(Serialize, Deserialize)]
pub(super) struct RoleId {
    /// The name of the role, in normal form.
    name: String,
}

impl Stored for RoleId {}

impl RoleId {
    /// Where it is kept: ids that identity and lock-out would take for one have one place.
    pub(super) async fn place(engine: &AppRole, cx: &Ctx, id: &str) -> Result<String, Fault> {
        let normal = names::normal(id.trim());
        Ok(format!("id/{}", engine.salt.code(cx, &normal).await?))
    }

    /// The role that an id names, with its name.
    pub(super) async fn role(
        engine: &AppRole,
        cx: &Ctx,
        id: &str,
    ) -> Result<Option<(String, Role)>, Fault> {
        let entry: Option<Self> = cx.view.get(&Self::place(engine, cx, id).await?).await?;
        let Some(Self { name }) = entry else {
            return Ok(None);
        };
        let role = Role::find(cx, &name).await?;
        Ok(role
            .filter(|role| role.role_id == id)
            .map(|role| (name, role)))
    }
}

/// Moves the entry of a role's id, where it changes; an id that another role has is refused.
pub(super) async fn renamed(
    engine: &AppRole,
    cx: &Ctx,
    changes: Changes,
    old: Option<String>,
    new: &str,
    name: &str,
) -> Result<Changes, Fault> {
    if old.as_deref() == Some(new) {
        return Ok(changes);
    }
    let place = RoleId::place(engine, cx, new).await?;
    let old_place = match old {
        Some(old) => Some(RoleId::place(engine, cx, &old).await?),
        None => None,
    };
    let (taken, seen) = cx.view.get_seen::<RoleId>(&place).await?;
    if taken.is_some() && old_place.as_deref() != Some(&place) {
        return Err(Fault::invalid("role_id already in use"));
    }
    let entry = RoleId {
        name: name.to_owned(),
    };
    let changes = changes.expect(&cx.view, &place, seen);
    let changes = match old_place {
        Some(old) => changes.delete(&cx.view, &old),
        None => changes,
    };
    Ok(changes.put(&cx.view, &place, &entry)?)
}

/// Refuses what is no id: it is a name in the identity store, too.
pub(super) fn refuse(id: &str) -> Result<(), Fault> {
    if id.trim().is_empty() {
        return Err(Fault::invalid("role_id cannot be empty"));
    }
    match id.len() > MAX_ROLE_ID_BYTES || id.chars().any(char::is_control) {
        true => Err(Fault::Invalid(format!(
            "role_id has at most {MAX_ROLE_ID_BYTES} bytes and no control characters"
        ))),
        false => Ok(()),
    }
}

/// Shows the id of a role.
#[derive(Deserialize, JsonSchema)]
struct ReadRoleId {
    /// Name of the role.
    role_name: String,
}

impl Handle<AppRole> for ReadRoleId {
    type Reply = Reply;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<Reply, Fault> {
        let role = Role::named(cx, &self.role_name).await?;
        Reply::data(&json!({ "role_id": role.role_id }))
    }
}

/// Changes the id of a role.
#[derive(Deserialize, JsonSchema)]
struct WriteRoleId {
    /// Name of the role.
    role_name: String,
    /// What machines say to name the role.
    #[serde(default)]
    role_id: Text,
}

impl Handle<AppRole> for WriteRoleId {
    type Reply = Empty;

    async fn handle(self, engine: &AppRole, cx: &Ctx) -> Result<Empty, Fault> {
        if Role::find(cx, &self.role_name).await?.is_none() {
            return Err(Fault::Missing(format!(
                "role {:?} does not exist",
                self.role_name
            )));
        }
        if self.role_id.0.is_empty() {
            return Err(Fault::invalid("missing role_id"));
        }
        refuse(&self.role_id.0)?;
        let change = |role: &mut Role, new: bool| {
            if new {
                return Err(Fault::invalid("the role was removed meanwhile"));
            }
            role.role_id.clone_from(&self.role_id.0);
            Ok(())
        };
        role::write(engine, cx, &names::normal(&self.role_name), change).await?;
        Ok(Empty)
    }
}
