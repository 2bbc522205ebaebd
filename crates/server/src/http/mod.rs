//! HTTP: bytes from a connection become a [`coffer_kernel::Request`], its answer becomes bytes.

mod address;
mod aws;
mod body;
mod certificate;
mod cors;
mod doors;
mod edge;
mod envelope;
mod events;
mod headers;
mod outgoing;
mod peer;
mod redact;
mod request;
mod response;
mod status;
mod ui;
mod watch;

pub(crate) use edge::Edge;
pub(crate) use events::Connection;
pub(crate) use outgoing::{BrokeOff, Outgoing};
pub(crate) use peer::Peer;
pub(crate) use watch::Watch;
