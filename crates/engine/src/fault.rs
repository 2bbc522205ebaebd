//! What can go wrong while answering, in terms of whose fault it is.

use std::error::Error;
use std::fmt;

use coffer_barrier as barrier;
use coffer_crypto as crypto;
use coffer_storage as storage;

use crate::Reply;

/// Why a request has no answer. The HTTP edge holds the table from here to status codes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The request is wrong; the text says what, where and what to do.
    Invalid(String),
    /// Nothing is there.
    NotFound,
    /// Nothing is there, and the text says what was looked for.
    Missing(String),
    /// Nothing is there, but the answer tells about it (a deleted version's metadata).
    Gone(Box<Reply>),
    /// What was asked for was there and is gone for good; the text says what to do.
    Expired(String),
    /// No such path in this mount.
    UnsupportedPath,
    /// The path exists, the verb does not.
    UnsupportedVerb,
    /// Policy, a missing token or a bound address says no.
    Denied,
    /// Refused with a reason that the caller may know.
    Forbidden(String),
    /// Another request changed the same thing at the same time.
    Conflict(String),
    /// The body or a list is too large.
    TooLarge(String),
    /// Too many requests.
    TooMany(String),
    /// Not now: something that is needed can not be reached or is full. The text is for the client.
    Unavailable(String),
    /// An outside system (a database, a directory) refused or failed. The text is for the client.
    Upstream(String),
    /// The server is sealed.
    Sealed,
    /// Our fault. The source goes to the log, the client sees one fixed phrase and the request id.
    Internal(Box<dyn Error + Send + Sync>),
}

impl Fault {
    /// The client's mistake, in words for the client.
    pub fn invalid(text: impl fmt::Display) -> Self {
        Self::Invalid(text.to_string())
    }

    /// Our fault; `source` is logged and never shown.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// An outside system's failure, in words for the client.
    pub fn upstream(text: impl fmt::Display) -> Self {
        Self::Upstream(text.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(text)
            | Self::Missing(text)
            | Self::Expired(text)
            | Self::Forbidden(text)
            | Self::Conflict(text)
            | Self::TooLarge(text)
            | Self::TooMany(text)
            | Self::Unavailable(text)
            | Self::Upstream(text) => f.write_str(text),
            Self::NotFound | Self::Gone(_) => f.write_str("not found"),
            Self::UnsupportedPath => f.write_str("unsupported path"),
            Self::UnsupportedVerb => f.write_str("unsupported operation"),
            Self::Denied => f.write_str("permission denied"),
            Self::Sealed => f.write_str("Vault is sealed"),
            Self::Internal(source) => write!(f, "internal error: {source}"),
        }
    }
}

impl Error for Fault {}

impl From<barrier::Error> for Fault {
    fn from(error: barrier::Error) -> Self {
        match error {
            barrier::Error::Sealed => Self::Sealed,
            barrier::Error::PartSealed => Self::Unavailable("namespace is sealed".into()),
            barrier::Error::Conflict => Self::Conflict("the same thing was changed by another request; try again".into()),
            barrier::Error::Storage(storage::Error::Full) => Self::Unavailable(
                "the storage is full, so nothing can be written; free space on the server (reads, deletions and revocations go on)".into(),
            ),
            barrier::Error::Storage(error @ storage::Error::TooLarge { .. }) => Self::TooLarge(error.to_string()),
            error @ (barrier::Error::TooLarge { .. } | barrier::Error::Protected(_)) => Self::invalid(error),
            barrier::Error::Storage(storage::Error::Invalid { what }) => Self::Invalid(what.to_owned()),
            other => Self::internal(other),
        }
    }
}

impl From<crypto::Error> for Fault {
    fn from(error: crypto::Error) -> Self {
        Self::internal(error)
    }
}
