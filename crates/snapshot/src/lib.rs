//! The file that a snapshot of the storage is.
//!
//! A gzip'd tar of four members, in this order: `meta.json`, `state.bin` (every entry), `SHA256SUMS` of
//! both, and `SHA256SUMS.sealed`, the sums once more, encrypted by the root key of the cluster that made
//! them. It is the layout that raft snapshots of Vault and OpenBao have, so that their tools carry ours
//! about; byte by byte it is in `docs/storage-format.md`.
//!
//! [`Writer`] and [`read`] hold one entry at a time. What was read is to be trusted only once [`read`]
//! has returned: whatever is cut off or changed is found at the latest then.

mod entry;
mod error;
mod meta;
mod reader;
mod sums;
mod tar;
mod writer;

pub use error::{Damage, Error};
pub use meta::{FORMAT, Meta};
pub use reader::{Entries, Read, read};
pub use writer::{Tally, Writer};

/// Longest path of an entry, in bytes.
pub const MAX_PATH_BYTES: usize = 4 * 1024;

/// Largest value of an entry, in bytes.
pub const MAX_VALUE_BYTES: usize = 64 * 1024 * 1024;

/// What the sums are sealed as: the associated data of their encryption.
pub const SEAL_DOMAIN: &[u8] = b"coffer.snapshot.v1";
