//! Message authentication and key derivation with HMAC-SHA-256.

use std::fmt;

use aws_lc_rs::{hkdf, hmac};

use crate::{Error, Secret, constant_time_eq};

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1) of `data` under `key`, of any length.
///
/// Where one key serves many calls, [`HmacKey`] saves hashing it each time.
#[must_use]
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    HmacKey::new(key).sign(data)
}

/// HKDF-SHA-256 (RFC 5869), extract and expand: fills `out` with key material derived from `secret`.
///
/// `salt` may be empty and need not be secret; `info` names the use, so that keys for different uses are independent.
///
/// # Errors
/// [`Error::OutputLength`] where `out` is longer than 8160 bytes.
pub fn hkdf_sha256(secret: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), Error> {
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], OutputLength(out.len()))
        .and_then(|material| material.fill(out))
        .map_err(|_| Error::OutputLength)
}

/// A key for HMAC-SHA-256 whose schedule is computed once. Cloning is cheap next to building one.
#[derive(Clone)]
pub struct HmacKey {
    key: hmac::Key,
}

impl HmacKey {
    /// From key bytes of any length; 32 random ones are the natural choice.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// The code of `data`.
    #[must_use]
    pub fn sign(&self, data: &[u8]) -> [u8; 32] {
        fixed(&hmac::sign(&self.key, data))
    }

    /// The code of all `parts` in a row, as if they were one string. The parts' borders are not covered.
    #[must_use]
    pub fn sign_parts(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(part);
        }
        fixed(&context.sign())
    }

    /// Whether `code` is the whole code of `data`, compared in constant time.
    #[must_use]
    pub fn verify(&self, data: &[u8], code: &[u8]) -> bool {
        constant_time_eq(&self.sign(data), code)
    }
}

impl From<&Secret<[u8; 32]>> for HmacKey {
    fn from(key: &Secret<[u8; 32]>) -> Self {
        Self::new(key.expose())
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(redacted)")
    }
}

struct OutputLength(usize);

impl hkdf::KeyType for OutputLength {
    fn len(&self) -> usize {
        self.0
    }
}

fn fixed(tag: &hmac::Tag) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(tag.as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_whole_agree() {
        let key = HmacKey::new(b"key");
        assert_eq!(key.sign_parts(&[b"one", b"", b"two"]), key.sign(b"onetwo"));
        assert_eq!(key.sign(b"onetwo"), hmac_sha256(b"key", b"onetwo"));
    }

    #[test]
    fn verifies_the_whole_code_only() {
        let key = HmacKey::new(b"key");
        let code = key.sign(b"data");
        assert!(key.verify(b"data", &code));
        assert!(!key.verify(b"data", &code[..16]));
        assert!(!key.verify(b"Data", &code));
        assert_eq!(format!("{key:?}"), "HmacKey(redacted)");
    }
}
