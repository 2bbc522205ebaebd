//! `role/{role_name}/role-id`, and which role an id belongs to.

use coffer_engine::{Changes, Ctx, Empty, Fault, Handle, Reply, Routes, Stored, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::AppRole;
use super::role::{self, Role, normal};
use super::salt::MAX_ID_BYTES;

pub(super) fn routes() -> Routes<AppRole> {
    Routes::new([path(
        "role/{role_name}/role-id",
        "What machines say to name the role.",
    )
    .caseless()
    .read::<ReadRoleId>()
    .write::<WriteRoleId>()])
}

/// Which role an id belongs to.
#[derive(Serialize, Deserialize)]
pub(super) struct RoleId {
    /// The name of the role, in normal form.
    name: String,
}

impl Stored for RoleId {}

impl RoleId {
    /// Where it is kept.
    pub(super) async fn place(engine: &AppRole, cx: &Ctx, id: &str) -> Result<String, Fault> {
        Ok(format!("id/{}", engine.salt.code(cx, id).await?))
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
    let (taken, seen) = cx.view.get_seen::<RoleId>(&place).await?;
    if taken.is_some() {
        return Err(Fault::invalid("role_id already in use"));
    }
    let entry = RoleId {
        name: name.to_owned(),
    };
    let mut changes = changes.expect(&cx.view, &place, seen);
    changes = changes.put(&cx.view, &place, &entry)?;
    if let Some(old) = old {
        changes = changes.delete(&cx.view, &RoleId::place(engine, cx, &old).await?);
    }
    Ok(changes)
}

/// Refuses what is no id.
pub(super) fn refuse(id: &str) -> Result<(), Fault> {
    if id.is_empty() {
        return Err(Fault::invalid("role_id cannot be empty"));
    }
    match id.len() > MAX_ID_BYTES {
        true => Err(Fault::Invalid(format!(
            "role_id is longer than {MAX_ID_BYTES} bytes"
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
        role::write(engine, cx, &normal(&self.role_name), change).await?;
        Ok(Empty)
    }
}
