//! JSON Web Signatures and Keys: the compact form of RFC 7515, the keys of RFC 7517 and RFC 7518, and RFC 8037.
//!
//! Text comes in here, which the rest of the crate leaves to others: what is signed *is* text, and reading it leniently
//! is where such libraries failed. So base64url is strict (no padding, no other alphabet, no stray bits), headers are
//! read once and may not name a member twice, extensions that are marked critical are refused, and everything has a limit.
//!
//! A token is verified by a key, and a key has one algorithm: [`Compact::verify`] first compares the header's with the
//! key's. `none` is no algorithm, a header can bring no key, and a public key can not become a shared secret.

mod jwk;
mod jws;

pub use jwk::{KeySet, MAX_KEYS, read_key, show_key};
pub use jws::{Compact, Header, MAX_TOKEN_BYTES, sign};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Why a token or a key is refused. Texts hold nothing of either but the name of an algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoseError {
    /// It is not what it should be.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// More of it than is read.
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// The token's algorithm is none that is known, or not the key's.
    #[error("the signature algorithm {0:?} is not accepted here")]
    Algorithm(String),
    /// No key has verified the signature.
    #[error("the signature is not one of the expected keys")]
    Signature,
    /// The key is unfit for what it says it is for.
    #[error("unfit key: {0}")]
    Key(&'static str),
}

/// Strict base64url (RFC 7515 section 2).
fn decode(text: &str, what: &'static str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| JoseError::Malformed(what))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
