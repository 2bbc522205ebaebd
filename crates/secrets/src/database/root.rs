//! `rotate-root/{name}`: gives the configured admin user a password that nobody but this server knows.
//!
//! The new password is stored beside the old one before the database hears of it. Whatever is interrupted, one of the
//! two is right, and [`super::connections`] finds out which. Two rotations at once meet in the same new password.

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Database;
use super::connection::{self, Connection};
use super::driver::Effect;
use super::events::{self, ROOT_ROTATE, ROOT_ROTATE_FAIL, ROOT_ROTATE_START};

/// What rotations are asked for at.
const PLACE: &str = "rotate-root";

pub(super) fn routes() -> Routes<Database> {
    Routes::new([path(
        "rotate-root/{name}",
        "A new password for the admin user of a configuration.",
    )
    .write::<RotateRoot>()])
}

/// Gives the admin user a new, random password. It is never shown; keep another way into the database.
#[derive(Deserialize, JsonSchema)]
struct RotateRoot {
    /// Name of the configuration.
    name: String,
}

impl Handle<Database> for RotateRoot {
    type Reply = Empty;

    async fn handle(self, engine: &Database, cx: &Ctx) -> Result<Empty, Fault> {
        let (stored, driver) = engine.connections.get(cx, &self.name).await?;
        let username = stored.settings.username.clone();
        if username.is_empty() {
            return Err(Fault::invalid(
                "unable to rotate root credentials: no username in configuration",
            ));
        }
        let fresh = cx.services.password(&stored.password_policy).await?;
        let password = claim(cx, &self.name, &fresh).await?;
        cx.emit(events::unchanged(ROOT_ROTATE_START, PLACE, &self.name));
        let statements = &stored.root_rotation_statements;
        if let Err(error) = driver.set_password(&username, &password, statements).await {
            cx.emit(events::unchanged(ROOT_ROTATE_FAIL, PLACE, &self.name));
            if error.effect != Effect::Unknown {
                withdraw(cx, &self.name, &password).await?;
            }
            return Err(Fault::upstream(error));
        }
        connection::adopt_password(cx, &self.name, &password).await?;
        engine.connections.forget(&self.name);
        cx.emit(events::changed(ROOT_ROTATE, PLACE, &self.name));
        Ok(Empty)
    }
}

/// Stores the password that the database is about to get: `fresh`, or that of a rotation under way.
async fn claim(cx: &Ctx, name: &str, fresh: &Secret<String>) -> Result<Secret<String>, Fault> {
    let decide = |old: Option<Connection>| {
        let mut stored = old.ok_or(Fault::NotFound)?;
        let pending = stored
            .settings
            .pending_password
            .get_or_insert_with(|| fresh.clone());
        let claimed = pending.clone();
        Ok::<_, Fault>((Some(stored), claimed))
    };
    cx.view.update(&connection::place(name), decide).await
}

/// Forgets a password that the database has refused.
async fn withdraw(cx: &Ctx, name: &str, password: &Secret<String>) -> Result<(), Fault> {
    let decide = |old: Option<Connection>| {
        let stored = old.map(|mut stored| {
            stored
                .settings
                .pending_password
                .take_if(|pending| pending == password);
            stored
        });
        Ok::<_, Fault>((stored, ()))
    };
    cx.view.update(&connection::place(name), decide).await
}
