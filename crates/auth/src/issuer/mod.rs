//! Issuers of signed tokens: where their keys come from, and what their tokens say.
//!
//! For every method that is shown tokens of somebody else. [`Issuers`] is a mount's memory of keys: it asks a provider
//! seldom, once for many, and never because a stranger wished it often. [`Claims`] are what a token says after its
//! signature was verified, and can not be had before.

mod claims;
mod facts;
mod memory;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use claims::{Claims, Leeways};
pub(crate) use facts::Facts;
pub(crate) use memory::{Issuers, Unverified};
pub(crate) use source::{Place, Source, Unreadable};
