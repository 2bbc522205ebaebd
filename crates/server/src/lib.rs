//! The HTTP edge: listeners, TLS, configuration and the registry of engines.
//!
//! [`run`] is the whole life of a server: read the configuration, open the store, listen, serve, stop in order.

mod args;
mod banner;
pub mod config;
mod dev;
pub mod diagnose;
mod environment;
mod error;
mod http;
mod listener;
mod log;
mod measured;
mod outbound;
mod poster;
pub mod registry;
mod sanitized;
mod seals;
mod server;
mod signals;
mod traces;
mod unserved;

/// Checking audit logs against their chains: what the command line shows of the kernel.
pub mod audit_chain {
    pub use coffer_kernel::audit::chain::{
        Beginning, ChainKey, Head, Misspelt, ProblemKind, Report, Verifier,
    };
}

pub use args::{Dev, ServerArgs};
pub use error::Error;
pub use server::{Server, run};
