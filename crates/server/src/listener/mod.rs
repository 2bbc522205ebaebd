//! Where connections come in: sockets, TLS, time limits, and how they end.

mod accept;
mod any_client;
mod bind;
mod lengths;
mod pace;
mod sending;
mod tls;
mod unix;
mod validity;

pub(crate) use accept::{Limits, Listening, run};
pub(crate) use bind::{Bound, bind};
pub(crate) use tls::Certificates;
pub(crate) use validity::validity;
