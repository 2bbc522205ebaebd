//! What can be wrong with a policy.

use thiserror::Error;

/// Why a policy can not be parsed, written, deleted or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a policy; says where and what to do.
    #[error("failed to parse policy: {0}")]
    Syntax(#[from] coffer_hcl::Error),
    /// The name can not be a policy's.
    #[error("{0:?} can not be a policy name: {1}")]
    Name(String, &'static str),
    /// The policy belongs to the server.
    #[error("the policy {name:?} can not be {action}; it is built in")]
    Protected {
        /// Its name.
        name: String,
        /// `changed` or `deleted`.
        action: &'static str,
    },
    /// The policy was written by somebody else since the caller read it, or the caller must say what was read.
    #[error("check-and-set failed: {0}")]
    CheckAndSet(String),
    /// The policy would be over before it begins.
    #[error("the policy's expiration has already passed; give a time in the future or none")]
    Expired,
    /// There is none to be changed.
    #[error("policy not found")]
    Missing,
    /// All that was asked for is too much for one answer.
    #[error(
        "these policies are longer than one answer may be; list their names and read them one by one"
    )]
    TooMuch,
    /// Storage failed.
    #[error(transparent)]
    Barrier(#[from] coffer_barrier::Error),
    /// The write was broken off, because the server stops.
    #[error("the server is stopping; try again")]
    Stopping,
}
