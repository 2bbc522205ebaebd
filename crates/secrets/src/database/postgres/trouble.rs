//! PostgreSQL's and the network's complaints in words.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::database::driver::{DriverError, Effect};

/// The complaint of a statement: the server's refusals leave nothing behind, a lost connection may.
pub(super) fn of(error: &Error) -> DriverError {
    let effect = match error.as_db_error() {
        Some(refusal) if *refusal.code() == SqlState::DUPLICATE_OBJECT => Effect::Taken,
        // The server went away in the middle; whether a commit was done nobody knows.
        Some(refusal) if refusal.code().code().starts_with("57P") => Effect::Unknown,
        Some(refusal) if lost_a_race(refusal.code()) => Effect::Raced,
        Some(_) => Effect::None,
        None => Effect::Unknown,
    };
    DriverError {
        text: text(error),
        effect,
    }
}

/// Whether the server broke a transaction off because of another one: a deadlock or a serialisation
/// failure (class 40), or two changes of one object's privileges, for which its catalogue has no better
/// name than "internal error" (`tuple concurrently updated`).
fn lost_a_race(code: &SqlState) -> bool {
    code.code().starts_with("40") || *code == SqlState::INTERNAL_ERROR
}

/// In the reference's form: `ERROR: role "a" does not exist (SQLSTATE 42704)`.
pub(super) fn text(error: &Error) -> String {
    let Some(refusal) = error.as_db_error() else {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        return text;
    };
    let (severity, code) = (refusal.severity(), refusal.code());
    let mut text = format!(
        "{severity}: {} (SQLSTATE {})",
        refusal.message(),
        code.code()
    );
    // Here the detail is what tells the operator what to revoke; it names objects and no values.
    if *code == SqlState::DEPENDENT_OBJECTS_STILL_EXIST
        && let Some(detail) = refusal.detail()
    {
        text.push_str("; ");
        text.push_str(&detail.replace('\n', ", "));
    }
    text
}
