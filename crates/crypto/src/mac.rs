//! Message authentication with HMAC, and key derivation.

use std::fmt;

use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::{Error, Hash, Secret, constant_time_eq};

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1) of `data` under `key`, of any length.
///
/// Where one key serves many calls, [`HmacKey`] saves hashing it each time.
#[must_use]
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    HmacKey::new(key).sign(data)
}

/// HMAC-SHA-1 (RFC 2104, RFC 2202) of `data` under `key`: only where somebody's old codes prescribe it.
#[must_use]
pub fn hmac_sha1(key: &[u8], data: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    hmac::sign(&key, data).as_ref().to_vec()
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

/// A key for HMAC with a hash of choice.
#[derive(Clone)]
pub struct MacKey {
    hash: Hash,
    schedule: Schedule,
}

#[derive(Clone)]
enum Schedule {
    Library(Box<hmac::Key>),
    /// HMAC with SHA-3 (FIPS 202 section 7), which the library lacks: the key, filled up to a block.
    Sponge(Secret<Vec<u8>>),
}

impl MacKey {
    /// From key bytes of any length.
    #[must_use]
    pub fn new(hash: Hash, key: &[u8]) -> Self {
        let library = |algorithm| Schedule::Library(Box::new(hmac::Key::new(algorithm, key)));
        let schedule = match hash {
            Hash::Sha224 => library(hmac::HMAC_SHA224),
            Hash::Sha256 => library(hmac::HMAC_SHA256),
            Hash::Sha384 => library(hmac::HMAC_SHA384),
            Hash::Sha512 => library(hmac::HMAC_SHA512),
            Hash::Sha3_224 => filled(hash, key, 144),
            Hash::Sha3_256 => filled(hash, key, 136),
            Hash::Sha3_384 => filled(hash, key, 104),
            Hash::Sha3_512 => filled(hash, key, 72),
        };
        Self { hash, schedule }
    }

    /// The hash.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The code of `data`, as long as the hash.
    #[must_use]
    pub fn sign(&self, data: &[u8]) -> Vec<u8> {
        match &self.schedule {
            Schedule::Library(key) => hmac::sign(key, data).as_ref().to_vec(),
            Schedule::Sponge(block) => {
                let inner = self.hash.of_parts(&[&masked(block.expose(), 0x36), data]);
                self.hash.of_parts(&[&masked(block.expose(), 0x5c), &inner])
            }
        }
    }

    /// Whether `code` is the whole code of `data`, compared in constant time.
    #[must_use]
    pub fn verify(&self, data: &[u8], code: &[u8]) -> bool {
        constant_time_eq(&self.sign(data), code)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({:?}, redacted)", self.hash)
    }
}

/// The key as a block of that many bytes, hashed first if it is longer (RFC 2104 section 2).
fn filled(hash: Hash, key: &[u8], block_bytes: usize) -> Schedule {
    let mut block = Vec::with_capacity(block_bytes);
    if key.len() > block_bytes {
        block.extend(Zeroizing::new(hash.of(key)).iter());
    } else {
        block.extend_from_slice(key);
    }
    block.resize(block_bytes, 0);
    Schedule::Sponge(Secret::new(block))
}

fn masked(block: &[u8], mask: u8) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(block.iter().map(|byte| byte ^ mask).collect())
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

    /// RFC 2202, section 3, test case 2.
    #[test]
    fn the_old_code_is_as_published() {
        let code = hmac_sha1(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            hex::encode(code),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
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
