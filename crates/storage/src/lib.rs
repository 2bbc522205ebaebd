//! Bytes at slash-separated paths: the [`Store`] trait, its backends and their conformance suite.
//!
//! A store knows nothing of encryption, mounts or requests. It promises three things, and every
//! backend proves them with [`conformance`]: what was acknowledged is durable, a [`Batch`] happens
//! as a whole or not at all, and keys come in byte order.
//!
//! ```
//! use coffer_storage::{Batch, Error, Memory, Store};
//!
//! # async fn example() -> Result<(), Error> {
//! let store = Memory::new();
//! store.put("app/name", b"coffer".to_vec()).await?;
//!
//! // Changes the name only if nobody else did, and remembers the old one in the same step.
//! let batch = Batch::new()
//!     .expect("app/name", Some(b"coffer".to_vec()))
//!     .put("app/name", b"chest".to_vec())
//!     .put("app/former", b"coffer".to_vec());
//! store.commit(batch).await?;
//! assert_eq!(store.list("app/", None, 10).await?, ["former", "name"]);
//! # Ok(())
//! # }
//! ```

mod batch;
pub mod conformance;
mod embedded;
mod error;
mod listing;
mod memory;
mod store;
mod whole;

pub use batch::{Batch, Check, Write};
pub use embedded::Embedded;
pub use error::Error;
pub use memory::Memory;
pub use store::{Answer, Store};
pub use whole::{Entries, FROZEN_PAGE_BYTES, FROZEN_PAGE_ENTRIES, Frozen, Replacement};

/// Longest path, in bytes of UTF-8.
pub const MAX_PATH_BYTES: usize = 4 * 1024;

/// Largest value, in bytes.
pub const MAX_VALUE_BYTES: usize = 64 * 1024 * 1024;

/// Most writes, and separately most checks, in one batch.
pub const MAX_BATCH_WRITES: usize = 4 * 1024;

/// Most bytes of paths and values in one batch, checks included.
pub const MAX_BATCH_BYTES: usize = 192 * 1024 * 1024;

/// Most entries that one `list` or `scan` may ask for.
pub const MAX_PAGE: usize = 10_000;

/// A `scan` page ends early once its values reach this many bytes (it always holds one entry).
pub const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;
