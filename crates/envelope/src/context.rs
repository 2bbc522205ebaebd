use std::collections::BTreeMap;

use coffer_crypto::sha256;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The most bytes of all names and values together.
const BYTES_MAX: usize = 8 << 10;

/// What an object belongs to, in the clear: pairs that are authenticated with it and have to be the same to decrypt it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Context(BTreeMap<String, String>);

impl Context {
    /// Of these pairs.
    ///
    /// # Errors
    /// [`Error::TooMuch`] beyond 8 KiB.
    pub fn new(pairs: BTreeMap<String, String>) -> Result<Self, Error> {
        let context = Self(pairs);
        context.check()?;
        Ok(context)
    }

    /// The pairs, by name.
    #[must_use]
    pub fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let bytes: usize = self.0.iter().map(|(k, v)| k.len() + v.len()).sum();
        match bytes <= BYTES_MAX {
            true => Ok(()),
            false => Err(Error::TooMuch {
                what: "a context of that many bytes",
                most: BYTES_MAX,
            }),
        }
    }

    /// One hash for one context: every name and value with its length before it, in the order of the names' bytes.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut text = Vec::new();
        for part in self.0.iter().flat_map(|(name, value)| [name, value]) {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        sha256(&text)
    }
}
