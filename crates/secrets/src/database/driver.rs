//! The door to one kind of database.
//!
//! Everything else in this engine (roles, leases, rotation, storage) is the same for every database. A new
//! kind is one type that implements [`Driver`] and one line in [`open`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use coffer_crypto::Secret;
use coffer_wire::Timestamp;

use super::connection::Settings;
use super::postgres::Postgres;

/// What a driver's work ends in.
pub(super) type Outcome<'a, T> = Pin<Box<dyn Future<Output = Result<T, DriverError>> + Send + 'a>>;

/// One configured database. It connects when it is first needed, and every call ends within a bounded time.
pub(super) trait Driver: Send + Sync {
    /// Logs in and asks for nothing.
    fn verify(&self) -> Outcome<'_, ()>;

    /// Whether the user is there.
    fn exists<'a>(&'a self, username: &'a str) -> Outcome<'a, bool>;

    /// Makes a user by the role's statements: as a whole, or, with an error, not at all.
    fn create<'a>(&'a self, user: &'a NewUser, statements: &'a [String]) -> Outcome<'a, ()>;

    /// Lets the user log in until then; by the role's statements, or the database's own way if there are none.
    fn extend<'a>(
        &'a self,
        username: &'a str,
        until: Timestamp,
        statements: &'a [String],
    ) -> Outcome<'a, ()>;

    /// Removes the user and ends what it has open; by the role's statements as they are, or the database's
    /// own way if there are none. A user who is not there is success.
    fn revoke<'a>(&'a self, username: &'a str, statements: &'a [String]) -> Outcome<'a, ()>;

    /// Runs statements that clean up after a creation that failed.
    fn roll_back<'a>(&'a self, username: &'a str, statements: &'a [String]) -> Outcome<'a, ()>;

    /// Gives an existing user this password; by these statements, or the database's own way if there are none.
    fn set_password<'a>(
        &'a self,
        username: &'a str,
        password: &'a Secret<String>,
        statements: &'a [String],
    ) -> Outcome<'a, ()>;

    /// Whether this is the configured user itself, or one who can change other users or whom no privilege holds back.
    fn is_admin<'a>(&'a self, username: &'a str) -> Outcome<'a, bool>;

    /// Logs in as somebody else, in a session of its own that is closed at once. An error is no answer of either kind.
    fn log_in<'a>(
        &'a self,
        username: &'a str,
        password: &'a Secret<String>,
    ) -> Outcome<'a, Verdict>;

    /// The longest user name, in bytes.
    fn max_username_bytes(&self) -> usize;
}

/// What a database says to a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It lets them in.
    Accepted,
    /// It does not; why, in words that tell nothing about the server.
    Refused(String),
}

/// A user to be made.
pub(super) struct NewUser {
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: Secret<String>,
    /// When the database itself must start to refuse it.
    pub until: Timestamp,
}

/// What a database, or the way to it, said. The text holds no secret.
#[derive(Debug)]
pub(super) struct DriverError {
    /// For the client.
    pub text: String,
    /// What became of the work.
    pub effect: Effect,
}

/// What a failed call left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: the database refused, or was never asked.
    None,
    /// Nothing: another transaction was at the same objects in the same moment.
    Raced,
    /// Nothing: no connection was to be had.
    Unreachable,
    /// Nothing: a user of that name was there before, and it is not ours.
    Taken,
    /// Nobody knows: the connection was lost, or the time was up.
    Unknown,
}

impl DriverError {
    /// Nothing was done.
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            effect: Effect::None,
        }
    }

    /// There was no connection to do anything with.
    pub(super) fn unreachable(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            effect: Effect::Unreachable,
        }
    }

    /// Something may have been done.
    pub(super) fn lost(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            effect: Effect::Unknown,
        }
    }

    /// With words in front.
    pub(super) fn while_trying(mut self, what: &str) -> Self {
        self.text = format!("{what}: {}", self.text);
        self
    }

    /// Without this secret, which a database may have quoted back.
    pub(super) fn without(mut self, secret: &Secret<String>) -> Self {
        if !secret.expose().is_empty() {
            self.text = self.text.replace(secret.expose(), "[password]");
        }
        self
    }
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The plugin names that are known, as operators write them.
pub(super) const PLUGINS: [&str; 2] = ["postgresql-database-plugin", "postgresql"];

/// The driver for a plugin name; the error is for the operator.
pub(super) fn open(plugin_name: &str, settings: &Settings) -> Result<Arc<dyn Driver>, String> {
    match plugin_name {
        "postgresql-database-plugin" | "postgresql" => Ok(Arc::new(Postgres::new(settings)?)),
        other => Err(format!(
            "plugin not found in the catalog: {other}; known are {}",
            PLUGINS.join(", ")
        )),
    }
}
