//! `static-roles/`, `static-creds/`, `rotate-role/`: users that exist, whose password is rotated.
//!
//! As with the admin's own password, a new one is stored before the database hears of it, and becomes the current one
//! after. A rotation that was interrupted is finished with the same password at the next tick.

use std::collections::BTreeMap;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Routes, Stored, path};
use coffer_wire::{Int, KvPairs, Text, Timestamp, Ttl};
use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Database;
use super::driver::Effect;
use super::events::{self, STATIC_ROLE_CREATE, STATIC_ROLE_DELETE, STATIC_ROLE_UPDATE};
use super::role::{self, check_credential};
use super::rotation::{Occasion, Rotation};
use super::statements::Statements;
use super::username;
use coffer_engine::keys::Keys;
use coffer_engine::keys::page;
use coffer_engine::plaintext;

/// The shortest time between two rotations, in seconds.
const MIN_ROTATION_PERIOD_SECS: u64 = 5;
/// How many static roles a tick reads at once.
const PAGE: usize = 500;

pub(super) fn routes() -> Routes<Database> {
    Routes::new([
        path("static-roles", "The users whose password is rotated.").list::<ListStaticRoles>(),
        path("static-roles/{name}", "One user whose password is rotated.")
            .read::<ReadStaticRole>()
            .write::<WriteStaticRole>()
            .exists::<ReadStaticRole>()
            .delete::<DeleteStaticRole>()
            .tells(STATIC_ROLE_DELETE),
        path(
            "static-creds/{name}",
            "The present password of such a user.",
        )
        .read::<ReadStaticCredential>(),
        path("rotate-role/{name}", "A new password for such a user, now.").write::<RotateRole>(),
    ])
}

/// A stored static role.
#[derive(Clone, Default, Serialize, Deserialize)]
struct StaticRole {
    db_name: String,
    username: String,
    rotation_statements: Vec<String>,
    rotation_period: Ttl,
    credential_config: BTreeMap<String, String>,
    #[serde(serialize_with = "plaintext::text")]
    password: Secret<String>,
    /// The password of a rotation that has begun: the database has this one or the other.
    #[serde(serialize_with = "plaintext::maybe")]
    pending_password: Option<Secret<String>>,
    last_rotation: Timestamp,
}

impl Stored for StaticRole {}

impl StaticRole {
    fn next_rotation(&self) -> Timestamp {
        self.last_rotation.plus(self.rotation_period.0)
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.pending_password.is_some() || self.next_rotation() <= now
    }
}

fn place(name: &str) -> String {
    format!("static-role/{name}")
}

async fn find(cx: &Ctx, name: &str) -> Result<Option<StaticRole>, Fault> {
    Ok(cx.view.get(&place(name)).await?)
}

/// Refuses a role of the same name.
pub(super) async fn refuse_twin(cx: &Ctx, name: &str) -> Result<(), Fault> {
    match find(cx, name).await? {
        Some(_) => Err(Fault::invalid("Role and Static Role names must be unique")),
        None => Ok(()),
    }
}

/// Lists the static roles.
#[derive(Deserialize, JsonSchema)]
struct ListStaticRoles {
    /// Names after this one only.
    #[serde(default)]
    after: String,
    /// How many names at most; all if not over zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<Database> for ListStaticRoles {
    type Reply = Keys;

    async fn handle(self, _: &Database, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, "static-role/", &self.after, self.limit).await
    }
}

/// Reads a static role, without its password.
#[derive(Deserialize, JsonSchema)]
struct ReadStaticRole {
    /// Name of the static role.
    name: String,
}

/// A static role as clients see it.
#[derive(Serialize, JsonSchema)]
struct StaticRoleView {
    /// How passwords are made.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    credential_config: BTreeMap<String, String>,
    /// Always `password`.
    credential_type: &'static str,
    /// The configuration it belongs to.
    db_name: String,
    /// When the password was changed last.
    last_vault_rotation: Timestamp,
    /// Time between two rotations, in seconds.
    rotation_period: Ttl,
    /// Change the password.
    rotation_statements: Vec<String>,
    /// The user.
    username: String,
}

impl Handle<Database> for ReadStaticRole {
    type Reply = StaticRoleView;

    async fn handle(self, _: &Database, cx: &Ctx) -> Result<StaticRoleView, Fault> {
        let role = find(cx, &self.name).await?.ok_or(Fault::NotFound)?;
        Ok(StaticRoleView {
            credential_config: role.credential_config,
            credential_type: "password",
            db_name: role.db_name,
            last_vault_rotation: role.last_rotation,
            rotation_period: role.rotation_period,
            rotation_statements: role.rotation_statements,
            username: role.username,
        })
    }
}

impl Exists<Database> for ReadStaticRole {
    async fn exists(self, _: &Database, cx: &Ctx) -> Result<bool, Fault> {
        Ok(find(cx, &self.name).await?.is_some())
    }
}

