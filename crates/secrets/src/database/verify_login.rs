//! `verify-login/{name}`: whether a database lets a user in, at this moment.
//!
//! It shows that a credential works, or that a revoked one does not. It must not become a way to guess passwords: see
//! [`Guesses`] and `docs/threats.md`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{Text, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::Database;
use super::connection::Connection;
use super::driver::{self, Verdict};
use super::username;

/// How many attempts at one database may fail within [`WINDOW`].
const FAILURES_MAX: usize = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// How many attempts of one mount go on at the same time.
const AT_ONCE: usize = 4;
/// The longest password that is tried, in bytes.
const MAX_PASSWORD_BYTES: usize = 1_024;

pub(super) fn routes() -> Routes<Database> {
    Routes::new([path(
        "verify-login/{name}",
        "Whether a database lets a user in, at this moment.",
    )
    .write::<VerifyLogin>()])
}

/// Tries a login at a configured database, and says whether it was let in. The session is closed at once.
///
/// Neither the configured admin user nor one with rights over others is tried, and ten refused attempts a minute are the
/// most for one database.
#[derive(Deserialize, JsonSchema)]
struct VerifyLogin {
    /// Name of the configuration.
    name: String,
    /// The user.
    username: Text,
    /// The password.
    #[schemars(with = "String")]
    password: Secret<String>,
}

/// What the database said.
#[derive(Serialize, JsonSchema)]
struct Verified {
    /// Whether the login was let in.
    accepted: bool,
    /// The same in words; of a refusal with the database's code.
    message: String,
}

impl Handle<Database> for VerifyLogin {
    type Reply = Verified;

    async fn handle(self, engine: &Database, cx: &Ctx) -> Result<Verified, Fault> {
        let (connection, driver) = engine.connections.get(cx, &self.name).await?;
        let username = &self.username.0;
        username::check(username, driver.max_username_bytes()).map_err(Fault::Invalid)?;
        self.check_password()?;
        let _turn = engine.guesses.turn.try_acquire().map_err(|_| {
            Fault::TooMany("other logins are being tried; try again in a moment".into())
        })?;
        let attempt = engine.guesses.begin(&self.name, cx.now)?;
        let configured = *username == connection.settings.username;
        if configured || driver.is_admin(username).await.map_err(Fault::upstream)? {
            return Err(Fault::invalid(
                "neither the configured user nor one with rights over others is tried here",
            ));
        }
        let verdict = trial(&connection)?.log_in(username, &self.password).await;
        Ok(match verdict.map_err(Fault::upstream)? {
            Verdict::Accepted => {
                attempt.succeeded();
                Verified {
                    accepted: true,
                    message: "the database accepts this login".into(),
                }
            }
            Verdict::Refused(message) => Verified {
                accepted: false,
                message,
            },
        })
    }
}

impl VerifyLogin {
    fn check_password(&self) -> Result<(), Fault> {
        let password = self.password.expose();
        match password.is_empty() || password.len() > MAX_PASSWORD_BYTES || password.contains('\0')
        {
            true => Err(Fault::Invalid(format!(
                "the password must have 1 to {MAX_PASSWORD_BYTES} bytes, and none that is zero"
            ))),
            false => Ok(()),
        }
    }
}

/// A driver for this one login, which lends nothing of what is configured to whoever asks: neither the admin's password
/// nor our certificate.
fn trial(connection: &Connection) -> Result<std::sync::Arc<dyn driver::Driver>, Fault> {
    let mut settings = connection.settings.clone();
    settings.password = Secret::default();
    settings.pending_password = None;
    settings.tls_certificate = String::new();
    settings.private_key = Secret::default();
    driver::open(&connection.plugin_name, &settings).map_err(Fault::Invalid)
}

/// Keeps logins from being guessed through this server.
pub(super) struct Guesses {
    turn: Semaphore,
    /// When attempts were begun that did not succeed, or not yet, by configuration.
    recent: Mutex<HashMap<String, Vec<Timestamp>>>,
}

/// One attempt. It counts from its beginning, so that many at once are not more than one after another.
struct Attempt<'a> {
    guesses: &'a Guesses,
    database: &'a str,
    begun: Timestamp,
}

impl Default for Guesses {
    fn default() -> Self {
        Self {
            turn: Semaphore::new(AT_ONCE),
            recent: Mutex::default(),
        }
    }
}

impl Guesses {
    fn begin<'a>(&'a self, database: &'a str, now: Timestamp) -> Result<Attempt<'a>, Fault> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        // What is over is forgotten, also of configurations that are gone.
        recent.retain(|_, attempts| {
            attempts.retain(|begun| now.since(*begun) < WINDOW);
            !attempts.is_empty()
        });
        let attempts = recent.entry(database.to_owned()).or_default();
        if attempts.len() >= FAILURES_MAX {
            return Err(Fault::TooMany(format!(
                "{FAILURES_MAX} logins at this database were refused within a minute; try again in a minute"
            )));
        }
        attempts.push(now);
        Ok(Attempt {
            guesses: self,
            database,
            begun: now,
        })
    }
}

impl Attempt<'_> {
    /// Counts no more.
    fn succeeded(self) {
        let recent = self.guesses.recent.lock();
        let mut recent = recent.unwrap_or_else(PoisonError::into_inner);
        let Some(attempts) = recent.get_mut(self.database) else {
            return;
        };
        if let Some(at) = attempts.iter().position(|begun| *begun == self.begun) {
            attempts.swap_remove(at);
        }
    }
}
