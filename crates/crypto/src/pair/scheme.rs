//! How to sign.

use crate::{Error, Hash, hash};

/// The hash and, for RSA, the padding of a signature.
///
/// Ed25519 and ML-DSA hash in their own way: they take messages, and look at neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// What is hashed with.
    pub hash: SignHash,
    /// How RSA pads. The other kinds have no padding and do not look at it.
    pub padding: RsaPadding,
}

/// The hash of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignHash {
    /// None: what comes is signed as it is, by RSA with PKCS #1 v1.5 without the name of a hash, by ECDSA as if it were
    /// a digest.
    None,
    /// SHA-1, for those who still have to. It resists no attacker who chooses the message.
    Sha1,
    /// One of the others.
    Of(Hash),
}

/// How RSA pads a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaPadding {
    /// RSASSA-PSS (RFC 8017 section 8.1), the mask by the same hash.
    Pss(Salt),
    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
    Pkcs1v15,
}

/// How long the salt of RSASSA-PSS is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Salt {
    /// As long as the key has room for when signing; any when verifying.
    Auto,
    /// As long as the hash.
    Hash,
    /// That many bytes.
    Length(usize),
}

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A message, which the scheme's hash is taken of.
    Message(&'a [u8]),
    /// The hash of a message. That it has been made by the scheme's hash is the caller's word; its length is checked.
    Digest(&'a [u8]),
}

impl SignHash {
    /// Bytes of a digest; none where nothing is hashed.
    #[must_use]
    pub fn bytes(self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Sha1 => Some(20),
            Self::Of(hash) => Some(hash.bytes()),
        }
    }

    /// The digest of the input, or the input itself where nothing is hashed.
    pub(super) fn digest(self, input: Input<'_>) -> Result<Vec<u8>, Error> {
        match (self, input) {
            (Self::None, Input::Message(bytes) | Input::Digest(bytes)) => Ok(bytes.to_vec()),
            (Self::Sha1, Input::Message(message)) => Ok(hash::sha1(message).to_vec()),
            (Self::Of(hash), Input::Message(message)) => Ok(hash.of(message)),
            (_, Input::Digest(digest)) if self.bytes() == Some(digest.len()) => Ok(digest.to_vec()),
            (_, Input::Digest(_)) => Err(Error::DigestLength),
        }
    }
}

impl From<Hash> for SignHash {
    fn from(hash: Hash) -> Self {
        Self::Of(hash)
    }
}

impl<'a> Input<'a> {
    /// The message, for the kinds that take nothing else.
    pub(super) fn message(self) -> Result<&'a [u8], Error> {
        match self {
            Self::Message(message) => Ok(message),
            Self::Digest(_) => Err(Error::Scheme),
        }
    }
}
