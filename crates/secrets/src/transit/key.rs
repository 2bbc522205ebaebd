//! What is stored about a key.
//!
//! The record of a key is small and is read often; each version has a record of its own. So a key with thousands of
//! versions costs no more to use or to rotate than a new one, and versions that may no more be used need not be moved.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Fault, Stored};
use coffer_wire::{Timestamp, Ttl};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::kind::KeyKind;
use super::policy_document::Stamp;

/// How many versions of one key may be kept at once: more than eleven years of a rotation each hour.
pub(super) const MAX_VERSIONS: u32 = 100_000;
/// How long the name of a key may be, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// The bytes of the code that authenticates inputs, of keys that are no HMAC keys themselves.
pub(super) const MAC_BYTES: usize = 32;

/// A named key, without its material.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Key {
    /// Names the material: a key that is made anew under an old name has none of the old one's.
    pub(super) id: String,
    pub(super) kind: KeyKind,
    /// Whether each context has a key of its own.
    #[serde(default)]
    pub(super) derived: bool,
    /// Whether the same plaintext in the same context gives the same ciphertext.
    #[serde(default)]
    pub(super) convergent: bool,
    #[serde(default)]
    pub(super) exportable: bool,
    #[serde(default)]
    pub(super) allow_plaintext_backup: bool,
    #[serde(default)]
    pub(super) deletion_allowed: bool,
    #[serde(default)]
    pub(super) soft_deleted: bool,
    /// Whether its material came from outside.
    #[serde(default)]
    pub(super) imported: bool,
    /// Whether imported material may be followed by our own.
    #[serde(default)]
    pub(super) imported_rotation: bool,
    /// Bytes of an HMAC key; 0 for other kinds.
    #[serde(default)]
    pub(super) key_size: u32,
    /// How old the latest version becomes; zero for any age.
    #[serde(default)]
    pub(super) auto_rotate_period: Ttl,
    /// The version that encrypts and signs; the first is 1.
    pub(super) latest_version: u32,
    /// When that was made.
    pub(super) rotated: Timestamp,
    /// The oldest version that decrypts and verifies; 1 or more.
    pub(super) min_decryption_version: u32,
    /// The oldest version that encrypts and signs where a client asks for one; 0 for the latest alone.
    #[serde(default)]
    pub(super) min_encryption_version: u32,
    /// All before it are gone; 0 if none are.
    #[serde(default)]
    pub(super) min_available_version: u32,
    /// Whether keys of contexts are made in counter mode, as a restored key may want it; else by HKDF.
    #[serde(default)]
    pub(super) counter_kdf: bool,
    /// When the last backup was taken.
    #[serde(default)]
    pub(super) backed_up: Option<Stamp>,
    /// When it was restored from one.
    #[serde(default)]
    pub(super) restored: Option<Stamp>,
}

impl Stored for Key {
    // Read with each first use; a record has a few hundred bytes.
    const MAX_BYTES: usize = 64 * 1024;
}

/// What one version of a key is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) created: Timestamp,
    /// Ciphers and HMAC keys: the key's bytes. Pairs: the private half as PKCS #8; empty where only the public one was
    /// imported.
    pub(super) key: Bytes,
    /// Of pairs: the public half, as SubjectPublicKeyInfo.
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub(super) public: Bytes,
    /// The key of HMACs; empty for HMAC keys, which are that themselves.
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub(super) mac: Bytes,
    /// Certificates of the public half, in DER, its own first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) certificates: Vec<Bytes>,
}

impl Stored for Version {
    const MAX_BYTES: usize = 1024 * 1024;
}

impl Key {
    /// The oldest version that is stored.
    pub(super) fn oldest(&self) -> u32 {
        self.min_available_version.max(1)
    }

    /// The versions that may decrypt and verify.
    pub(super) fn working(&self) -> std::ops::RangeInclusive<u32> {
        self.min_decryption_version.max(self.oldest())..=self.latest_version
    }

    /// Refuses a key that is deleted until it is restored.
    pub(super) fn refuse_deleted(&self) -> Result<(), Fault> {
        match self.soft_deleted {
            true => Err(Fault::invalid("refusing to use soft-deleted key")),
            false => Ok(()),
        }
    }
}

/// Where a key's record is.
pub(super) const KEYS: &str = "key/";
/// Where the records of versions are.
pub(super) const VERSIONS: &str = "version/";
/// Keys of which versions are about to go.
pub(super) const DELETED: &str = "deleted/";

/// Where the key of that name is. A name has letters, digits, `_`, and in between `-` and `.`.
pub(super) fn key_place(name: &str) -> Result<String, Fault> {
    match is_name(name) {
        true => Ok(format!("{KEYS}{name}")),
        false => Err(Fault::UnsupportedPath),
    }
}

/// Where a version is; in the order of their numbers.
pub(super) fn version_place(id: &str, version: u32) -> String {
    format!("{VERSIONS}{id}/{version:010}")
}

fn is_name(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = name.as_bytes();
    name.len() <= MAX_NAME_BYTES
        && bytes.first().is_some_and(|first| word(*first))
        && bytes.last().is_some_and(|last| word(*last))
        && bytes
            .iter()
            .all(|byte| word(*byte) || matches!(byte, b'-' | b'.'))
}

/// Bytes in keeping, stored as base64.
#[derive(Clone, Default)]
pub(super) struct Bytes(Secret<Vec<u8>>);

impl Bytes {
    /// Takes bytes into keeping.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(Secret::new(bytes))
    }

    /// The bytes.
    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.expose().is_empty()
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bytes(redacted)")
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Zeroizing::new(STANDARD.encode(self.expose())).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        let bytes = STANDARD.decode(text.as_bytes());
        bytes
            .map(Self::new)
            .map_err(|_| de::Error::custom("expected base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["a", "A_1", "a.b-c", "0", "_", &"x".repeat(256)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", ".", "a b", "a/b", "ä", &"x".repeat(257)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn versions_stand_in_order_and_show_nothing() {
        assert!(version_place("x", 9) < version_place("x", 10));
        assert!(version_place("x", 99_999) < version_place("x", u32::MAX));
        let bytes = Bytes::new(b"hunter2".to_vec());
        assert_eq!(format!("{bytes:?}"), "Bytes(redacted)");
        let stored = serde_json::to_string(&bytes).unwrap();
        let read: Bytes = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.expose(), b"hunter2");
    }
}
