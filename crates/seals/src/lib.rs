//! Who keeps the root key of a server that opens by itself: one module for each keeper.
//!
//! [`build`] makes a keeper of a `seal` stanza. From then on it is a [`coffer_barrier::Wrapper`]: it wraps a few bytes and
//! unwraps them again, or says in fixed words why not. What is true of all:
//!
//! - **Nobody is asked while a keeper is built**; what a stanza says is checked, files of keys are read. A server starts while
//!   its keeper is away.
//! - **Requests go out by `engine::outbound`** alone: bounded time and answers, no redirect followed, TLS verified.
//! - **An answer is a stranger's.** It is read as such, and nothing of it comes to stand in an error or the log but words of
//!   a known list.
//! - **Variables of the environment beat the stanza**, as the documents of Vault and OpenBao have it.

mod awskms;
mod azurekeyvault;
mod bearer;
mod build;
mod exchange;
mod fresh;
mod gcpckms;
mod pkcs11;
mod source;
mod stanza;
mod static_key;
#[cfg(test)]
mod testing;
mod transit;

pub use build::{BuildError, KINDS, build};
