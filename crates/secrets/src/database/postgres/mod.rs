//! PostgreSQL.
//!
//! Choices that an operator should know:
//!
//! - Statements of one call run in one transaction, under an advisory lock on the user's name. A revocation therefore
//!   waits for a creation whose answer was lost, instead of finding nothing and leaving the user behind.
//! - PostgreSQL breaks transactions off that change the privileges of one table at the same time. Ours are tried again.
//! - The default revocation first forbids login and ends the user's sessions. What the user owns is then given to the
//!   configured admin user (data is never dropped), all privileges in the connected database and on shared objects
//!   are revoked, and the role is dropped. Objects in *other* databases can not be reached from here: PostgreSQL refuses
//!   and the lease stays, with a message that names them.
//! - After every revocation, also by a role's own statements, sessions of the user are ended. The reference leaves them
//!   open; but a revoked credential that still works is not revoked. This is best effort: an admin
//!   without superuser rights can do it in the default revocation, and behind own statements only with `pg_signal_backend`.
//! - With `password_authentication` set to `scram-sha-256` only the salted hash of a password is sent in statements, so
//!   it can not appear in the server's logs.

mod address;
mod dsn;
mod login;
mod pool;
mod tls;
mod trouble;

use std::future::Future;
use std::time::Duration;

use coffer_crypto::{Secret, sha256};
use coffer_wire::Timestamp;
use tokio::time::timeout;
use tokio_postgres::{Client, GenericClient, SimpleQueryMessage, Transaction};

use super::connection::Settings;
use super::driver::{Driver, DriverError, Effect, NewUser, Outcome, Verdict};
use super::quoting::{Values, identifier, literal};
use super::statements::expand;
use address::SslMode;
use pool::{Limits, Pool};
use tls::Tls;

pub(in crate::database) use address::leads_elsewhere;
pub(in crate::database) use dsn::masked;

/// How long one call may take in all, waiting and connecting included, in seconds.
const CALL_SECS: u64 = 75;
/// The longest name of a role: PostgreSQL cuts off the rest without a word.
const MAX_ROLE_NAME_BYTES: usize = 63;

const EXTEND: &str = r#"ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}'"#;
const SET_PASSWORD: &str = r#"ALTER ROLE "{{name}}" WITH PASSWORD '{{password}}'"#;

/// One PostgreSQL server, as one configuration reaches it.
pub(super) struct Postgres {
    pool: Pool,
    own_password: Secret<String>,
    sends_hashes: bool,
}

/// Whether a statement's user should be there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Absent,
    Present,
    Either,
}

