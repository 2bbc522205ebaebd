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
//! | `options`, `place` | what an operator may ask of a device, and where it may write |
//! | `file` | the thread that appends lines |
//! | `device`, `devices` | one device, and the table of all |
//!
//! Secrets are hashed with a key of the device's own: every leaf of request and response data,
//! tokens, accessors. Readable are: paths, keys of data, names (display names, policies, mounts,
//! entities, metadata of logins), addresses, times, TTLs, lease ids, warnings, and the class of an
//! error. `hash` lists the exceptions within data.

mod device;
mod devices;
mod entry;
mod file;
mod hash;
mod headers;
mod line;
mod options;
mod place;
mod schema;
#[cfg(test)]
mod tests;

pub use devices::{DeviceInfo, Devices, NewDevice};
pub use entry::{
    GrantingPolicy, HeaderFacts, MountFacts, NamespaceFacts, PolicyResults, RequestFacts,
    ResponseFacts, TokenFacts,
};
pub use headers::{AuditedHeaders, HeaderSetting};
pub use place::Allow;
