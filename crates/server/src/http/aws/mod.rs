//! The protocol of AWS KMS: JSON 1.1 over HTTP, signed by Signature Version 4.
//!
//! A request of it becomes an ordinary request for a path of a `kms` mount, with the signature in the place of a token, and goes
//! the same way as all others: policy, audit, quotas and metrics know no AWS. What comes back is told in AWS's words.
//!
//! | file | what it holds |
//! |---|---|
//! | `door` | which requests are in this protocol, and for which mount |
//! | `operation` | the operations and their paths: one row each |
//! | `name` | how the protocol names keys and aliases |
//! | `request`, `members` | a signed request with its members as one with fields |
//! | `answer`, `exception` | what goes back |

mod answer;
mod door;
mod exception;
mod members;
mod name;
mod operation;
mod request;
#[cfg(test)]
mod tests;

pub(super) use answer::answered;
pub(super) use door::{Door, Place};
pub(super) use exception::Exception;
pub(super) use request::Signed;

/// Largest body of a request, in bytes: the longest that any operation needs is a few dozen thousand.
pub(super) const MAX_BODY_BYTES: u64 = 256 * 1024;
