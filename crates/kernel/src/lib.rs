//! The request pipeline, mounts, tokens, policies, leases, audit and the seal life-cycle.
//!
//! Read [`pipeline`] first: it is the straight line of every request. [`grant`] holds the proofs that
//! make its order a matter of types, [`core`] and [`open`] the parts that are there while the barrier is open. The
//! kernel knows no HTTP and no engine by name: engines come from the registry in [`settings`].

pub mod activity;
pub mod audit;
pub mod authority;
pub mod clock;
pub mod control;
pub mod core;
pub mod cors;
pub mod due;
pub mod events;
mod filter;
pub mod grant;
pub mod group_policies;
mod help;
pub mod identity;
pub mod kernel;
pub mod leases;
pub mod lifecycle;
pub mod lockout;
pub mod mounts;
pub mod namespaces;
pub mod observe;
pub mod open;
pub mod password_book;
pub mod passwords;
pub mod pipeline;
pub mod policy;
pub mod quotas;
mod recent;
mod record;
pub mod request;
pub mod script;
pub mod seals;
pub mod settings;
pub mod signals;
mod snapshot;
mod sys;
mod ticks;
pub mod tokens;
pub mod ui_headers;
pub mod workflows;
mod wrapping;

pub use clock::Clock;
pub use kernel::{Kernel, State};
pub use request::{Refusal, Request, Response};
pub use settings::Settings;
