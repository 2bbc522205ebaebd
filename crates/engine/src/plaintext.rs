//! Where engines let a secret out: into their own encrypted records, and into the answer to the client.

use coffer_crypto::Secret;
use serde::{Serialize, Serializer};

/// For `#[serde(serialize_with)]`.
pub fn text<S: Serializer>(secret: &Secret<String>, to: S) -> Result<S::Ok, S::Error> {
    secret.expose().serialize(to)
}

/// The same where there may be none.
pub fn maybe<S: Serializer>(secret: &Option<Secret<String>>, to: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(to)
}
