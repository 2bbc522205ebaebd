//! Public keys in PEM.

use super::algorithm::{Algorithm, Family};
use super::verifying::VerifyingKey;
use crate::{Error, der, pem};

/// The keys that a text in PEM is, one for each of the `permitted` algorithms that it fits: a public key
/// (`PUBLIC KEY`, RFC 7468 section 13), or that of a certificate, of which nothing else is looked at. It is one block,
/// and nothing stands after it.
///
/// # Errors
/// [`Error::KeyUnfit`] for anything else, and for keys that are too short or of a curve that no algorithm has.
pub fn read_pem(text: &str, permitted: &[Algorithm]) -> Result<Vec<VerifyingKey>, Error> {
    let (label, document) = pem::read(text).ok_or(Error::KeyUnfit)?;
    let key = match label {
        pem::PUBLIC_KEY => document.as_slice(),
        pem::CERTIFICATE => key_of_certificate(&document).ok_or(Error::KeyUnfit)?,
        _ => return Err(Error::KeyUnfit),
    };
    let public = Public::parse(key).ok_or(Error::KeyUnfit)?;
    // Whether it is any good does not depend on what is permitted.
    let all = public.algorithms();
    let keys = all.iter().map(|algorithm| public.key(*algorithm));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let fits = |key: &VerifyingKey| permitted.contains(&key.algorithm());
    Ok(keys.into_iter().filter(fits).collect())
}

/// The `SubjectPublicKeyInfo` of a certificate (RFC 5280 section 4.1), the seventh of its fields.
fn key_of_certificate(document: &[u8]) -> Option<&[u8]> {
    let (signed, _) = der::element(der::SEQUENCE, der::only(der::SEQUENCE, document)?)?;
    let rest = der::element(der::VERSION, signed).map_or(signed, |(_, rest)| rest);
    let (_, mut rest) = der::element(der::INTEGER, rest)?;
    for _ in ["signature", "issuer", "validity", "subject"] {
        rest = der::element(der::SEQUENCE, rest)?.1;
    }
    let (_, after) = der::element(der::SEQUENCE, rest)?;
    rest.get(..rest.len() - after.len())
}

