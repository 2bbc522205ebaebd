//! Requests that are written down and run one after the other: the stanzas `initialize` of the configuration, and
//! workflows.
//!
//! A [`Script`] is read from text once, with everything that can be known before it runs: names, operations, and that
//! whatever refers to an earlier request finds one. [`run`] sends each request down the straight line that every
//! other request goes (policy, audit, handler), with the rights of a token; there is no door beside it.

mod budget;
mod convert;
mod expression;
mod history;
mod input;
mod parse;
mod run;
mod step;
mod template;

#[cfg(test)]
mod tests;

pub use expression::Dialect;
pub use parse::{MAX_TEXT_BYTES, Script};
pub(crate) use run::{Ended, Errand, run};
pub use step::{Block, MAX_REQUESTS, Step};
