//! What can go wrong behind the barrier.

use thiserror::Error;

/// Why something could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The key ring is gone.
    #[error("the barrier is sealed")]
    Sealed,
    /// The keys of this part of the store are gone, those of the whole are there.
    #[error("this part of the barrier is sealed")]
    PartSealed,
    /// Somebody else changed what the write was based on. Nothing was written.
    #[error("the record was changed by somebody else")]
    Conflict,
    /// The key does not open what is stored.
    #[error("the key does not open the stored root key")]
    WrongKey,
    /// Nothing was ever initialised here.
    #[error("the barrier is not initialised")]
    Uninitialised,
    /// It was initialised before.
    #[error("the barrier is already initialised")]
    Initialised,
    /// A stored record can not be decrypted or read.
    #[error("the stored record {path:?} is damaged: {what}")]
    Damaged {
        /// Where it is kept.
        path: String,
        /// What is wrong; nothing of its content.
        what: String,
    },
    /// Shares or their counts are not acceptable; the text is for the operator.
    #[error("{0}")]
    Shares(String),
    /// The record is larger than its kind may be.
    #[error(
        "too large to be kept: {size} bytes, the limit is {limit}; give fewer or shorter values"
    )]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most its kind may have.
        limit: usize,
    },
    /// The path holds key material, which is not touched by hand.
    #[error("cannot access {0:?}")]
    Protected(String),
    /// A cipher refused to work.
    #[error(transparent)]
    Crypto(#[from] coffer_crypto::Error),
    /// The store failed.
    #[error(transparent)]
    Storage(coffer_storage::Error),
}

impl From<coffer_storage::Error> for Error {
    fn from(error: coffer_storage::Error) -> Self {
        match error {
            coffer_storage::Error::Conflict { .. } => Self::Conflict,
            // Whoever wrote this began before a restore, which seals.
            coffer_storage::Error::Replaced => Self::Sealed,
            other => Self::Storage(other),
        }
    }
}
