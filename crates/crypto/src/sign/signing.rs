//! Key pairs that sign.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair as _,
};

use super::algorithm::{Algorithm, Family};
use super::verifying::VerifyingKey;
use crate::{Error, Secret, der, pem};

/// A key pair and the one algorithm that it signs with.
///
/// The private half is in the library's keeping, which wipes it, and leaves it only by [`SigningKey::to_pkcs8`].
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
    public: VerifyingKey,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Curve(Box<EcdsaKeyPair>),
    Edwards(Box<Ed25519KeyPair>),
}

impl SigningKey {
    /// A new pair, by the library's own generator; RSA with 2048 bits. For RSA this takes a tenth of a second and more:
    /// do it where waiting harms nobody.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for an algorithm with a shared secret, which has no pair.
    pub fn generate(algorithm: Algorithm) -> Result<Self, Error> {
        let pair = match algorithm.family() {
            Family::Rsa => Pair::Rsa(Box::new(
                RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| Error::KeyUnfit)?,
            )),
            Family::Curve => Pair::Curve(Box::new(
                EcdsaKeyPair::generate(curve(algorithm)).map_err(|_| Error::KeyUnfit)?,
            )),
            Family::Edwards => Pair::Edwards(Box::new(
                Ed25519KeyPair::generate().map_err(|_| Error::KeyUnfit)?,
            )),
            Family::Shared => return Err(Error::KeyUnfit),
        };
        Self::of(algorithm, pair)
    }

    /// The pair in a PKCS #8 document (RFC 5208, RFC 5958).
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where it holds no key for this algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, document: &[u8]) -> Result<Self, Error> {
        let unfit = |_| Error::KeyUnfit;
        let pair = match algorithm.family() {
            Family::Rsa => Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(document).map_err(unfit)?)),
            Family::Curve => Pair::Curve(Box::new(
                EcdsaKeyPair::from_pkcs8(curve(algorithm), document).map_err(unfit)?,
            )),
            Family::Edwards => Pair::Edwards(Box::new(
                Ed25519KeyPair::from_pkcs8(document).map_err(unfit)?,
            )),
            Family::Shared => return Err(Error::KeyUnfit),
        };
        Self::of(algorithm, pair)
    }

    /// The pair in a text in PEM (RFC 7468 section 10), of one block `PRIVATE KEY`.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where it holds no key for this algorithm.
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self, Error> {
        let Some((pem::PRIVATE_KEY, document)) = pem::read(text) else {
            return Err(Error::KeyUnfit);
        };
        Self::from_pkcs8(algorithm, &document)
    }

    /// The pair as a PKCS #8 document, private half included.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where the library can not write it.
    pub fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, Error> {
        let unfit = |_| Error::KeyUnfit;
        Ok(Secret::new(match &self.pair {
            Pair::Rsa(pair) => {
                let document: Pkcs8V1Der<'_> = pair.as_der().map_err(unfit)?;
                document.as_ref().to_vec()
            }
            Pair::Curve(pair) => pair.to_pkcs8v1().map_err(unfit)?.as_ref().to_vec(),
            Pair::Edwards(pair) => pair.to_pkcs8().map_err(unfit)?.as_ref().to_vec(),
        }))
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// The signature of `message`, in the form of RFC 7518 section 3 and RFC 8037: for ECDSA the two numbers in a row.
    ///
    /// # Errors
    /// [`Error::Signing`] where the library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        // The library ignores the source it is given and takes its own.
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut out = vec![0; pair.public_modulus_len()];
                pair.sign(padding(self.algorithm), &random, message, &mut out)
                    .map_err(|_| Error::Signing)?;
                Ok(out)
            }
            Pair::Curve(pair) => {
                let made = pair.sign(&random, message).map_err(|_| Error::Signing)?;
                Ok(made.as_ref().to_vec())
            }
            Pair::Edwards(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }

    fn of(algorithm: Algorithm, pair: Pair) -> Result<Self, Error> {
        let public = match &pair {
            Pair::Rsa(pair) => {
                let (n, e) = der::rsa_parts(pair.public_key().as_ref()).ok_or(Error::KeyUnfit)?;
                VerifyingKey::rsa(algorithm, n, e)?
            }
            Pair::Curve(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point
                    .get(1..)
                    .and_then(|both| both.split_at_checked(both.len() / 2))
                    .ok_or(Error::KeyUnfit)?;
                VerifyingKey::curve(algorithm, x, y)?
            }
            Pair::Edwards(pair) => VerifyingKey::edwards(pair.public_key().as_ref())?,
        };
        Ok(Self {
            algorithm,
            pair,
            public,
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, redacted)", self.algorithm)
    }
}

