//! Encrypting a short secret to somebody's OpenPGP key (RFC 4880, RFC 6637), so that nobody else can read it on its way.
//!
//! Only that much of the format is here: reading a version 4 public key, checking what its owner says about it with their own
//! signatures, and writing one message. Nothing is decrypted or signed, and no key is made.
//!
//! A key is what its primary key vouches for. A subkey whose binding signature does not verify is not there: otherwise whoever
//! carries the key to the server could hang a subkey of their own onto it, and the fingerprint would still be the owner's.

mod certificate;
mod key;
mod message;
mod packet;
mod signature;

use crate::Random;

/// The largest key that is read, in bytes: the minimal export of GnuPG has about two thousand.
pub const KEY_BYTES_MAX: usize = 128 * 1024;

/// Somebody's key, found in order.
#[derive(Clone, Debug)]
pub struct Recipient {
    fingerprint: [u8; 20],
    key: key::PublicKey,
}

/// Why a key is not one that can be encrypted to. The texts are for whoever brought the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are something else, or cut short.
    #[error("it is not an OpenPGP public key; export one with `gpg --export KEY`")]
    NotAKey,
    /// A private key was given.
    #[error("it is a private key; export the public one with `gpg --export KEY`")]
    Private,
    /// A key ring was given.
    #[error("it holds several keys; export one at a time")]
    Several,
    /// It is larger than [`KEY_BYTES_MAX`], or has too many signatures.
    #[error("it is too large; export it with `gpg --export --export-options export-minimal KEY`")]
    TooLarge,
    /// A version of keys that is not read.
    #[error("it is a version {0} key; only version 4 is supported")]
    Version(u8),
    /// No statement of its owner about it verifies.
    #[error(
        "none of its owner's signatures on it can be verified (RSA, ECDSA or EdDSA with SHA-256, SHA-384 or SHA-512)"
    )]
    Unsigned,
    /// Its owner took it back.
    #[error("it was revoked by its owner")]
    Revoked,
    /// Its time is over.
    #[error("it has expired; extend it or use another one")]
    Expired,
    /// None of its parts is for encryption.
    #[error("it has no valid encryption key; add an encryption subkey")]
    NoEncryptionKey,
    /// The part for encryption is of a kind that is not supported.
    #[error(
        "its encryption key is of an unsupported kind; use RSA of 2048 to 8192 bits, Curve25519, NIST P-256, P-384 or P-521"
    )]
    Unsupported,
}

impl Recipient {
    /// Reads a transferable public key in its binary form and chooses the part that is for encryption.
    ///
    /// # Errors
    /// What is wrong with the key.
    pub fn read(bytes: &[u8], now_secs: u64) -> Result<Self, Error> {
        if bytes.len() > KEY_BYTES_MAX {
            return Err(Error::TooLarge);
        }
        certificate::read(bytes, now_secs)
    }

    /// The fingerprint of the primary key, which names its owner.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 20] {
        self.fingerprint
    }

    /// One binary message with `plaintext` as its content, readable by the owner of the key alone.
    ///
    /// # Errors
    /// [`crate::Error::Recipient`] where the library refuses the key, which reading it has tried.
    pub fn encrypt(&self, random: &Random, plaintext: &[u8]) -> Result<Vec<u8>, crate::Error> {
        message::encrypt(&self.key, random, plaintext)
    }
}