/// Takes over the password of an existing user, or changes the given fields. A new one is rotated at once.
#[derive(Deserialize, JsonSchema)]
struct WriteStaticRole {
    /// Name of the static role.
    name: String,
    /// The configuration it belongs to.
    db_name: Option<Text>,
    /// The user, which must exist; it can not be changed later.
    username: Option<Text>,
    /// Time between two rotations; 5 seconds or more.
    rotation_period: Option<Ttl>,
    /// Statements that change the password, with {{name}} and {{password}}; the database's own way if none are given.
    rotation_statements: Option<Statements>,
    /// Kind of credential: `password`.
    credential_type: Option<Text>,
    /// How passwords are made: `password_policy` names a policy for this user alone.
    credential_config: Option<KvPairs>,
}

impl Handle<Database> for WriteStaticRole {
    type Reply = Empty;

    async fn handle(self, engine: &Database, cx: &Ctx) -> Result<Empty, Fault> {
        check_credential(
            self.credential_type.as_ref(),
            self.credential_config.as_ref(),
        )?;
        role::refuse_twin(cx, &self.name).await?;
        let (old, seen) = cx.view.get_seen::<StaticRole>(&place(&self.name)).await?;
        let is_new = old.is_none();
        let role = self.over(old)?;
        let (connection, driver) = engine.connections.get(cx, &role.db_name).await?;
        if !connection.allows(&self.name) {
            return Err(Fault::Invalid(format!(
                "{:?} is not an allowed role",
                self.name
            )));
        }
        username::check(&role.username, driver.max_username_bytes()).map_err(Fault::Invalid)?;
        if is_new
            && !driver
                .exists(&role.username)
                .await
                .map_err(Fault::upstream)?
        {
            return Err(Fault::Invalid(format!(
                "error setting credentials: the user {:?} does not exist in the database; create it first",
                role.username
            )));
        }
        let changes = cx.view.changes().expect(&cx.view, &place(&self.name), seen);
        changes
            .put(&cx.view, &place(&self.name), &role)?
            .commit()
            .await?;
        if !is_new {
            cx.emit(events::changed(
                STATIC_ROLE_UPDATE,
                "static-roles",
                &self.name,
            ));
            return Ok(Empty);
        }
        if let Err(fault) = rotate(engine, cx, &self.name, Occasion::First).await {
            // The caller is told that there is none, so there must be none.
            cx.view.delete(&place(&self.name)).await?;
            return Err(fault);
        }
        cx.emit(events::changed(
            STATIC_ROLE_CREATE,
            "static-roles",
            &self.name,
        ));
        Ok(Empty)
    }
}

impl WriteStaticRole {
    fn over(&self, old: Option<StaticRole>) -> Result<StaticRole, Fault> {
        let is_new = old.is_none();
        let mut role = old.unwrap_or_default();
        match self.username.as_ref().map(|text| text.0.as_str()) {
            Some(name) if is_new => role.username = name.to_owned(),
            Some(name) if name != role.username => {
                return Err(Fault::invalid("cannot update static account username"));
            }
            _ => {}
        }
        if role.username.is_empty() {
            return Err(Fault::invalid(
                "username is a required field to create a static account",
            ));
        }
        if let Some(name) = &self.db_name {
            role.db_name.clone_from(&name.0);
        }
        if role.db_name.is_empty() {
            return Err(Fault::invalid("database name is a required field"));
        }
        match self.rotation_period {
            Some(period) if period.secs() < MIN_ROTATION_PERIOD_SECS => {
                return Err(Fault::Invalid(format!(
                    "rotation_period must be {MIN_ROTATION_PERIOD_SECS} seconds or more"
                )));
            }
            Some(period) => role.rotation_period = period,
            None if is_new => {
                return Err(Fault::invalid(
                    "rotation_period is required to create static accounts",
                ));
            }
            None => {}
        }
        if let Some(statements) = &self.rotation_statements {
            role.rotation_statements.clone_from(&statements.0);
        }
        if let Some(config) = &self.credential_config {
            role.credential_config.clone_from(&config.0);
        }
        Ok(role)
    }
}

/// Lets go of a user; its password stays as it is.
#[derive(Deserialize, JsonSchema)]
struct DeleteStaticRole {
    /// Name of the static role.
    name: String,
}

impl Handle<Database> for DeleteStaticRole {
    type Reply = Empty;

    async fn handle(self, engine: &Database, cx: &Ctx) -> Result<Empty, Fault> {
        cx.view.delete(&place(&self.name)).await?;
        engine.failing().remove(&self.name);
        Ok(Empty)
    }
}

/// Reads the present password of a static role's user.
#[derive(Deserialize, JsonSchema)]
struct ReadStaticCredential {
    /// Name of the static role.
    name: String,
}

