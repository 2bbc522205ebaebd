//! How typed records become bytes: a version byte, then JSON.

use coffer_crypto::WipingBuffer;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// A record with a versioned stored form.
///
/// Stored as one byte [`Stored::VERSION`] and JSON. When the shape changes, raise the version and
/// teach [`Stored::migrate`] every older one; adding an optional field needs neither.
pub trait Stored: Serialize + DeserializeOwned + Send + Sync {
    /// The version written now.
    const VERSION: u8 = 1;
    /// The most bytes one record may have. Set it on what is read with every request.
    const MAX_BYTES: usize = 64 * 1024 * 1024;

    /// Reads the form that `version` (older than [`Stored::VERSION`]) wrote.
    fn migrate(version: u8, _json: &[u8]) -> Result<Self, String> {
        Err(format!(
            "version {version} is unknown; a newer Coffer may have written it"
        ))
    }
}

/// What a record's place held when it was read; a write can be made to depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen(pub(crate) Option<Vec<u8>>);

impl Seen {
    /// The place was empty.
    pub const NOTHING: Self = Self(None);
}

pub(crate) fn encode<T: Stored>(path: &str, value: &T) -> Result<WipingBuffer, Error> {
    let mut buffer = WipingBuffer::with_capacity(256);
    buffer.extend(&[T::VERSION]);
    serde_json::to_writer(&mut buffer, value).map_err(|e| damaged(path, e))?;
    match buffer.len() {
        size if size > T::MAX_BYTES => Err(Error::TooLarge {
            size,
            limit: T::MAX_BYTES,
        }),
        _ => Ok(buffer),
    }
}

pub(crate) fn decode<T: Stored>(path: &str, bytes: &[u8]) -> Result<T, Error> {
    match bytes.split_first() {
        Some((version, json)) if *version == T::VERSION => {
            serde_json::from_slice(json).map_err(|e| damaged(path, category(&e)))
        }
        Some((version, json)) => T::migrate(*version, json).map_err(|what| damaged(path, what)),
        None => Err(damaged(path, "it is empty")),
    }
}

/// Where and how the JSON is wrong, without its content.
fn category(error: &serde_json::Error) -> String {
    format!("{:?} error at column {}", error.classify(), error.column())
}

pub(crate) fn damaged(path: &str, what: impl ToString) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        what: what.to_string(),
    }
}
