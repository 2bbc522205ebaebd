//! What can go wrong in a store.

use std::path::PathBuf;
use std::sync::Arc;

/// Why a store did not do what was asked.
///
/// It can be cloned because one failed commit is the answer to everybody who shared it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A check of the batch does not hold: somebody else changed the path. Nothing was written.
    #[error("'{path}' was changed by somebody else: read it again and retry")]
    Conflict {
        /// The path whose check failed.
        path: String,
    },

    /// No room left on the disk. Nothing was written; reads and deletions go on.
    #[error(
        "no space left for the store: free some space on its disk, writing then goes on by itself"
    )]
    Full,

    /// The stored data is not what was written.
    #[error("the store is damaged: {what}; {next}")]
    Damaged {
        /// What is wrong, naming the file.
        what: String,
        /// What to do next.
        next: &'static str,
    },

    /// Written by a newer version of this program.
    #[error(
        "the store has format {found} but this version reads up to {newest}: use the newer version of the program that wrote it"
    )]
    Newer {
        /// Format number found in the store.
        found: u64,
        /// Highest format number that this version knows.
        newest: u64,
    },

    /// Another process or another handle of this one has the store open.
    #[error("the store in '{}' is in use by another process: stop that one first", dir.display())]
    Locked {
        /// The store's directory.
        dir: PathBuf,
    },

    /// A path or prefix that no store takes.
    #[error("{what}")]
    Invalid {
        /// The rule that was broken.
        what: &'static str,
    },

    /// Over one of the limits of this crate.
    #[error("too large: {size} {what}, the limit is {limit}")]
    TooLarge {
        /// What was counted, with its unit.
        what: &'static str,
        /// How much there was.
        size: usize,
        /// How much there may be.
        limit: usize,
    },

    /// The disk, or the engine above it, failed.
    ///
    /// For a commit this means that the batch happened as a whole or not at all, but not which.
    #[error("{doing} failed: {source}")]
    Io {
        /// What was being done, and for lasting failures what to do next.
        doing: &'static str,
        /// The failure underneath.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },

    /// The batch was made for entries that were replaced by others meanwhile. Nothing was written.
    #[error(
        "everything in the store was replaced meanwhile: read again what the write was based on"
    )]
    Replaced,

    /// A replacement of everything is under way.
    #[error("everything in the store is being replaced already: wait until that has ended")]
    Busy,

    /// A replacement shall take its place before it was completed.
    #[error("the replacement is not complete: complete it first")]
    Incomplete,

    /// This backend can not do it.
    #[error("{what} is not supported by this kind of storage")]
    Unsupported {
        /// What can not be done.
        what: &'static str,
    },

    /// The store was closed.
    #[error("the store is closed: open it again")]
    Closed,
}

impl Error {
    /// Reading or replacing a store as a whole, where it can not.
    pub const UNSUPPORTED: Self = Self::Unsupported {
        what: "reading or replacing everything at once",
    };

    /// A failure of the file system or the engine while `doing` something.
    pub(crate) fn io(
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Io {
            doing,
            source: Arc::from(source.into()),
        }
    }
}
