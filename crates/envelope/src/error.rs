use std::io;

/// What can go wrong with an envelope. Texts are safe to show: none holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not begin as envelopes do.
    #[error("this is not an envelope: it does not begin with the mark of one")]
    NoEnvelope,
    /// A later version of the format.
    #[error(
        "the envelope has format version {0}, which this program does not know: use a newer release"
    )]
    Version(u8),
    /// A suite or chunk length that does not exist.
    #[error("the head of the envelope is damaged: {0}")]
    Head(&'static str),
    /// Neither of the two copies of the wrapped keys can be read.
    #[error("the wrapped keys of the envelope are damaged: restore the file from a backup")]
    Keys,
    /// What was to be written into the head is beyond its bounds.
    #[error("{what} is too much for an envelope: at most {most}")]
    TooMuch {
        /// What it is.
        what: &'static str,
        /// How much there may be.
        most: usize,
    },
    /// The wrapped keys do not fit into the room that the file has for them.
    #[error(
        "the wrapped keys need {needed} bytes and the file has room for {room}: write the envelope anew"
    )]
    NoRoom {
        /// Bytes that are needed.
        needed: usize,
        /// Bytes there are.
        room: usize,
    },
    /// The data key does not belong to this envelope, or its head or context was altered.
    #[error("the data key does not belong to this envelope, or its head or context was altered")]
    WrongKey,
    /// A chunk does not decrypt: altered, moved, left out or of another object.
    #[error("chunk {0} was altered, moved or taken from elsewhere; what came before it was whole")]
    Altered(u64),
    /// The stream ends in the middle, or its last chunk was altered, which looks the same.
    #[error("the envelope was cut off or altered at its end, in chunk {0}")]
    Truncated(u64),
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}
