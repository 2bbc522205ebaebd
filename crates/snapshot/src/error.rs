//! Why a snapshot can not be read.

use std::io;

/// What stops the reading of a snapshot; `E` is what the taker of its entries may answer.
#[derive(Debug, thiserror::Error)]
pub enum Error<E> {
    /// It is not what was written.
    #[error("the snapshot is damaged: {0}")]
    Damaged(Damage),
    /// It was made by another kind of server.
    #[error(
        "this is a snapshot of another kind of server; only snapshots made by Coffer can be read"
    )]
    Foreign,
    /// A newer version made it.
    #[error("the snapshot has format {found}, this version reads up to {newest}: use a newer one")]
    Newer {
        /// Its format.
        found: u64,
        /// The newest known one.
        newest: u64,
    },
    /// It could not be received.
    #[error("reading the snapshot failed: {0}")]
    Io(io::Error),
    /// Who takes the entries refused one.
    #[error(transparent)]
    Taker(E),
}

/// What is wrong with a snapshot.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It ends too early.
    #[error("it ends too early, take it again")]
    Short,
    /// It is not compressed, or the compression's own checks failed.
    #[error("it is not a gzip file, or can not be decompressed")]
    Compression,
    /// Something follows its end.
    #[error("something follows its end")]
    Trailing,
    /// A member's header is wrong.
    #[error("a header in the archive is wrong")]
    Header,
    /// Another member was expected.
    #[error("{expected} is not where it has to be")]
    Member {
        /// Which one.
        expected: &'static str,
    },
    /// A member is larger than it may be.
    #[error("{member} is larger than it may be")]
    Large {
        /// Which one.
        member: &'static str,
    },
    /// The description can not be read.
    #[error("meta.json can not be read")]
    Meta,
    /// An entry can not be read.
    #[error("entry {number} can not be read")]
    Entry {
        /// Counted from 1.
        number: u64,
    },
    /// There are more or fewer entries than there were.
    #[error("it holds {found} entries of {expected}")]
    Count {
        /// How many there are.
        found: u64,
        /// How many there were.
        expected: u64,
    },
    /// The digests differ.
    #[error("its digests and its content differ")]
    Sums,
}

impl<E> From<Damage> for Error<E> {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}