/// A user and its present password.
#[derive(Serialize, JsonSchema)]
struct StaticLogin {
    /// When the password was changed last.
    last_vault_rotation: Timestamp,
    /// The present password.
    #[serde(serialize_with = "plaintext::text")]
    #[schemars(with = "String")]
    password: Secret<String>,
    /// Time between two rotations, in seconds.
    rotation_period: Ttl,
    /// How long the password is good, in seconds.
    ttl: Ttl,
    /// The user.
    username: String,
}

impl Handle<Database> for ReadStaticCredential {
    type Reply = StaticLogin;

    async fn handle(self, _: &Database, cx: &Ctx) -> Result<StaticLogin, Fault> {
        let role = find(cx, &self.name)
            .await?
            .ok_or_else(|| Fault::Invalid(format!("unknown role: {}", self.name)))?;
        // A second that has begun counts as whole, as the reference shows it.
        let left = role.next_rotation().since(cx.now);
        let secs = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Ok(StaticLogin {
            last_vault_rotation: role.last_rotation,
            ttl: Ttl::from_secs(secs),
            password: role.password,
            rotation_period: role.rotation_period,
            username: role.username,
        })
    }
}

/// Changes the password of a static role's user now.
#[derive(Deserialize, JsonSchema)]
struct RotateRole {
    /// Name of the static role.
    name: String,
}

impl Handle<Database> for RotateRole {
    type Reply = Empty;

    async fn handle(self, engine: &Database, cx: &Ctx) -> Result<Empty, Fault> {
        if find(cx, &self.name).await?.is_none() {
            return Err(Fault::invalid("no static role found for role name"));
        }
        rotate(engine, cx, &self.name, Occasion::Asked).await?;
        Ok(Empty)
    }
}

/// Rotates what is due. Databases do not wait for each other; a database that fails is left alone until the next tick.
pub(super) async fn rotate_due(engine: &Database, cx: &Ctx) -> Result<(), Fault> {
    let mut due: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let page = cx
            .view
            .scan::<StaticRole>("static-role/", after.as_deref(), PAGE)
            .await?;
        let Some((last, _)) = page.last() else { break }; // A short page is not the last one.
        after = Some(last.clone());
        for (path, role) in page {
            let name = path.strip_prefix("static-role/").unwrap_or_default();
            if role.is_due(cx.now) {
                due.entry(role.db_name).or_default().push(name.to_owned());
            }
        }
    }
    join_all(due.into_iter().map(|(database, names)| async move {
        for name in names {
            if let Err(error) = rotate(engine, cx, &name, Occasion::Due).await {
                tracing::warn!(database, role = name, %error, "the rotation of a static role failed; it is tried again");
                // Refused for this user alone, or the whole database is away: the latter would cost a time-out each.
                if matches!(error, Fault::Unavailable(_)) {
                    break;
                }
            }
        }
    }))
    .await;
    Ok(())
}

/// Gives the user a new password, and tells how that ended.
async fn rotate(engine: &Database, cx: &Ctx, name: &str, occasion: Occasion) -> Result<(), Fault> {
    let rotation = Rotation::new(engine, cx, name, occasion);
    let outcome = set_anew(engine, cx, name, &rotation).await;
    rotation.ended(&outcome);
    outcome
}

/// Stored as pending, set in the database, then made the current one.
async fn set_anew(
    engine: &Database,
    cx: &Ctx,
    name: &str,
    rotation: &Rotation<'_>,
) -> Result<(), Fault> {
    let role = find(cx, name).await?.ok_or(Fault::NotFound)?;
    let (connection, driver) = engine.connections.get(cx, &role.db_name).await?;
    let policy = role.credential_config.get("password_policy");
    let fresh = cx
        .services
        .password(policy.unwrap_or(&connection.password_policy))
        .await?;
    let claim = |old: Option<StaticRole>| {
        let mut role = old.ok_or(Fault::NotFound)?;
        let pending = role
            .pending_password
            .get_or_insert_with(|| fresh.clone())
            .clone();
        Ok::<_, Fault>((Some(role), pending))
    };
    let password = cx.view.update(&place(name), claim).await?;
    rotation.started();
    let set = driver.set_password(&role.username, &password, &role.rotation_statements);
    if let Err(error) = set.await {
        return Err(match error.effect {
            Effect::Unknown | Effect::Unreachable => {
                Fault::Unavailable(format!("error setting credentials: {error}"))
            }
            Effect::None | Effect::Raced | Effect::Taken => {
                Fault::Upstream(format!("error setting credentials: {error}"))
            }
        });
    }
    let adopt = |old: Option<StaticRole>| {
        let role = old.map(|mut role| {
            let ours = role.pending_password.as_ref() == Some(&password);
            if ours || role.password == password {
                role.password = password.clone();
                role.pending_password = None;
                role.last_rotation = cx.now;
            } else {
                // Another rotation overtook this one, and the database may have either password: the next tick
                // sets this one again.
                role.pending_password = Some(password.clone());
            }
            role
        });
        Ok::<_, Fault>((role, ()))
    };
    cx.view.update(&place(name), adopt).await
}
