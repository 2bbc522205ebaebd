//! A secret that stands in a stored record.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A secret text in a record, which lies encrypted behind the barrier. Wiped when it is dropped, redacted in `Debug`,
/// read by [`Kept::expose`] alone. Never make it a part of an answer.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kept(String);

impl Kept {
    /// Takes a secret into keeping.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(redacted)")
    }
}
