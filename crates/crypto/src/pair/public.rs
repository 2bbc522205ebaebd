//! Public halves.

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use rsa::pkcs8::DecodePublicKey as _;

use super::kind::PairKind;
use super::oaep::Oaep;
use super::scheme::{Input, Scheme};
use super::{ecdsa, other_rsa, rsa_signature};
use crate::{Error, Random, der, pem};

/// The public half of a pair: it verifies and encrypts.
#[derive(Clone)]
pub struct PublicKey {
    kind: PairKind,
    /// For RSA bound to one scheme that is not used: the others are each a type.
    parsed: ParsedPublicKey,
    spki: Vec<u8>,
}

impl PublicKey {
    /// The key in a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where it holds no key of a known kind: RSA of other sizes and other curves are none.
    pub fn from_spki(document: &[u8]) -> Result<Self, Error> {
        let kind = PairKind::of_spki(document).ok_or(Error::KeyUnfit)?;
        let unfit = |_| Error::KeyUnfit;
        let parsed = ParsedPublicKey::new(natural(kind), document).map_err(unfit)?;
        let written: PublicKeyX509Der<'_> = parsed.as_der().map_err(|_| Error::KeyUnfit)?;
        let spki = written.as_ref().to_vec();
        Ok(Self { kind, parsed, spki })
    }

    /// The key in a text in PEM, of one block `PUBLIC KEY` (RFC 7468 section 13).
    ///
    /// # Errors
    /// As for [`PublicKey::from_spki`], and where it is no such text.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        match pem::read(text) {
            Some((pem::PUBLIC_KEY, document)) => Self::from_spki(&document),
            _ => Err(Error::KeyUnfit),
        }
    }

    /// The key of this kind that these bytes are: what [`PublicKey::bits`] gives.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where they are none.
    pub fn from_bits(kind: PairKind, bits: &[u8]) -> Result<Self, Error> {
        let parsed = ParsedPublicKey::new(natural(kind), bits).map_err(|_| Error::KeyUnfit)?;
        let written: PublicKeyX509Der<'_> = parsed.as_der().map_err(|_| Error::KeyUnfit)?;
        let key = Self::from_spki(written.as_ref())?;
        match key.kind == kind {
            true => Ok(key),
            false => Err(Error::KeyUnfit),
        }
    }

    /// What it is made of.
    #[must_use]
    pub fn kind(&self) -> PairKind {
        self.kind
    }

    /// The key as a `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn to_spki(&self) -> Vec<u8> {
        self.spki.clone()
    }

    /// The same in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write(pem::PUBLIC_KEY, &self.spki).to_string()
    }

    /// The bare key inside: for Ed25519 and ML-DSA the encoded key, for ECDSA the point, for RSA an `RSAPublicKey`.
    #[must_use]
    pub fn bits(&self) -> Vec<u8> {
        Self::bits_within(&self.spki).unwrap_or_default().to_vec()
    }

    /// The bare key inside a `SubjectPublicKeyInfo`, of whatever kind, without a look at the key itself.
    #[must_use]
    pub fn bits_within(document: &[u8]) -> Option<&[u8]> {
        let (_, rest) = der::element(der::SEQUENCE, der::only(der::SEQUENCE, document)?)?;
        der::whole_bytes(der::only(der::BIT_STRING, rest)?)
    }

    /// Whether the signature is one of the input by this scheme. What the kind does not take is not verified.
    #[must_use]
    pub fn verify(&self, scheme: &Scheme, input: Input<'_>, signature: &[u8]) -> bool {
        if let Some(curve) = self.kind.curve() {
            let digest = ecdsa::digest(&curve, scheme.hash, input);
            return digest
                .is_ok_and(|digest| self.parsed.verify_digest_sig(&digest, signature).is_ok());
        }
        if !self.kind.is_rsa() {
            let message = input.message();
            return message.is_ok_and(|message| self.parsed.verify_sig(message, signature).is_ok());
        }
        let Ok(digest) = scheme.hash.digest(input) else {
            return false;
        };
        if rsa_signature::verifies(&self.spki, scheme, &digest, signature) {
            return true;
        }
        !rsa_signature::knows(scheme)
            && self
                .other()
                .is_ok_and(|key| other_rsa::verifies(&key, scheme, &digest, signature))
    }

    /// Encrypts to the private half. How much fits is [`PublicKey::room`].
    ///
    /// # Errors
    /// [`Error::Scheme`] where the kind does not encrypt, [`Error::TooLong`] where the plaintext does not fit.
    pub fn encrypt(
        &self,
        oaep: Oaep<'_>,
        random: &Random,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let room = self.room(oaep).ok_or(Error::Scheme)?;
        if plaintext.len() > room {
            return Err(Error::TooLong);
        }
        let Some(algorithm) = oaep.hash.library() else {
            return other_rsa::encrypt(&self.other()?, oaep, random, plaintext);
        };
        let unfit = |_| Error::KeyUnfit;
        let key = PublicEncryptingKey::from_der(&self.spki).map_err(unfit)?;
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| Error::KeyUnfit)?;
        let mut made = vec![0; key.ciphertext_size()];
        let length = key
            .encrypt(algorithm, plaintext, &mut made, Some(oaep.label))
            .map_err(|_| Error::TooLong)?
            .len();
        made.truncate(length);
        Ok(made)
    }

    /// How many bytes can be encrypted at once, where the kind encrypts.
    #[must_use]
    pub fn room(&self, oaep: Oaep<'_>) -> Option<usize> {
        (self.kind.rsa_bits()? / 8).checked_sub(2 * oaep.hash.bytes() + 2)
    }

    fn other(&self) -> Result<rsa::PublicKey, Error> {
        rsa::PublicKey::from_public_key_der(&self.spki).map_err(|_| Error::KeyUnfit)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.kind)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

/// The algorithm that a key of the kind is read for.
fn natural(kind: PairKind) -> &'static dyn VerificationAlgorithm {
    if let Some(curve) = kind.curve() {
        return curve.verifying;
    }
    if let Some((_, verifying)) = kind.lattice() {
        return verifying;
    }
    match kind {
        PairKind::Ed25519 => &signature::ED25519,
        _ => &signature::RSA_PKCS1_2048_8192_SHA256,
    }
}
