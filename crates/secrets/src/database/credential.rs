//! `creds/{name}`: a user of its own for each request, with a lease.
//!
//! What happens, in this order: everything that can be refused is refused; the name is chosen; the lease's content is
//! stored durably as an intent; the user is made; the answer goes out. A crash or an error after the intent ends in
//! [`Credential::revoke`], which finds out what is there. So no user outlives its lease, and none exists without one.

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Event, Fault, Handle, Lease, Leased, Renewal, Routes, Stored, path};
use coffer_wire::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Database;
use super::connection::Connection;
use super::driver::{Driver, DriverError, Effect, NewUser};
use super::events::{self, CREDS_CREATE, CREDS_CREATE_FAIL, CREDS_REVOKE, CREDS_REVOKE_FAIL};
use super::role::Role;
use super::username::{self, Facts};
use coffer_engine::plaintext;

pub(super) fn routes() -> Routes<Database> {
    Routes::new([path("creds/{name}", "A new user of a role.").read::<ReadCredential>()])
        .leases::<Credential>()
}

/// Makes a user of a role, with a password and a lease.
#[derive(Deserialize, JsonSchema)]
struct ReadCredential {
    /// Name of the role.
    name: String,
}

/// A new user.
#[derive(Serialize, JsonSchema)]
struct Login {
    /// Its password.
    #[serde(serialize_with = "plaintext::text")]
    #[schemars(with = "String")]
    password: Secret<String>,
    /// Its name.
    username: String,
}

impl Handle<Database> for ReadCredential {
    type Reply = Leased<Login>;

    async fn handle(self, engine: &Database, cx: &Ctx) -> Result<Leased<Login>, Fault> {
        let role = Role::find(cx, &self.name)
            .await?
            .ok_or_else(|| Fault::Invalid(format!("unknown role: {}", self.name)))?;
        let (connection, driver) = engine.connections.get(cx, &role.db_name).await?;
        if !connection.allows(&self.name) {
            return Err(Fault::Invalid(format!(
                "{:?} is not an allowed role",
                self.name
            )));
        }
        if role.creation_statements.iter().all(|s| s.trim().is_empty()) {
            return Err(Fault::invalid("empty creation statements"));
        }
        let (ttl, max_ttl) = role.lifetimes(cx);
        let policy = role.credential_config.get("password_policy");
        let policy = policy.unwrap_or(&connection.password_policy);
        let user = NewUser {
            username: choose_name(cx, &self.name, &connection, &*driver)?,
            password: cx.services.password(policy).await?,
            until: cx.now.plus(ttl),
        };
        let credential = Credential {
            id: cx.random.base62(20),
            connection: role.db_name.clone(),
            role: self.name,
            username: user.username.clone(),
            revocation_statements: role.revocation_statements.clone(),
        };
        // Nothing may be announced, and so later removed, that somebody else has made.
        if driver
            .exists(&user.username)
            .await
            .map_err(Fault::upstream)?
        {
            return Err(Fault::Upstream(format!(
                "the user {:?} exists already; make the username_template give a new name each time, for example with {{{{random 20}}}}",
                user.username
            )));
        }
        let intent = cx.intend::<Database, _>(&credential).await?;
        if let Err(error) = driver.create(&user, &role.creation_statements).await {
            cx.emit(credential.failed(CREDS_CREATE_FAIL));
            credential.give_up(cx, &role, &*driver, &error).await?;
            return Err(Fault::upstream(error));
        }
        cx.emit(credential.changed(CREDS_CREATE));
        let NewUser {
            username, password, ..
        } = user;
        Ok(Leased::new(
            intent,
            Login { password, username },
            ttl,
            max_ttl,
        ))
    }
}