impl Postgres {
    /// Understands a configuration; nothing is connected yet.
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let address = address::parse(settings)?;
        let tls = match address.mode {
            SslMode::Disable => None,
            mode => Some(Tls::new(settings, mode)?),
        };
        let sends_hashes = match settings.password_authentication.as_str() {
            "" | "password" => false,
            "scram-sha-256" => true,
            _ => return Err("password_authentication must be password or scram-sha-256".into()),
        };
        let limits = Limits::new(
            settings.max_open_connections.unwrap_or(0),
            settings.max_idle_connections.unwrap_or(0),
            settings.max_lifetime()?,
        );
        Ok(Self {
            pool: Pool::new(address, tls, limits),
            own_password: settings.password.clone(),
            sends_hashes,
        })
    }

    /// The text that stands for a password in statements.
    fn sent(&self, password: &Secret<String>) -> Secret<String> {
        match self.sends_hashes {
            true => postgres_protocol::password::scram_sha_256(password.expose().as_bytes()).into(),
            false => password.clone(),
        }
    }

    /// Bounds a call in time and keeps our own password out of what it says.
    async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, DriverError>>,
    ) -> Result<T, DriverError> {
        let limit = Duration::from_secs(CALL_SECS);
        let done = match timeout(limit, work).await {
            Ok(done) => done,
            Err(_) => Err(DriverError::lost(format!(
                "the database gave no answer within {CALL_SECS} seconds"
            ))),
        };
        done.map_err(|error| error.without(&self.own_password))
    }

    /// Runs the statements in one transaction, again where another one was in its way.
    async fn transact(
        &self,
        username: &str,
        statements: &[Secret<String>],
        expected: Expected,
    ) -> Result<(), DriverError> {
        let mut races = Races::default();
        loop {
            match self.try_to_transact(username, statements, expected).await {
                Err(error) if races.goes_on_after(&error).await => {}
                done => return done,
            }
        }
    }

    async fn try_to_transact(
        &self,
        username: &str,
        statements: &[Secret<String>],
        expected: Expected,
    ) -> Result<(), DriverError> {
        let mut pooled = self.pool.get().await?;
        let transaction = begin(&mut pooled.client, username).await?;
        if expected != Expected::Either {
            let there = role_oid(&transaction, username).await?.is_some();
            match (there, expected) {
                (true, Expected::Absent) => {
                    return Err(DriverError {
                        text: format!("ERROR: role {username:?} already exists (SQLSTATE 42710)"),
                        effect: Effect::Taken,
                    });
                }
                (false, Expected::Present) => return Err(missing(username)),
                _ => {}
            }
        }
        run(&transaction, statements).await?;
        commit(transaction).await?;
        pooled.keep();
        Ok(())
    }

    /// The role's own statements, as they are, all or none; again where another transaction was in
    /// their way.
    async fn revoke_by(
        &self,
        username: &str,
        statements: &[Secret<String>],
    ) -> Result<(), DriverError> {
        let mut races = Races::default();
        loop {
            match self.try_to_revoke_by(username, statements).await {
                Err(error) if races.goes_on_after(&error).await => {}
                done => return done,
            }
        }
    }

    async fn try_to_revoke_by(
        &self,
        username: &str,
        statements: &[Secret<String>],
    ) -> Result<(), DriverError> {
        let mut pooled = self.pool.get().await?;
        let transaction = begin(&mut pooled.client, username).await?;
        let Some(oid) = role_oid(&transaction, username).await? else {
            return Ok(());
        };
        run(&transaction, statements).await?;
        commit(transaction).await?;
        end_sessions(&pooled.client, oid).await;
        pooled.keep();
        Ok(())
    }

    /// The default revocation, see the head of this file; again where another transaction was in its way.
    async fn drop_role(&self, username: &str) -> Result<(), DriverError> {
        let mut races = Races::default();
        loop {
            match self.try_to_drop_role(username).await {
                Err(error) if races.goes_on_after(&error).await => {}
                done => return done,
            }
        }
    }

    async fn try_to_drop_role(&self, username: &str) -> Result<(), DriverError> {
        let mut pooled = self.pool.get().await?;
        let role = identifier(username);
        let transaction = begin(&mut pooled.client, username).await?;
        let Some(oid) = role_oid(&transaction, username).await? else {
            return Ok(());
        };
        simple(&transaction, &format!("ALTER ROLE {role} NOLOGIN")).await?;
        join_role(&transaction, &role).await?;
        commit(transaction).await?;
        end_sessions(&pooled.client, oid).await;

        let transaction = begin(&mut pooled.client, username).await?;
        let drop = format!(
            "REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}"
        );
        simple(&transaction, &drop).await.map_err(|mut error| {
            if error.text.contains(" in database ") {
                error.text.push_str(
                    " (they are out of reach from the connected database: reassign or drop them there, or give the role revocation_statements)",
                );
            }
            error
        })?;
        commit(transaction).await?;
        end_sessions(&pooled.client, oid).await;
        pooled.keep();
        Ok(())
    }
}

/// How often a transaction of ours may lose against another one before its caller is told. Of those at
/// the same objects one wins each time, and no more than the pool's connections are.
const RACES_MAX: u32 = 30;
/// The pause after the first lost race; it grows by as much with each.
const RACE_PAUSE: Duration = Duration::from_millis(3);

/// The races that one call has lost.
#[derive(Default)]
struct Races(u32);

