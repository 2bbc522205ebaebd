//! Audit: who asked for what, and what was answered.
//!
//! Each request is told to every enabled device twice: before it is carried out
//! ([`Devices::record_request`]) and before its answer goes out ([`Devices::record_response`]). If
//! devices are enabled and none of them can record, the request is refused. Nothing is formatted
//! while no device is enabled.
//!
//! | file | what it holds |
//! |---|---|
//! | `entry` | what the pipeline tells |
//! | `line`, `schema` | how a line looks |
//! | `headers` | which request headers are told |
//! | `hash` | what stands in it instead of secrets |
//! | `options`, `target`, `place` | what an operator may ask of a device, and what it may reach |
//! | `filter` | which lines a device gets, and which parts of them |
//! | `chain` | what binds each line to the one before, and checking it |
//! | `queue`, `health` | the bounded queue before a device, and how the device is doing |
//! | `writer` | the thread that takes lines from the queue |
//! | `file`, `socket`, `syslog`, `connection` | where it puts them |
//! | `http` | the task that posts them |
//! | `tail` | who follows a device's lines |
//! | `device`, `devices`, `deliver`, `table` | one device, all of them, who is waited for, what is stored |
//!
//! Secrets are hashed with a key of the device's own: every leaf of request and response data,
//! tokens, accessors. Readable are: paths, keys of data, names (display names, policies, mounts,
//! entities, metadata of logins), addresses, times, TTLs, lease ids, warnings, and the class of an
//! error. `hash` lists the exceptions within data.

pub mod chain;
mod connection;
mod deliver;
mod device;
mod devices;
mod entry;
mod file;
mod filter;
mod hash;
mod headers;
mod health;
mod http;
mod line;
mod options;
mod place;
mod queue;
mod schema;
mod socket;
mod syslog;
mod table;
mod tail;
mod target;
#[cfg(test)]
mod tests;
mod writer;

pub use devices::{Devices, NewDevice};
pub use entry::{
    GrantingPolicy, HeaderFacts, MountFacts, NamespaceFacts, PolicyResults, RequestFacts,
    ResponseFacts, TokenFacts,
};
pub use headers::{AuditedHeaders, HeaderSetting};
pub use health::DeviceState;
pub use http::{HttpOutlet, HttpSender, HttpTarget, Posting};
pub use place::Allow;
pub use table::DeviceInfo;
pub use tail::Followed;