fn choose_name(
    cx: &Ctx,
    role: &str,
    connection: &Connection,
    driver: &dyn Driver,
) -> Result<String, Fault> {
    let facts = Facts {
        display_name: cx
            .caller
            .as_deref()
            .map_or("", |caller| &caller.display_name),
        role_name: role,
        now: cx.now,
        random: &cx.random,
    };
    let template = connection.settings.template().map_err(Fault::Invalid)?;
    let name = template.render(&facts).map_err(Fault::Invalid)?;
    let end = name.floor_char_boundary(driver.max_username_bytes());
    let name = name.get(..end).unwrap_or_default().to_owned();
    username::check(&name, driver.max_username_bytes())
        .map_err(|what| Fault::Invalid(format!("username_template: {what}")))?;
    Ok(name)
}

/// What is stored about a user: enough to extend and to remove it, also when its role is gone.
#[derive(Serialize, Deserialize)]
struct Credential {
    /// Names this lease's notes.
    id: String,
    /// The configuration it was made with.
    connection: String,
    /// The role it was made by.
    role: String,
    /// The user.
    username: String,
    /// The role's statements when it was made.
    revocation_statements: Vec<String>,
}

/// Says that a user of this name was there before the lease tried to make it.
#[derive(Serialize, Deserialize)]
struct NotOurs {}

impl Stored for NotOurs {}

impl Credential {
    /// The name of a user is half of what lets somebody in: events name the role.
    fn changed(&self, kind: &'static str) -> Event {
        events::changed(kind, "creds", &self.role).with("db_name", &self.connection)
    }

    fn failed(&self, kind: &'static str) -> Event {
        events::unchanged(kind, "creds", &self.role).with("db_name", &self.connection)
    }

    fn note(&self) -> String {
        format!("not-ours/{}", self.id)
    }

    async fn remove(
        &self,
        engine: &Database,
        cx: &Ctx,
        statements: &[String],
    ) -> Result<(), Fault> {
        let (_, driver) = engine.connections.get(cx, &self.connection).await?;
        let removed = driver.revoke(&self.username, statements).await;
        removed.map_err(Fault::upstream)
    }

    /// After a failed creation: what the kernel's roll-back of the intent can not know.
    async fn give_up(
        &self,
        cx: &Ctx,
        role: &Role,
        driver: &dyn Driver,
        error: &DriverError,
    ) -> Result<(), Fault> {
        if error.effect == Effect::Taken {
            cx.view.put(&self.note(), &NotOurs {}).await?;
        } else if !role.rollback_statements.is_empty() {
            // Best effort: the roll-back of the intent removes the user in any case.
            if let Err(error) = driver
                .roll_back(&self.username, &role.rollback_statements)
                .await
            {
                tracing::warn!(role = self.role, %error, "rollback_statements failed");
            }
        }
        Ok(())
    }
}

impl Lease<Database> for Credential {
    const KIND: &'static str = "creds";

    fn target(&self) -> String {
        self.connection.clone()
    }

    async fn renew(&self, engine: &Database, cx: &Ctx, ask: &Renewal) -> Result<Timestamp, Fault> {
        let role = Role::find(cx, &self.role).await?.ok_or_else(|| {
            Fault::Invalid(format!(
                "error during renew: could not find role with name {:?}",
                self.role
            ))
        })?;
        let (_, driver) = engine.connections.get(cx, &self.connection).await?;
        let until = ask.until(role.default_ttl.0, role.max_ttl.0);
        driver
            .extend(&self.username, until, &role.renew_statements)
            .await
            .map_err(Fault::upstream)?;
        Ok(until)
    }

    async fn revoke(&self, engine: &Database, cx: &Ctx) -> Result<(), Fault> {
        if cx.view.get::<NotOurs>(&self.note()).await?.is_some() {
            return Ok(cx.view.delete(&self.note()).await?);
        }
        // An operator who repairs a role's statements repairs the revocation of its users too.
        let statements = match Role::find(cx, &self.role).await? {
            Some(role) => role.revocation_statements,
            None => self.revocation_statements.clone(),
        };
        let removed = self.remove(engine, cx, &statements).await;
        cx.emit(match removed {
            Ok(()) => self.changed(CREDS_REVOKE),
            Err(_) => self.failed(CREDS_REVOKE_FAIL),
        });
        removed
    }
}