impl Races {
    /// Whether to try again, after a pause.
    async fn goes_on_after(&mut self, error: &DriverError) -> bool {
        if error.effect != Effect::Raced || self.0 >= RACES_MAX {
            return false;
        }
        self.0 += 1;
        tokio::time::sleep(RACE_PAUSE * self.0).await;
        true
    }
}

impl Driver for Postgres {
    fn verify(&self) -> Outcome<'_, ()> {
        Box::pin(self.bounded(async {
            let pooled = self.pool.get().await?;
            pooled
                .client
                .simple_query("SELECT 1")
                .await
                .map_err(|e| trouble::of(&e))?;
            pooled.keep();
            Ok(())
        }))
    }

    fn exists<'a>(&'a self, username: &'a str) -> Outcome<'a, bool> {
        Box::pin(self.bounded(async move {
            let pooled = self.pool.get().await?;
            let there = role_oid(&pooled.client, username).await?.is_some();
            pooled.keep();
            Ok(there)
        }))
    }

    fn create<'a>(&'a self, user: &'a NewUser, statements: &'a [String]) -> Outcome<'a, ()> {
        Box::pin(async move {
            let (sent, until) = (self.sent(&user.password), expiration(user.until));
            let values = Values {
                username: &user.username,
                password: Some(sent.expose()),
                expiration: Some(&until),
            };
            let sql = expand(statements, &values).map_err(DriverError::refused)?;
            if sql.is_empty() {
                return Err(DriverError::refused("empty creation statements"));
            }
            let work = self.transact(&user.username, &sql, Expected::Absent);
            let done = self.bounded(work).await;
            done.map_err(|e| {
                e.without(&user.password)
                    .without(&sent)
                    .while_trying("failed to execute query")
            })
        })
    }

    fn extend<'a>(
        &'a self,
        username: &'a str,
        until: Timestamp,
        statements: &'a [String],
    ) -> Outcome<'a, ()> {
        Box::pin(self.bounded(async move {
            let until = expiration(until);
            let values = Values {
                username,
                password: None,
                expiration: Some(&until),
            };
            let sql = expand_or(statements, EXTEND, &values)?;
            self.transact(username, &sql, Expected::Present).await
        }))
    }

    fn revoke<'a>(&'a self, username: &'a str, statements: &'a [String]) -> Outcome<'a, ()> {
        Box::pin(self.bounded(async move {
            let values = Values {
                username,
                ..Values::default()
            };
            let sql = expand(statements, &values).map_err(DriverError::refused)?;
            match sql.is_empty() {
                true => self.drop_role(username).await,
                false => self.revoke_by(username, &sql).await,
            }
        }))
    }

    fn roll_back<'a>(&'a self, username: &'a str, statements: &'a [String]) -> Outcome<'a, ()> {
        Box::pin(self.bounded(async move {
            let values = Values {
                username,
                ..Values::default()
            };
            let sql = expand(statements, &values).map_err(DriverError::refused)?;
            self.transact(username, &sql, Expected::Either).await
        }))
    }

    fn set_password<'a>(
        &'a self,
        username: &'a str,
        password: &'a Secret<String>,
        statements: &'a [String],
    ) -> Outcome<'a, ()> {
        Box::pin(async move {
            let sent = self.sent(password);
            let values = Values {
                username,
                password: Some(sent.expose()),
                expiration: None,
            };
            let sql = expand_or(statements, SET_PASSWORD, &values)?;
            let work = self.transact(username, &sql, Expected::Present);
            let done = self.bounded(work).await;
            done.map_err(|error| error.without(password).without(&sent))
        })
    }

    fn is_admin<'a>(&'a self, username: &'a str) -> Outcome<'a, bool> {
        Box::pin(self.bounded(async move {
            if self.pool.user() == username {
                return Ok(true);
            }
            let pooled = self.pool.get().await?;
            let admin = login::is_admin(&pooled.client, username).await?;
            pooled.keep();
            Ok(admin)
        }))
    }

    fn log_in<'a>(
        &'a self,
        username: &'a str,
        password: &'a Secret<String>,
    ) -> Outcome<'a, Verdict> {
        Box::pin(self.pool.try_as(username, password))
    }

    fn max_username_bytes(&self) -> usize {
        MAX_ROLE_NAME_BYTES
    }
}

