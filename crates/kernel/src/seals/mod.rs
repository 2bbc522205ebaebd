//! Keepers of the root key outside of the store: who they are, whether they answer, and what they have wrapped.
//!
//! The configuration names seals ([`SealStanza`]); the store has a copy of the root key for each that was added. Any one
//! whose keeper answers opens the server ([`opener`]). What was configured and what is stored together make the
//! [`Situation`]: it says how the server opens, or which move from one seal to another is wanted.
//!
//! Every change is one write, made after the new copies were opened once, so at no moment there is no way to open the
//! store. See `docs/decisions/0019-seals.md`.

mod asked;
mod book;
mod change;
mod health;
mod keeping;
mod migration;
mod opener;
mod outlook;
mod prober;
mod situation;
mod stanza;

pub use book::SealBook;
pub use health::Health;
pub use stanza::SealStanza;

pub(crate) use keeping::Keeping;
pub(crate) use outlook::names;
pub(crate) use situation::{Situation, is_of};
