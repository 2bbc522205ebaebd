//! The ciphertext of a symmetric key:
//!
//! ```text
//! 0x01 ‖ key id (16) ‖ version of the key's material (4, big endian) ‖ salt (16) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
//! ```
//!
//! Each message has a key of its own, derived from the material and the random salt by NIST SP 800-108r1 in counter mode
//! with HMAC-SHA-256; under it AES-256-GCM encrypts once. So there is no count of messages after which nonces could repeat and
//! the key would have to be rotated. All that stands before the nonce, and the encryption context, are authenticated.

use coffer_crypto::cipher::{Cipher, CipherKey, TAG_BYTES};
use coffer_crypto::{HmacKey, Random};
use coffer_engine::Fault;
use zeroize::Zeroizing;

use super::exception::Exception;
use super::name::KeyId;

/// The one format there is.
const FORMAT: u8 = 1;
const ID_AT: usize = 1;
const VERSION_AT: usize = 17;
const SALT_AT: usize = 21;
const HEADER_BYTES: usize = 37;
/// What is encrypted here and nowhere else.
const DOMAIN: &[u8] = b"coffer kms ciphertext";
/// What the derived keys are for, as SP 800-108 has it.
const LABEL: &[u8] = b"coffer kms message key";

/// The material of a symmetric key, ready to be used.
pub(super) struct MasterKey(HmacKey);

/// What stands in front of a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The key.
    pub(super) id: KeyId,
    /// The version of its material.
    pub(super) version: u32,
}

impl MasterKey {
    /// From 32 bytes of material.
    pub(super) fn new(material: &[u8]) -> Self {
        Self(HmacKey::new(material))
    }

    /// Encrypts.
    pub(super) fn seal(
        &self,
        random: &Random,
        header: Header,
        context: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let salt: [u8; HEADER_BYTES - SALT_AT] = random.bytes();
        let mut blob = Vec::with_capacity(HEADER_BYTES + 12 + plaintext.len() + TAG_BYTES);
        blob.push(FORMAT);
        blob.extend_from_slice(header.id.as_bytes());
        blob.extend_from_slice(&header.version.to_be_bytes());
        blob.extend_from_slice(&salt);
        let bound = bound(&blob, context);
        let sealed = self.message_key(&salt)?.seal(random, &bound, plaintext)?;
        blob.extend_from_slice(&sealed);
        Ok(blob)
    }

    /// Undoes [`MasterKey::seal`].
    ///
    /// # Errors
    /// One, whatever is wrong.
    pub(super) fn open(&self, context: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let (header, sealed) = blob.split_at_checked(HEADER_BYTES).ok_or_else(unreadable)?;
        let salt = header.get(SALT_AT..).ok_or_else(unreadable)?;
        let opened = self
            .message_key(salt)?
            .open(&bound(header, context), sealed);
        opened.map_err(|_| unreadable())
    }

    fn message_key(&self, salt: &[u8]) -> Result<CipherKey, Fault> {
        // K(1) of section 4.1: counter, label, zero, context, and the length in bits.
        let fixed: [&[u8]; 5] = [&[0, 0, 0, 1], LABEL, &[0], salt, &[0, 0, 1, 0]];
        let key = Zeroizing::new(self.0.sign_parts(&fixed));
        Ok(CipherKey::new(Cipher::Aes256Gcm, &*key)?)
    }
}

impl Header {
    /// Reads what stands in front of a ciphertext.
    pub(super) fn of(blob: &[u8]) -> Result<Self, Fault> {
        let field = |at: usize, to: usize| blob.get(at..to).ok_or_else(unreadable);
        let id: [u8; 16] = fixed(field(ID_AT, VERSION_AT)?)?;
        let version: [u8; 4] = fixed(field(VERSION_AT, SALT_AT)?)?;
        match blob.first() == Some(&FORMAT) && blob.len() >= HEADER_BYTES + 12 + TAG_BYTES {
            true => Ok(Self {
                id: KeyId::from_bytes(id),
                version: u32::from_be_bytes(version),
            }),
            false => Err(unreadable()),
        }
    }
}

/// What every ciphertext that can not be read is answered with: it does not say why.
pub(super) fn unreadable() -> Fault {
    Exception::InvalidCiphertext.because(
        "the ciphertext is damaged, or the encryption context is not the one it was made with",
    )
}

fn bound(header: &[u8], context: &[u8]) -> Vec<u8> {
    [DOMAIN, header, context].concat()
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Fault> {
    bytes.try_into().map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let id = KeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").unwrap();
        Header { id, version: 7 }
    }

    #[test]
    fn every_bit_and_every_length_counts() {
        let random = Random::seeded_for_tests(1);
        let key = MasterKey::new(&[3; 32]);
        let blob = key.seal(&random, header(), b"context", b"text").unwrap();
        assert_eq!(blob.len(), 65 + 4);
        assert_eq!(Header::of(&blob).unwrap(), header());
        assert_eq!(*key.open(b"context", &blob).unwrap(), b"text");
        assert!(key.open(b"contexT", &blob).is_err());
        assert!(MasterKey::new(&[4; 32]).open(b"context", &blob).is_err());
        for bit in 0..blob.len() * 8 {
            let mut altered = blob.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(b"context", &altered).is_err(), "bit {bit}");
        }
        for length in 0..blob.len() {
            assert!(key.open(b"context", &blob[..length]).is_err());
        }
        for length in 0..65 {
            assert!(Header::of(&blob[..length]).is_err());
        }
    }

    /// The same text twice: other salt, other nonce, other ciphertext.
    #[test]
    fn no_message_key_is_used_twice() {
        let random = Random::system();
        let key = MasterKey::new(&[3; 32]);
        let blobs: std::collections::BTreeSet<Vec<u8>> = (0..1_000)
            .map(|_| key.seal(&random, header(), b"", b"").unwrap())
            .map(|blob| blob[SALT_AT..HEADER_BYTES].to_vec())
            .collect();
        assert_eq!(blobs.len(), 1_000);
    }
}