fn expand_or(
    statements: &[String],
    default: &str,
    values: &Values<'_>,
) -> Result<Vec<Secret<String>>, DriverError> {
    let sql = expand(statements, values).map_err(DriverError::refused)?;
    match sql.is_empty() {
        true => expand(&[default.to_owned()], values).map_err(DriverError::refused),
        false => Ok(sql),
    }
}

/// To the microsecond, which is what PostgreSQL keeps: it refuses the login in the moment the lease ends.
fn expiration(until: Timestamp) -> String {
    match jiff::Timestamp::from_nanosecond(i128::from(until.nanos())) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S%.6f+0000").to_string(),
        Err(_) => "infinity".into(),
    }
}

/// A transaction that holds the lock on this user's name until it ends.
async fn begin<'c>(client: &'c mut Client, username: &str) -> Result<Transaction<'c>, DriverError> {
    let transaction = client.transaction().await.map_err(|e| trouble::of(&e))?;
    let [a, b, c, d, e, f, g, h, ..] = sha256(format!("coffer/{username}").as_bytes());
    let key = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
    simple(
        &transaction,
        &format!("SELECT pg_catalog.pg_advisory_xact_lock({key})"),
    )
    .await?;
    Ok(transaction)
}

async fn run(transaction: &Transaction<'_>, sql: &[Secret<String>]) -> Result<(), DriverError> {
    for statement in sql {
        simple(transaction, statement.expose()).await?;
    }
    Ok(())
}

async fn simple(transaction: &Transaction<'_>, sql: &str) -> Result<(), DriverError> {
    let done = transaction.batch_execute(sql).await;
    done.map_err(|error| trouble::of(&error))
}

async fn commit(transaction: Transaction<'_>) -> Result<(), DriverError> {
    transaction.commit().await.map_err(|e| trouble::of(&e))
}

fn missing(username: &str) -> DriverError {
    DriverError::refused(format!(
        "ERROR: role {username:?} does not exist (SQLSTATE 42704)"
    ))
}

/// The number behind a role's name, which outlives the name.
async fn role_oid(
    session: &impl GenericClient,
    username: &str,
) -> Result<Option<u32>, DriverError> {
    let name = literal(username);
    let ask = format!(
        "SELECT oid FROM pg_catalog.pg_roles WHERE rolname = {}",
        name.expose()
    );
    let rows = session.simple_query(&ask).await;
    let rows = rows.map_err(|error| trouble::of(&error))?;
    Ok(rows.iter().find_map(|row| match row {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    }))
}

/// Only a member of a role may end its sessions and give away what it owns. An admin without superuser rights makes itself one, which
/// ends with the role; where it may not, the statements after this tell more than a refusal here.
async fn join_role(transaction: &Transaction<'_>, role: &str) -> Result<(), DriverError> {
    let ask = "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper";
    let rows = transaction.simple_query(ask).await;
    let rows = rows.map_err(|error| trouble::of(&error))?;
    if rows
        .iter()
        .any(|row| matches!(row, SimpleQueryMessage::Row(_)))
    {
        return Ok(());
    }
    simple(transaction, "SAVEPOINT joining").await?;
    match simple(transaction, &format!("GRANT {role} TO CURRENT_USER")).await {
        Ok(()) => Ok(()),
        Err(_) => simple(transaction, "ROLLBACK TO SAVEPOINT joining").await,
    }
}

/// Ends what the role has open. Best effort: the role is refused from now on in any case.
async fn end_sessions(client: &Client, oid: u32) {
    let ask = format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
         WHERE usesysid = {oid} AND pid <> pg_catalog.pg_backend_pid()"
    );
    if let Err(error) = client.simple_query(&ask).await {
        tracing::warn!(
            error = trouble::text(&error),
            "open sessions of a revoked database user could not be ended"
        );
    }
}
