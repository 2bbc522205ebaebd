//! `roles/{name}`: how users are made, extended and removed.

use std::time::Duration;

use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Routes, Stored, path};
use coffer_wire::{Int, KvPairs, Text, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::Database;
use super::events::{self, ROLE_CREATE, ROLE_DELETE, ROLE_UPDATE};
use super::statements::Statements;
use coffer_engine::keys::Keys;
use coffer_engine::keys::page;

pub(super) fn routes() -> Routes<Database> {
    Routes::new([
        path("roles", "The roles for users on request.").list::<ListRoles>(),
        path(
            "roles/{name}",
            "How users of one role are made and removed.",
        )
        .read::<ReadRole>()
        .write::<WriteRole>()
        .exists::<ReadRole>()
        .delete::<DeleteRole>()
        .tells(ROLE_DELETE),
    ])
}

/// Where a role is kept.
pub(super) fn place(name: &str) -> String {
    format!("role/{name}")
}

/// A stored role.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Role {
    /// The configuration it belongs to.
    pub db_name: String,
    /// Make a user.
    pub creation_statements: Vec<String>,
    /// Remove it; the database's own way if empty.
    pub revocation_statements: Vec<String>,
    /// Clean up after a creation that failed.
    pub rollback_statements: Vec<String>,
    /// Extend it; the database's own way if empty.
    pub renew_statements: Vec<String>,
    /// First lifetime; zero for the mount's.
    pub default_ttl: Ttl,
    /// Longest lifetime; zero for the mount's.
    pub max_ttl: Ttl,
    /// How credentials are made: `password_policy`.
    pub credential_config: BTreeMap<String, String>,
}

impl Stored for Role {}

impl Role {
    /// The role of that name, if there is one.
    pub(super) async fn find(cx: &Ctx, name: &str) -> Result<Option<Self>, Fault> {
        Ok(cx.view.get(&place(name)).await?)
    }

    /// The first lifetime of a user made now, and the longest.
    pub(super) fn lifetimes(&self, cx: &Ctx) -> (Duration, Duration) {
        let or = |ttl: Ttl, default| if ttl.is_zero() { default } else { ttl.0 };
        let longest = or(self.max_ttl, cx.mount.max_lease_ttl).min(cx.mount.max_lease_ttl);
        let first = or(self.default_ttl, cx.mount.default_lease_ttl);
        (first.min(longest), longest)
    }
}

/// Lists the roles.
#[derive(Deserialize, JsonSchema)]
struct ListRoles {
    /// Names after this one only.
    #[serde(default)]
    after: String,
    /// How many names at most; all if not over zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<Database> for ListRoles {
    type Reply = Keys;

    async fn handle(self, _: &Database, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, "role/", &self.after, self.limit).await
    }
}

/// Reads a role.
#[derive(Deserialize, JsonSchema)]
struct ReadRole {
    /// Name of the role.
    name: String,
}

/// A role as clients see it.
#[derive(Serialize, JsonSchema)]
struct RoleView {
    /// Make a user.
    creation_statements: Vec<String>,
    /// How credentials are made.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    credential_config: BTreeMap<String, String>,
    /// Always `password`.
    credential_type: &'static str,
    /// The configuration it belongs to.
    db_name: String,
    /// First lifetime, in seconds.
    default_ttl: Ttl,
    /// Longest lifetime, in seconds.
    max_ttl: Ttl,
    /// Extend a user.
    renew_statements: Vec<String>,
    /// Remove a user.
    revocation_statements: Vec<String>,
    /// Clean up after a creation that failed.
    rollback_statements: Vec<String>,
}

impl Handle<Database> for ReadRole {
    type Reply = RoleView;

    async fn handle(self, _: &Database, cx: &Ctx) -> Result<RoleView, Fault> {
        let role = Role::find(cx, &self.name).await?.ok_or(Fault::NotFound)?;
        Ok(RoleView {
            creation_statements: role.creation_statements,
            credential_config: role.credential_config,
            credential_type: PASSWORD,
            db_name: role.db_name,
            default_ttl: role.default_ttl,
            max_ttl: role.max_ttl,
            renew_statements: role.renew_statements,
            revocation_statements: role.revocation_statements,
            rollback_statements: role.rollback_statements,
        })
    }
}

impl Exists<Database> for ReadRole {
    async fn exists(self, _: &Database, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Role::find(cx, &self.name).await?.is_some())
    }
}

