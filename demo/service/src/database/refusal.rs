use std::error::Error as _;
use std::fmt;

use tokio_postgres::error::SqlState;

/// Why a query had no answer.
pub struct Refusal(tokio_postgres::Error);

impl Refusal {
    /// Whether the database does not let this user do what it could do before: it was revoked. A connection that was merely
    /// ended says so at the next login.
    pub fn is_about_the_user(&self) -> bool {
        let about_users = [
            SqlState::INVALID_PASSWORD,
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::UNDEFINED_OBJECT,
        ];
        self.0.code().is_some_and(|code| about_users.contains(code))
    }
}

impl From<tokio_postgres::Error> for Refusal {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Refusal {
    /// The database's own words where it has some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_db_error(), self.0.source()) {
            (Some(said), _) => write!(f, "PostgreSQL: {}", said.message()),
            (None, Some(cause)) => write!(f, "PostgreSQL: {cause}"),
            (None, None) => write!(f, "PostgreSQL: {}", self.0),
        }
    }
}
