//! What of a line a device gets.
//!
//! | file | what it holds |
//! |---|---|
//! | `route` | which lines a device gets |
//! | `exclude` | which parts of a line it does not get |
//!
//! The language of conditions is in [`crate::filter`].

mod exclude;
mod route;

pub(super) use exclude::Exclude;
pub(super) use route::{Filter, Route, Subject};
