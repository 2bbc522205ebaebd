//! Logins of others, which are tried and not used.

use std::time::Duration;

use coffer_crypto::Secret;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use super::pool::Pool;
use super::trouble;
use crate::database::driver::{DriverError, Verdict};
use crate::database::quoting::literal;

/// How long one attempt may take, in seconds.
const LOGIN_SECS: u64 = 10;

/// Whether the user can change other users, or is held back by no privilege: it, or a role that it is a member of.
pub(super) async fn is_admin(client: &Client, username: &str) -> Result<bool, DriverError> {
    let name = literal(username);
    let ask = format!(
        "SELECT 1 FROM pg_catalog.pg_roles u JOIN pg_catalog.pg_roles r ON pg_catalog.pg_has_role(u.oid, r.oid, 'MEMBER') \
         WHERE u.rolname = {} AND (r.rolsuper OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls \
         OR r.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')) LIMIT 1",
        name.expose()
    );
    let rows = client.simple_query(&ask).await;
    let rows = rows.map_err(|error| trouble::of(&error))?;
    Ok(rows
        .iter()
        .any(|row| matches!(row, SimpleQueryMessage::Row(_))))
}

impl Pool {
    /// Logs in with these two in place of what is configured, however the connection string names them.
    pub(super) async fn try_as(
        &self,
        username: &str,
        password: &Secret<String>,
    ) -> Result<Verdict, DriverError> {
        let work = self.connect_as(username, password);
        match timeout(Duration::from_secs(LOGIN_SECS), work).await {
            Ok(Ok(_closed)) => Ok(Verdict::Accepted),
            Ok(Err(error)) => verdict(&error),
            Err(_) => Err(unknown()),
        }
    }
}

fn verdict(error: &Error) -> Result<Verdict, DriverError> {
    let code = error
        .as_db_error()
        .map(tokio_postgres::error::DbError::code);
    // The database's own words name hosts, databases and rules of the server.
    let why = match code {
        Some(code) if *code == SqlState::INVALID_PASSWORD => {
            "the password is wrong or over, or there is no such user"
        }
        Some(code) if code.code().starts_with("28") => "this user may not log in",
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            "this user may not use the configured database"
        }
        _ => return Err(unknown()),
    };
    let code = code.map(SqlState::code).unwrap_or_default();
    Ok(Verdict::Refused(format!(
        "the database refuses this login: {why} (SQLSTATE {code})"
    )))
}

fn unknown() -> DriverError {
    DriverError::unreachable(
        "the database neither accepted nor refused the login: it can not be reached, or has no room for another connection",
    )
}