/// The curve of an algorithm; the first for what has none, which callers rule out.
fn curve(algorithm: Algorithm) -> &'static EcdsaSigningAlgorithm {
    match algorithm {
        Algorithm::Es384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Algorithm::Es512 => &ECDSA_P521_SHA512_FIXED_SIGNING,
        _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
    }
}

fn padding(algorithm: Algorithm) -> &'static dyn signature::RsaEncoding {
    match algorithm {
        Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn pairs_sign_survive_storage_and_stick_to_their_algorithm() {
        for algorithm in Algorithm::ALL {
            if algorithm.family() == Family::Shared {
                assert_eq!(
                    SigningKey::generate(algorithm).unwrap_err(),
                    Error::KeyUnfit
                );
                continue;
            }
            let made = SigningKey::generate(algorithm).unwrap();
            let stored = made.to_pkcs8().unwrap();
            let read = SigningKey::from_pkcs8(algorithm, stored.expose()).unwrap();
            let signature = read.sign(b"message").unwrap();
            let key = made.verifying_key();
            assert!(key.verify(b"message", &signature), "{algorithm}");
            assert!(!key.verify(b"massage", &signature), "{algorithm}");
            assert!(
                !key.verify(b"message", &signature[1..]) && !key.verify(b"message", b""),
                "{algorithm}"
            );
            let other = SigningKey::generate(algorithm).unwrap();
            assert!(!other.verifying_key().verify(b"message", &signature));
        }
    }

    #[test]
    fn a_document_of_another_kind_is_refused() {
        let document = SigningKey::generate(Algorithm::Es256).unwrap().to_pkcs8();
        let document = document.unwrap();
        for other in [Algorithm::Rs256, Algorithm::Es384, Algorithm::EdDsa] {
            let refused = SigningKey::from_pkcs8(other, document.expose());
            assert_eq!(refused.unwrap_err(), Error::KeyUnfit, "{other}");
        }
        let cut = SigningKey::from_pkcs8(Algorithm::Es256, &document.expose()[1..]);
        assert_eq!(cut.unwrap_err(), Error::KeyUnfit);
    }

    #[test]
    fn a_pair_in_pem_is_one_block_of_its_kind() {
        let made = SigningKey::generate(Algorithm::Es256).unwrap();
        let body = STANDARD.encode(made.to_pkcs8().unwrap().expose());
        let (first, rest) = body.split_at(64);
        let begin = "-----BEGIN PRIVATE KEY-----";
        let pem = format!("{begin}\n{first}\n{rest}\n-----END PRIVATE KEY-----\n");
        let read = SigningKey::from_pem(Algorithm::Es256, &pem).unwrap();
        let signature = read.sign(b"message").unwrap();
        assert!(made.verifying_key().verify(b"message", &signature));
        for wrong in [
            "",
            begin,
            &pem.replace("PRIVATE", "RSA PRIVATE"),
            &pem.replace(first, &"!".repeat(64)),
            &format!("x{pem}"),
            &format!("{pem}{pem}"),
        ] {
            let refused = SigningKey::from_pem(Algorithm::Es256, wrong);
            assert_eq!(refused.unwrap_err(), Error::KeyUnfit);
        }
        assert!(SigningKey::from_pem(Algorithm::Rs256, &pem).is_err());
    }

    #[test]
    fn nothing_of_a_pair_is_shown() {
        let pair = SigningKey::generate(Algorithm::EdDsa).unwrap();
        assert_eq!(format!("{pair:?}"), "SigningKey(EdDSA, redacted)");
    }
}