/// Creates a role, or changes the given fields of one.
#[derive(Deserialize, JsonSchema)]
struct WriteRole {
    /// Name of the role.
    name: String,
    /// The configuration it belongs to.
    db_name: Option<Text>,
    /// Statements that make a user, with {{name}}, {{password}} and {{expiration}}. They run in one transaction.
    creation_statements: Option<Statements>,
    /// Statements that remove a user, with {{name}}; the database's own way if none are given.
    revocation_statements: Option<Statements>,
    /// Statements that clean up after a creation that failed, with {{name}}.
    rollback_statements: Option<Statements>,
    /// Statements that extend a user, with {{name}} and {{expiration}}; the database's own way if none are given.
    renew_statements: Option<Statements>,
    /// First lifetime of users; the mount's if zero.
    default_ttl: Option<Ttl>,
    /// Longest lifetime of users, renewals included; the mount's if zero.
    max_ttl: Option<Ttl>,
    /// Kind of credential: `password`.
    credential_type: Option<Text>,
    /// How credentials are made: `password_policy` names a policy for this role alone.
    credential_config: Option<KvPairs>,
}

const PASSWORD: &str = "password";

impl Handle<Database> for WriteRole {
    type Reply = Empty;

    async fn handle(self, _: &Database, cx: &Ctx) -> Result<Empty, Fault> {
        check_credential(
            self.credential_type.as_ref(),
            self.credential_config.as_ref(),
        )?;
        super::static_role::refuse_twin(cx, &self.name).await?;
        let write = |old: Option<Role>| {
            let kind = match old {
                Some(_) => ROLE_UPDATE,
                None => ROLE_CREATE,
            };
            let role = self.over(old.unwrap_or_default());
            match role.db_name.is_empty() {
                true => Err(Fault::invalid("database name is required")),
                false => Ok((Some(role), kind)),
            }
        };
        let kind = cx.view.update(&place(&self.name), write).await?;
        cx.emit(events::changed(kind, "roles", &self.name));
        Ok(Empty)
    }
}

impl WriteRole {
    fn over(&self, mut role: Role) -> Role {
        fn set<T: Clone>(field: &mut T, given: Option<&T>) {
            if let Some(given) = given {
                field.clone_from(given);
            }
        }
        set(&mut role.db_name, self.db_name.as_ref().map(|text| &text.0));
        let statements = [
            (&mut role.creation_statements, &self.creation_statements),
            (&mut role.revocation_statements, &self.revocation_statements),
            (&mut role.rollback_statements, &self.rollback_statements),
            (&mut role.renew_statements, &self.renew_statements),
        ];
        for (field, given) in statements {
            set(field, given.as_ref().map(|list| &list.0));
        }
        set(&mut role.default_ttl, self.default_ttl.as_ref());
        set(&mut role.max_ttl, self.max_ttl.as_ref());
        set(
            &mut role.credential_config,
            self.credential_config.as_ref().map(|pairs| &pairs.0),
        );
        role
    }
}

/// Passwords are the one kind of credential that PostgreSQL users have.
pub(super) fn check_credential(kind: Option<&Text>, config: Option<&KvPairs>) -> Result<(), Fault> {
    if let Some(odd) = kind
        .map(|kind| kind.0.as_str())
        .filter(|kind| !["", PASSWORD].contains(kind))
    {
        return Err(Fault::Invalid(format!(
            "invalid credential_type {odd:?}; known is {PASSWORD:?}"
        )));
    }
    let mut keys = config.iter().flat_map(|pairs| pairs.0.keys());
    match keys.find(|key| *key != "password_policy") {
        Some(odd) => Err(Fault::Invalid(format!(
            "invalid credential_config: unknown key {odd:?}; known is \"password_policy\""
        ))),
        None => Ok(()),
    }
}

/// Deletes a role. Users that were made by it stay until their leases end.
#[derive(Deserialize, JsonSchema)]
struct DeleteRole {
    /// Name of the role.
    name: String,
}

impl Handle<Database> for DeleteRole {
    type Reply = Empty;

    async fn handle(self, _: &Database, cx: &Ctx) -> Result<Empty, Fault> {
        cx.view.delete(&place(&self.name)).await?;
        Ok(Empty)
    }
}

/// Refuses a static role of the same name.
pub(super) async fn refuse_twin(cx: &Ctx, name: &str) -> Result<(), Fault> {
    match Role::find(cx, name).await? {
        Some(_) => Err(Fault::invalid("Role and Static Role names must be unique")),
        None => Ok(()),
    }
}
