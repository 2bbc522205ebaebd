//! Authenticated ciphers that can be chosen by name, for keys that people manage.
//!
//! The barrier's own cipher is [`Aes256Key`](crate::Aes256Key). Here nonces are the caller's where they say so: keys that
//! encrypt convergently, and formats that count.

use std::fmt;

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use chacha20poly1305::aead::{AeadInOut as _, inout::InOutBuf};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::{Error, Random};

/// Bytes of an authentication tag, of all of them: never cut.
pub const TAG_BYTES: usize = 16;

/// An authenticated cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES-128-GCM (NIST SP 800-38D) with nonces of 96 bits.
    Aes128Gcm,
    /// AES-256-GCM (NIST SP 800-38D) with nonces of 96 bits.
    Aes256Gcm,
    /// ChaCha20-Poly1305 (RFC 8439).
    ChaCha20Poly1305,
    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha): nonces of 192 bits, so that random ones never repeat.
    XChaCha20Poly1305,
}

impl Cipher {
    /// Bytes of a key.
    #[must_use]
    pub fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 | Self::XChaCha20Poly1305 => 32,
        }
    }

    /// Bytes of a nonce.
    #[must_use]
    pub fn nonce_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm | Self::ChaCha20Poly1305 => 12,
            Self::XChaCha20Poly1305 => 24,
        }
    }
}

/// A key of a cipher with its schedule computed once.
pub struct CipherKey {
    cipher: Cipher,
    schedule: Schedule,
}

enum Schedule {
    /// By the one library; boxed because a schedule is large.
    Library(Box<LessSafeKey>),
    /// The cipher that the library lacks.
    Extended(Box<XChaCha20Poly1305>),
}

impl CipherKey {
    /// From key bytes, which the caller wipes.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where there are not [`Cipher::key_bytes`] of them.
    pub fn new(cipher: Cipher, key: &[u8]) -> Result<Self, Error> {
        let library = |algorithm| {
            let unbound = UnboundKey::new(algorithm, key).map_err(|_| Error::KeyUnfit)?;
            Ok(Schedule::Library(Box::new(LessSafeKey::new(unbound))))
        };
        let schedule = match cipher {
            Cipher::Aes128Gcm => library(&AES_128_GCM)?,
            Cipher::Aes256Gcm => library(&AES_256_GCM)?,
            Cipher::ChaCha20Poly1305 => library(&CHACHA20_POLY1305)?,
            Cipher::XChaCha20Poly1305 => {
                let key = XChaCha20Poly1305::new_from_slice(key).map_err(|_| Error::KeyUnfit)?;
                Schedule::Extended(Box::new(key))
            }
        };
        Ok(Self { cipher, schedule })
    }

    /// The cipher.
    #[must_use]
    pub fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// Encrypts with a random nonce: `nonce ‖ ciphertext ‖ tag`.
    ///
    /// # Errors
    /// [`Error::TooLong`] where the plaintext passes the cipher's bound.
    pub fn seal(&self, random: &Random, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; 24];
        let nonce = nonce
            .get_mut(..self.cipher.nonce_bytes())
            .ok_or(Error::KeyUnfit)?;
        random.fill(nonce);
        self.seal_with(nonce, aad, plaintext)
    }

    /// Encrypts with this nonce, in front of the result as with [`CipherKey::seal`]. The same nonce for two plaintexts
    /// tells both and voids the key: the caller knows that there are never two.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where the nonce has another length than the cipher's, [`Error::TooLong`] as above.
    pub fn seal_with(&self, nonce: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        if nonce.len() != self.cipher.nonce_bytes() {
            return Err(Error::KeyUnfit);
        }
        let body = nonce.len();
        let mut sealed = Vec::with_capacity(body + plaintext.len() + TAG_BYTES);
        sealed.extend_from_slice(nonce);
        sealed.resize(body + plaintext.len() + TAG_BYTES, 0);
        // The ciphertext is written beside the plaintext, never over a copy of it.
        let room = sealed.get_mut(body..).ok_or(Error::TooLong)?;
        let (ciphertext, tag) = room.split_at_mut(plaintext.len());
        match &self.schedule {
            Schedule::Library(key) => {
                let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::KeyUnfit)?;
                key.seal_out_of_place_scatter(
                    nonce,
                    Aad::from(aad),
                    plaintext,
                    ciphertext,
                    &[],
                    tag,
                )
                .map_err(|_| Error::TooLong)?;
            }
            Schedule::Extended(key) => {
                let nonce = XNonce::try_from(nonce).map_err(|_| Error::KeyUnfit)?;
                let both = InOutBuf::new(plaintext, ciphertext).map_err(|_| Error::TooLong)?;
                let made = key
                    .encrypt_inout_detached(&nonce, aad, both)
                    .map_err(|_| Error::TooLong)?;
                tag.copy_from_slice(&made);
            }
        }
        Ok(sealed)
    }

    /// Encrypts `data` where it is, and answers its tag: for streams, whose buffers are large. What was there is gone.
    ///
    /// # Errors
    /// As [`CipherKey::seal_with`], and what it says of nonces holds here.
    pub fn seal_in_place(
        &self,
        nonce: &[u8],
        aad: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], Error> {
        let mut tag = [0; TAG_BYTES];
        match &self.schedule {
            Schedule::Library(key) => {
                let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::KeyUnfit)?;
                let made = key
                    .seal_in_place_separate_tag(nonce, Aad::from(aad), data)
                    .map_err(|_| Error::TooLong)?;
                tag.copy_from_slice(made.as_ref());
            }
            Schedule::Extended(key) => {
                let nonce = XNonce::try_from(nonce).map_err(|_| Error::KeyUnfit)?;
                let made = key
                    .encrypt_inout_detached(&nonce, aad, data.into())
                    .map_err(|_| Error::TooLong)?;
                tag.copy_from_slice(&made);
            }
        }
        Ok(tag)
    }

    /// Undoes [`CipherKey::seal_in_place`]: `sealed` is the ciphertext with its tag behind it, and begins with the plaintext
    /// afterwards, of which this is the length.
    ///
    /// # Errors
    /// [`Error::Decrypt`] for whatever is wrong; what is in `sealed` then is of no use.
    pub fn open_in_place(
        &self,
        nonce: &[u8],
        aad: &[u8],
        sealed: &mut [u8],
    ) -> Result<usize, Error> {
        match &self.schedule {
            Schedule::Library(key) => {
                let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Decrypt)?;
                let plain = key
                    .open_in_place(nonce, Aad::from(aad), sealed)
                    .map_err(|_| Error::Decrypt)?;
                Ok(plain.len())
            }
            Schedule::Extended(key) => {
                let nonce = XNonce::try_from(nonce).map_err(|_| Error::Decrypt)?;
                let (data, tag) = sealed
                    .split_last_chunk_mut::<TAG_BYTES>()
                    .ok_or(Error::Decrypt)?;
                key.decrypt_inout_detached(&nonce, aad, data.into(), &(*tag).into())
                    .map_err(|_| Error::Decrypt)?;
                Ok(data.len())
            }
        }
    }

    /// Undoes [`CipherKey::seal`] with the same `aad`.
    ///
    /// # Errors
    /// [`Error::Decrypt`] for whatever is wrong: key, associated data, length or any bit.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (nonce, rest) = sealed
            .split_at_checked(self.cipher.nonce_bytes())
            .ok_or(Error::Decrypt)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(Error::Decrypt)?;
        let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
        match &self.schedule {
            Schedule::Library(key) => {
                let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Decrypt)?;
                key.open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, &mut plaintext)
                    .map_err(|_| Error::Decrypt)?;
            }
            Schedule::Extended(key) => {
                let nonce = XNonce::try_from(nonce).map_err(|_| Error::Decrypt)?;
                let both = InOutBuf::new(ciphertext, &mut plaintext).map_err(|_| Error::Decrypt)?;
                key.decrypt_inout_detached(&nonce, aad, both, &(*tag).into())
                    .map_err(|_| Error::Decrypt)?;
            }
        }
        Ok(plaintext)
    }
}

impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CipherKey({:?}, redacted)", self.cipher)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Cipher; 4] = [
        Cipher::Aes128Gcm,
        Cipher::Aes256Gcm,
        Cipher::ChaCha20Poly1305,
        Cipher::XChaCha20Poly1305,
    ];

    #[test]
    fn each_opens_what_it_sealed_and_nothing_else() {
        let random = Random::seeded_for_tests(5);
        for cipher in ALL {
            let bytes = vec![7; cipher.key_bytes()];
            let key = CipherKey::new(cipher, &bytes).unwrap();
            for length in [0, 1, 16, 4097] {
                let plaintext = vec![0xA5; length];
                let sealed = key.seal(&random, b"aad", &plaintext).unwrap();
                assert_eq!(sealed.len(), length + cipher.nonce_bytes() + TAG_BYTES);
                assert_eq!(*key.open(b"aad", &sealed).unwrap(), plaintext);
                assert_eq!(key.open(b"AAD", &sealed), Err(Error::Decrypt));
            }
            let sealed = key.seal(&random, b"aad", b"plaintext").unwrap();
            for bit in 0..sealed.len() * 8 {
                let mut altered = sealed.clone();
                altered[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(
                    key.open(b"aad", &altered),
                    Err(Error::Decrypt),
                    "{cipher:?}"
                );
            }
            for length in 0..sealed.len() {
                assert_eq!(key.open(b"aad", &sealed[..length]), Err(Error::Decrypt));
            }
            let nonce = vec![9; cipher.nonce_bytes()];
            let mut data = b"plaintext".to_vec();
            let tag = key.seal_in_place(&nonce, b"aad", &mut data).unwrap();
            data.extend_from_slice(&tag);
            let whole = key.seal_with(&nonce, b"aad", b"plaintext").unwrap();
            assert_eq!(data, whole[nonce.len()..]);
            let mut altered = data.clone();
            altered[3] ^= 1;
            assert!(key.open_in_place(&nonce, b"aad", &mut altered).is_err());
            let length = key.open_in_place(&nonce, b"aad", &mut data).unwrap();
            assert_eq!(&data[..length], b"plaintext");
            assert!(key.open_in_place(&nonce, b"", &mut [0; 15]).is_err());
            assert!(CipherKey::new(cipher, &bytes[1..]).is_err());
            assert!(key.seal_with(&[0; 11], b"", b"x").is_err());
            assert_eq!(
                format!("{key:?}"),
                format!("CipherKey({cipher:?}, redacted)")
            );
        }
    }

    /// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn the_extended_nonce_is_as_published() {
        let key: Vec<u8> = (0x80..0xa0).collect();
        let nonce: Vec<u8> = (0x40..0x58).collect();
        let aad = hex::decode("50515253c0c1c2c3c4c5c6c7").unwrap();
        let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let key = CipherKey::new(Cipher::XChaCha20Poly1305, &key).unwrap();
        let sealed = key.seal_with(&nonce, &aad, text).unwrap();
        assert_eq!(hex::encode(&sealed[24..28]), "bd6d179d");
        let tag = hex::encode(&sealed[sealed.len() - 16..]);
        assert_eq!(tag, "c0875924c1c7987947deafd8780acf49");
    }
}
