//! Names that somebody guesses the password of are locked out for a while.
//!
//! An auth method says whose password it is about to check ([`coffer_engine::Ctx::attempt`]). While the name is
//! locked out that is refused; else the [`Attempt`] is under way until the handler answered, and a failure is counted
//! before anybody is told of it. Names that nobody has are counted like the others, so that nobody learns which are
//! there. Below `sys/lockout/`, one record for each mount and name: `<mount accessor>/<code of the name>`.

mod book;
mod rules;

pub use book::{Attempt, Lockout};
pub use rules::Rules;
