//! AES-256-GCM under one key.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::{Error, Random, Secret};

/// Bytes of an AES-256 key.
pub const KEY_BYTES: usize = 32;
/// Bytes of an AES-GCM nonce (96 bits, NIST SP 800-38D section 5.2.1.1).
pub const NONCE_BYTES: usize = 12;
/// Bytes of an AES-GCM authentication tag: the full 128 bits, never cut.
pub const TAG_BYTES: usize = 16;

/// An AES-256-GCM key (NIST SP 800-38D, RFC 5116) with its schedule computed once.
///
/// Nonces are random, so one key must not encrypt more than 2^32 times (section 8.3 there: beyond that the chance of a
/// repeated nonce, which would void all protection, passes 2^-32). Whoever may come near that counts; the
/// [`KeyRing`](crate::KeyRing) does.
pub struct Aes256Key {
    bytes: Secret<[u8; KEY_BYTES]>,
    schedule: LessSafeKey,
}

impl Aes256Key {
    /// A new random key.
    ///
    /// # Errors
    /// None in practice; see [`Aes256Key::from_secret`].
    pub fn generate(random: &Random) -> Result<Self, Error> {
        Self::from_secret(random.secret_bytes())
    }

    /// From 32 key bytes that are already in keeping.
    ///
    /// # Errors
    /// [`Error::KeyLength`] where the cipher refuses the key, which it does for another length only.
    pub fn from_secret(bytes: Secret<[u8; KEY_BYTES]>) -> Result<Self, Error> {
        let unbound =
            UnboundKey::new(&AES_256_GCM, bytes.expose()).map_err(|_| Error::KeyLength)?;
        Ok(Self {
            bytes,
            schedule: LessSafeKey::new(unbound),
        })
    }

    /// From a slice, which the caller wipes.
    ///
    /// # Errors
    /// [`Error::KeyLength`] where it is not 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        let mut key = Secret::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return Err(Error::KeyLength);
        }
        key.expose_mut().copy_from_slice(bytes);
        Self::from_secret(key)
    }

    /// The key itself, to be stored under another key or split into shares.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8; KEY_BYTES] {
        self.bytes.expose()
    }

    /// Encrypts and authenticates `plaintext`, and authenticates `aad` with it.
    ///
    /// The result is `nonce(12) ‖ ciphertext ‖ tag(16)`, 28 bytes longer than the plaintext.
    ///
    /// # Errors
    /// [`Error::TooLong`] where the plaintext passes the cipher's bound (about 64 GiB).
    pub fn seal(&self, random: &Random, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let mut sealed = Vec::with_capacity(NONCE_BYTES + plaintext.len() + TAG_BYTES);
        self.seal_onto(&mut sealed, random, aad, plaintext)?;
        Ok(sealed)
    }

    /// Undoes [`Aes256Key::seal`] with the same `aad`.
    ///
    /// # Errors
    /// [`Error::Decrypt`] for whatever is wrong: key, associated data, length or any bit.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (nonce, rest) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(Error::Decrypt)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(Error::Decrypt)?;
        let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
        self.schedule
            .open_separate_gather(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(aad),
                ciphertext,
                tag,
                &mut plaintext,
            )
            .map_err(|_| Error::Decrypt)?;
        Ok(plaintext)
    }

    /// Appends `nonce ‖ ciphertext ‖ tag` to `out`, which may already hold a header. A failure leaves `out` as it was.
    pub(crate) fn seal_onto(
        &self,
        out: &mut Vec<u8>,
        random: &Random,
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<(), Error> {
        let nonce: [u8; NONCE_BYTES] = random.bytes();
        let before = out.len();
        let body = before + NONCE_BYTES;
        let tag_at = body.checked_add(plaintext.len()).ok_or(Error::TooLong)?;
        out.extend_from_slice(&nonce);
        // The ciphertext is written beside the plaintext, never over a copy of it, so no plaintext reaches this buffer.
        out.resize(tag_at + TAG_BYTES, 0);
        let sealed = match out
            .get_mut(body..)
            .map(|room| room.split_at_mut(plaintext.len()))
        {
            Some((ciphertext, tag)) => self.schedule.seal_out_of_place_scatter(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad),
                plaintext,
                ciphertext,
                &[],
                tag,
            ),
            None => return Err(Error::TooLong),
        };
        sealed.map_err(|_| {
            out.truncate(before);
            Error::TooLong
        })
    }
}

impl fmt::Debug for Aes256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aes256Key(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed() {
        let random = Random::seeded_for_tests(1);
        let key = Aes256Key::generate(&random).unwrap();
        for length in [0, 1, 15, 16, 17, 4096] {
            let plaintext = vec![0xA5; length];
            let sealed = key.seal(&random, b"aad", &plaintext).unwrap();
            assert_eq!(sealed.len(), length + NONCE_BYTES + TAG_BYTES);
            assert_eq!(*key.open(b"aad", &sealed).unwrap(), plaintext);
        }
    }

    #[test]
    fn every_altered_bit_cut_and_context_is_refused() {
        let random = Random::seeded_for_tests(2);
        let key = Aes256Key::generate(&random).unwrap();
        let sealed = key.seal(&random, b"aad", b"plaintext").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(b"aad", &altered), Err(Error::Decrypt));
        }
        for length in 0..sealed.len() {
            assert_eq!(key.open(b"aad", &sealed[..length]), Err(Error::Decrypt));
        }
        assert_eq!(key.open(b"AAD", &sealed), Err(Error::Decrypt));
        assert_eq!(
            Aes256Key::generate(&random).unwrap().open(b"aad", &sealed),
            Err(Error::Decrypt)
        );
    }

    #[test]
    fn a_nonce_is_fresh_each_time() {
        let random = Random::system();
        let key = Aes256Key::generate(&random).unwrap();
        let first = key.seal(&random, b"", b"x").unwrap();
        let second = key.seal(&random, b"", b"x").unwrap();
        assert_ne!(first[..NONCE_BYTES], second[..NONCE_BYTES]);
    }

    #[test]
    fn takes_32_bytes_and_shows_none() {
        assert_eq!(
            Aes256Key::from_slice(&[0; 16]).unwrap_err(),
            Error::KeyLength
        );
        let key = Aes256Key::from_slice(&[7; 32]).unwrap();
        assert_eq!(key.expose_bytes(), &[7; 32]);
        assert_eq!(format!("{key:?}"), "Aes256Key(redacted)");
    }
}