/// A `SubjectPublicKeyInfo`, taken apart.
enum Public<'a> {
    Rsa { n: &'a [u8], e: &'a [u8] },
    Curve { of: Algorithm, point: &'a [u8] },
    Edwards { x: &'a [u8] },
}

impl<'a> Public<'a> {
    fn parse(document: &'a [u8]) -> Option<Self> {
        let (kind, rest) = der::element(der::SEQUENCE, der::only(der::SEQUENCE, document)?)?;
        let bytes = der::whole_bytes(der::only(der::BIT_STRING, rest)?)?;
        let (kind, parameters) = der::element(der::OBJECT, kind)?;
        match kind {
            der::RSA => {
                let (n, e) = der::rsa_parts(bytes)?;
                Some(Self::Rsa { n, e })
            }
            der::EC => {
                let of = match der::only(der::OBJECT, parameters)? {
                    der::P256 => Algorithm::Es256,
                    der::P384 => Algorithm::Es384,
                    der::P521 => Algorithm::Es512,
                    _ => return None,
                };
                let point = bytes.strip_prefix(&[4])?;
                Some(Self::Curve { of, point })
            }
            der::ED25519 => Some(Self::Edwards { x: bytes }),
            _ => None,
        }
    }

    /// What it can verify.
    fn algorithms(&self) -> Vec<Algorithm> {
        match self {
            Self::Rsa { .. } => Algorithm::ALL
                .into_iter()
                .filter(|algorithm| algorithm.family() == Family::Rsa)
                .collect(),
            Self::Curve { of, .. } => vec![*of],
            Self::Edwards { .. } => vec![Algorithm::EdDsa],
        }
    }

    fn key(&self, algorithm: Algorithm) -> Result<VerifyingKey, Error> {
        match self {
            Self::Rsa { n, e } => VerifyingKey::rsa(algorithm, n, e),
            Self::Curve { point, .. } => {
                let halves = point.split_at_checked(point.len() / 2);
                let (x, y) = halves.ok_or(Error::KeyUnfit)?;
                VerifyingKey::curve(algorithm, x, y)
            }
            Self::Edwards { x } => VerifyingKey::edwards(x),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    // Keys made for these tests alone.
    const RSA_KEY: &str = include_str!("../../testdata/rsa-public.pem");
    const RSA_SHORT: &str = include_str!("../../testdata/rsa-1024-public.pem");
    const P256_KEY: &str = include_str!("../../testdata/p256-public.pem");
    const P384_KEY: &str = include_str!("../../testdata/p384-public.pem");
    const P521_KEY: &str = include_str!("../../testdata/p521-public.pem");
    const K256_KEY: &str = include_str!("../../testdata/secp256k1-public.pem");
    const ED25519_KEY: &str = include_str!("../../testdata/ed25519-public.pem");
    const CERTIFICATE: &str = include_str!("../../testdata/p256-certificate.pem");

    fn algorithms(text: &str) -> Result<Vec<&'static str>, Error> {
        let keys = read_pem(text, &Algorithm::ALL)?;
        Ok(keys.iter().map(|key| key.algorithm().name()).collect())
    }

    #[test]
    fn keys_are_for_what_they_fit() {
        let rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
        assert_eq!(algorithms(RSA_KEY).unwrap(), rsa);
        assert_eq!(algorithms(P256_KEY).unwrap(), ["ES256"]);
        assert_eq!(algorithms(P384_KEY).unwrap(), ["ES384"]);
        assert_eq!(algorithms(P521_KEY).unwrap(), ["ES512"]);
        assert_eq!(algorithms(ED25519_KEY).unwrap(), ["EdDSA"]);
        let few = read_pem(RSA_KEY, &[Algorithm::Ps256, Algorithm::Es256]).unwrap();
        assert_eq!(few.len(), 1);
        assert!(
            read_pem(RSA_KEY, &[Algorithm::EdDsa, Algorithm::Hs256])
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_certificate_has_the_key_that_it_is_for() {
        let (_, key) = pem::read(P256_KEY).unwrap();
        let (_, certificate) = pem::read(CERTIFICATE).unwrap();
        assert_eq!(key_of_certificate(&certificate).unwrap(), &key[..]);
        assert_eq!(algorithms(CERTIFICATE).unwrap(), ["ES256"]);
    }

    #[test]
    fn anything_else_is_refused() {
        let pasted = format!("{P256_KEY}{RSA_KEY}");
        let before = format!("key: {P256_KEY}");
        let line_before = format!("# the key\n{P256_KEY}");
        assert!(
            algorithms(&line_before).is_ok(),
            "words of people are nothing"
        );
        let other = P256_KEY.replace("PUBLIC", "PRIVATE");
        let half = P256_KEY.replace("-----END PUBLIC KEY-----", "");
        let long = format!("{P256_KEY}{}", " ".repeat(pem::MAX_BYTES));
        assert!(algorithms(&long).is_ok(), "blanks at the end are nothing");
        for text in [
            "", "x", &pasted, &before, &other, &half, RSA_SHORT, K256_KEY,
        ] {
            assert_eq!(algorithms(text).unwrap_err(), Error::KeyUnfit, "{text}");
        }
    }

    #[test]
    fn cut_and_altered_documents_are_no_keys() {
        for text in [RSA_KEY, P384_KEY, ED25519_KEY, CERTIFICATE] {
            let (label, document) = pem::read(text).unwrap();
            let again = |bytes: &[u8]| {
                let body = STANDARD.encode(bytes);
                read_pem(
                    &format!("-----BEGIN {label}-----{body}-----END {label}-----"),
                    &Algorithm::ALL,
                )
            };
            assert!(again(&document).is_ok());
            for length in 0..document.len() {
                assert!(again(&document[..length]).is_err(), "{label} {length}");
            }
            for at in 0..document.len() {
                let mut altered = document.clone();
                altered[at] ^= 0xff;
                let _ = again(&altered); // Whatever it says, it does not panic.
            }
        }
    }
}
