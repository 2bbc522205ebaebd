//! Keys that verify.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};

use super::algorithm::{Algorithm, Family};
use crate::Error;

/// The shortest and the longest RSA modulus, in bytes.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// The longest RSA exponent, in bytes. Larger ones make verifying slow and serve nobody.
const MAX_RSA_EXPONENT_BYTES: usize = 4;
/// Keys of Ed25519 have this many bytes.
const EDWARDS_BYTES: usize = 32;

/// A key that verifies signatures of one algorithm: the public half of a pair, or a shared secret.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    kind: Kind,
}

/// What a public key is made of, for who writes it down. A shared secret has no such parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicParts {
    /// Of RSA: numbers, greatest byte first, without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// Of ECDSA: a point, each coordinate as long as the curve's field.
    Curve {
        /// The first coordinate.
        x: Vec<u8>,
        /// The second one.
        y: Vec<u8>,
    },
    /// Of Ed25519: the encoded point.
    Edwards {
        /// It.
        x: Vec<u8>,
    },
}

#[derive(Clone)]
enum Kind {
    Public(Box<(ParsedPublicKey, PublicParts)>),
    Shared(Box<hmac::Key>),
}

impl VerifyingKey {
    /// An RSA key of 2048 to 8192 bits.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where the numbers make no such key, or the algorithm takes none.
    pub fn rsa(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Result<Self, Error> {
        let (n, e) = (without_zeros(n), without_zeros(e));
        let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        let fit = RSA_MODULUS_BYTES.contains(&n.len())
            && n.len() * 8 - leading_zero_bits(n) >= RSA_MODULUS_BYTES.start() * 8
            && e.len() <= MAX_RSA_EXPONENT_BYTES
            && e != [1]
            && odd(n)
            && odd(e);
        let scheme = rsa_scheme(algorithm)
            .filter(|_| fit)
            .ok_or(Error::KeyUnfit)?;
        let parsed = RsaPublicKeyComponents { n, e }.to_parsed_public_key(scheme);
        let parts = PublicParts::Rsa {
            n: n.to_vec(),
            e: e.to_vec(),
        };
        Self::public(algorithm, parsed, parts)
    }

    /// A point on the curve of the algorithm. Coordinates have the full length (RFC 7518 section 6.2.1.2).
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where the point is not on the curve, or the algorithm has none.
    pub fn curve(algorithm: Algorithm, x: &[u8], y: &[u8]) -> Result<Self, Error> {
        let length = algorithm.coordinate_bytes();
        let scheme = match algorithm {
            Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
            Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
            _ => return Err(Error::KeyUnfit),
        };
        if x.len() != length || y.len() != length {
            return Err(Error::KeyUnfit);
        }
        let point = [&[4], x, y].concat();
        let parts = PublicParts::Curve {
            x: x.to_vec(),
            y: y.to_vec(),
        };
        Self::public(algorithm, ParsedPublicKey::new(scheme, point), parts)
    }

    /// A key of Ed25519.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where it is not 32 bytes long.
    pub fn edwards(x: &[u8]) -> Result<Self, Error> {
        if x.len() != EDWARDS_BYTES {
            return Err(Error::KeyUnfit);
        }
        let parsed = ParsedPublicKey::new(&signature::ED25519, x);
        let parts = PublicParts::Edwards { x: x.to_vec() };
        Self::public(Algorithm::EdDsa, parsed, parts)
    }

    /// A shared secret, at least as long as the hash (RFC 7518 section 3.2).
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where it is shorter, or the algorithm takes none.
    pub fn shared(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        let (scheme, least) = match algorithm {
            Algorithm::Hs256 => (hmac::HMAC_SHA256, 32),
            Algorithm::Hs384 => (hmac::HMAC_SHA384, 48),
            Algorithm::Hs512 => (hmac::HMAC_SHA512, 64),
            _ => return Err(Error::KeyUnfit),
        };
        if secret.len() < least {
            return Err(Error::KeyUnfit);
        }
        Ok(Self {
            algorithm,
            kind: Kind::Shared(Box::new(hmac::Key::new(scheme, secret))),
        })
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What it is made of; nothing where it is a secret.
    #[must_use]
    pub fn parts(&self) -> Option<&PublicParts> {
        match &self.kind {
            Kind::Public(key) => Some(&key.1),
            Kind::Shared(_) => None,
        }
    }

    /// Whether `signature` is one of `message` by this key's algorithm.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.kind {
            Kind::Public(key) => key.0.verify_sig(message, signature).is_ok(),
            Kind::Shared(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }

    fn public<F>(
        algorithm: Algorithm,
        parsed: Result<ParsedPublicKey, F>,
        parts: PublicParts,
    ) -> Result<Self, Error> {
        debug_assert!(algorithm.family() != Family::Shared);
        let parsed = parsed.map_err(|_| Error::KeyUnfit)?;
        Ok(Self {
            algorithm,
            kind: Kind::Public(Box::new((parsed, parts))),
        })
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.algorithm)
    }
}

fn rsa_scheme(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let from = number.iter().position(|byte| *byte != 0);
    from.and_then(|from| number.get(from..)).unwrap_or_default()
}

fn leading_zero_bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| {
        usize::try_from(first.leading_zeros()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::SigningKey;

    #[test]
    fn unfit_keys_are_refused() {
        let unfit =
            |made: Result<VerifyingKey, Error>| assert_eq!(made.unwrap_err(), Error::KeyUnfit);
        unfit(VerifyingKey::rsa(
            Algorithm::Rs256,
            &[0xff; 255],
            &[1, 0, 1],
        )); // 2040 bits
        unfit(VerifyingKey::rsa(
            Algorithm::Rs256,
            &[&[0x7f][..], &[0xff; 255]].concat(),
            &[3],
        )); // 2047
        unfit(VerifyingKey::rsa(
            Algorithm::Rs256,
            &[0xff; 1025],
            &[1, 0, 1],
        ));
        unfit(VerifyingKey::rsa(Algorithm::Rs256, &[0xff; 256], &[1]));
        unfit(VerifyingKey::rsa(Algorithm::Rs256, &[0xff; 256], &[4]));
        unfit(VerifyingKey::rsa(Algorithm::Rs256, &[0xff; 256], &[]));
        unfit(VerifyingKey::rsa(Algorithm::Es256, &[0xff; 256], &[3]));
        unfit(VerifyingKey::curve(Algorithm::Es256, &[1; 32], &[1; 32])); // not on the curve
        unfit(VerifyingKey::curve(Algorithm::Es256, &[1; 31], &[1; 32]));
        unfit(VerifyingKey::curve(Algorithm::Rs256, &[1; 32], &[1; 32]));
        unfit(VerifyingKey::edwards(&[1; 31]));
        unfit(VerifyingKey::shared(Algorithm::Hs256, &[1; 31]));
        unfit(VerifyingKey::shared(Algorithm::Rs256, &[1; 64]));
    }

    #[test]
    fn parts_make_the_key_again() {
        for algorithm in [Algorithm::Ps384, Algorithm::Es512, Algorithm::EdDsa] {
            let pair = SigningKey::generate(algorithm).unwrap();
            let again = match pair.verifying_key().parts().unwrap() {
                PublicParts::Rsa { n, e } => VerifyingKey::rsa(algorithm, n, e),
                PublicParts::Curve { x, y } => VerifyingKey::curve(algorithm, x, y),
                PublicParts::Edwards { x } => VerifyingKey::edwards(x),
            };
            let signature = pair.sign(b"message").unwrap();
            assert!(again.unwrap().verify(b"message", &signature));
        }
        let shared = VerifyingKey::shared(Algorithm::Hs256, &[7; 32]).unwrap();
        assert_eq!(shared.parts(), None);
    }
}
