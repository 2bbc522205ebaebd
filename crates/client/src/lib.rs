//! Typed async client of the HTTP API that Coffer shares with Vault and OpenBao.
//!
//! ```no_run
//! # async fn example() -> Result<(), coffer_client::Error> {
//! use coffer_client::Client;
//!
//! // Address, token, namespace and TLS from COFFER_*, else BAO_*, else VAULT_* variables.
//! let client = Client::builder_from_env()?.build()?;
//! client.kv2("secret").put("app", &serde_json::json!({ "user": "alice" })).await?;
//! let answer = client.read("database/creds/app-role", &[]).await?;
//! # Ok(()) }
//! ```
//!
//! Five layers, each usable alone:
//! - [`Client::send`]: one [`Request`] to one [`Response`], with retries, redirects and size limits;
//! - [`Client::read`], [`Client::write`], [`Client::list`], [`Client::patch`], [`Client::delete`]: any path, answering the
//!   whole envelope as a [`Secret`];
//! - [`envelope::Keepers`]: encrypting files of any size with a key of Coffer's KMS, its transit or AWS KMS;
//! - [`Client::events`]: what happens on the server, as it happens, across broken connections;
//! - [`Client::lease`]: a database credential or another secret with a lease that never runs out under its user;
//! - [`Client::sys`], [`Client::tokens`], [`Client::kv1`], [`Client::kv2`], [`Renewer`]: typed.
//!
//! The process must have installed a TLS provider before the first client is built
//! (`rustls::crypto::aws_lc_rs::default_provider().install_default()`); building fails with a clear error otherwise.

mod access_keys;
mod builder;
mod client;
pub mod envelope;
mod error;
pub mod events;
mod kv;
mod lease;
pub mod machine;
mod nullable;
mod rehearsal;
mod renewer;
mod request;
mod response;
mod retry;
pub mod sys;
mod term;
mod tls;
mod token;
mod tokens;
mod transport;

#[cfg(test)]
mod responder;

pub use access_keys::{AccessKeyCreate, AccessKeys};
pub use builder::{ClientBuilder, DEFAULT_ADDRESS, variable, variable_in_use};
pub use client::Client;
pub use error::Error;
pub use kv::{Kv1, Kv2, Kv2Options, Kv2Versions};
pub use lease::{Credential, LeaseBuilder, LeaseKeeper, LeaseNews};
pub use rehearsal::Rehearsed;
pub use renewer::{Renewal, Renewer};
pub use request::{Method, Request};
pub use response::{Auth, MAX_RESPONSE_BYTES, Response, Secret, WrapInfo};
pub use token::Token;
pub use tokens::{TokenCreate, Tokens};
pub use transport::Download;
