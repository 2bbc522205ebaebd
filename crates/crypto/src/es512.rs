//! ECDSA over P-521 with SHA-512: the algorithm ES512 of RFC 7518, section 3.4.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P521_SHA512_FIXED, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};

use crate::{Error, Secret};

/// How many bytes a coordinate of P-521 has.
pub const COORDINATE_BYTES: usize = 66;

/// A private key that signs, and verifies what it signed.
pub struct SigningKey(EcdsaKeyPair);

impl SigningKey {
    /// A new key, made by the library's own generator.
    ///
    /// # Errors
    /// [`Error::SigningKey`] where the library refuses.
    pub fn generate() -> Result<Self, Error> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING);
        pair.map(Self).map_err(|_| Error::SigningKey)
    }

    /// The key that [`SigningKey::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Error::SigningKey`] for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P521_SHA512_FIXED_SIGNING, bytes);
        pair.map(Self).map_err(|_| Error::SigningKey)
    }

    /// The key, to be kept encrypted (PKCS #8).
    ///
    /// # Errors
    /// [`Error::SigningKey`] where the library refuses.
    pub fn to_bytes(&self) -> Result<Secret<Vec<u8>>, Error> {
        let bytes = self.0.to_pkcs8v1().map_err(|_| Error::SigningKey)?;
        Ok(Secret::new(bytes.as_ref().to_vec()))
    }

    /// The signature of a message: both numbers in fixed length, one after the other.
    ///
    /// # Errors
    /// [`Error::SigningKey`] where the library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.0.sign(&SystemRandom::new(), message);
        let signature = signature.map_err(|_| Error::SigningKey)?;
        Ok(signature.as_ref().to_vec())
    }

    /// Whether a signature is of this message and by this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, self.0.public_key());
        key.verify(message, signature).is_ok()
    }

    /// The two coordinates of the public point, as big-endian numbers.
    #[must_use]
    pub fn point(&self) -> [[u8; COORDINATE_BYTES]; 2] {
        let mut point = [[0; COORDINATE_BYTES]; 2];
        let bytes = self.0.public_key().as_ref(); // The byte 4, then both coordinates.
        let each = bytes.get(1..).unwrap_or_default().chunks(COORDINATE_BYTES);
        for (coordinate, bytes) in point.iter_mut().zip(each) {
            for (to, from) in coordinate.iter_mut().zip(bytes) {
                *to = *from;
            }
        }
        point
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_and_verifies_its_own() {
        let key = SigningKey::generate().unwrap();
        let same = SigningKey::from_bytes(key.to_bytes().unwrap().expose()).unwrap();
        assert_eq!(same.point(), key.point());
        let mut signature = key.sign(b"message").unwrap();
        assert_eq!(signature.len(), 2 * COORDINATE_BYTES);
        assert!(same.verifies(b"message", &signature));
        assert!(!same.verifies(b"massage", &signature));
        signature[9] ^= 1;
        assert!(!same.verifies(b"message", &signature));
        let other = SigningKey::generate().unwrap();
        assert!(!other.verifies(b"message", &key.sign(b"message").unwrap()));
        assert!(SigningKey::from_bytes(b"nonsense").is_err());
    }
}
