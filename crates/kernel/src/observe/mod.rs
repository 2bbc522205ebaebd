//! What operators see of a running server: metrics, requests in flight, the host, the log.
//!
//! [`Meters`] is everything that is measured; it is a part of [`crate::Settings`] and costs a request a few
//! atomic additions. What would need counting (tokens, leases) is kept up to date by the change itself and counted
//! anew in the background, page by page ([`census`]). The log is the server's: it comes in as [`Logs`].

mod by_mount;
mod catalogue;
pub(crate) mod census;
mod flight;
mod gauges;
pub(crate) mod host;
mod lifetimes;
mod logs;
mod meters;
mod process;
mod routes;
mod scrape;
mod tally;

pub use catalogue::{
    AuditMeters, CoreMeters, DeviceMeters, EventMeters, LeaseMeters, PolicyMeters, Recorded,
    SealMeters, TokenMeters,
};
pub(crate) use flight::note;
pub use flight::{Flight, InFlight, Noted, Running};
pub(crate) use gauges::{of_any_state, refresh};
pub use logs::{Level, Lines, LogFormat, Logs, NoLogs};
pub(crate) use meters::{LeaseCreated, TokenCreated};
pub use meters::{Meters, Telemetry};
pub use routes::RouteMeters;
