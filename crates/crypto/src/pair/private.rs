//! Private halves.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair as RsaKeyPair, KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, PqdsaKeyPair};
use rsa::pkcs8::DecodePrivateKey as _;
use zeroize::Zeroizing;

use super::kind::PairKind;
use super::oaep::Oaep;
use super::public::PublicKey;
use super::scheme::{Input, Scheme};
use super::{ecdsa, other_rsa, rsa_signature};
use crate::{Error, Secret, der, pem};

/// A key pair of one kind.
///
/// The private half is in the library's keeping, which wipes it, and leaves it only where a function says so.
pub struct KeyPair {
    pub(super) private: Private,
    public: PublicKey,
}

pub(super) enum Private {
    Edwards(Box<Ed25519KeyPair>),
    Curve(Box<EcdsaKeyPair>),
    Lattice(Box<PqdsaKeyPair>),
    Rsa(Box<Rsa>),
}

/// A key of RSA, read again for each use that has a type of its own, at the first of them.
pub(super) struct Rsa {
    signing: RsaKeyPair,
    decrypting: OnceLock<OaepPrivateDecryptingKey>,
    other: OnceLock<rsa::PrivateKey>,
}

impl KeyPair {
    /// A new pair, by the library's own generator. For RSA this takes a tenth of a second up to several: do it where
    /// waiting harms nobody.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where the library makes none.
    pub fn generate(kind: PairKind) -> Result<Self, Error> {
        let unfit = |_| Error::KeyUnfit;
        let private = if let Some(curve) = kind.curve() {
            let pair = EcdsaKeyPair::generate(curve.signing).map_err(unfit)?;
            Private::Curve(Box::new(pair))
        } else if let Some((signing, _)) = kind.lattice() {
            Private::Lattice(Box::new(PqdsaKeyPair::generate(signing).map_err(unfit)?))
        } else if kind == PairKind::Ed25519 {
            Private::Edwards(Box::new(Ed25519KeyPair::generate().map_err(unfit)?))
        } else {
            let size = match kind {
                PairKind::Rsa3072 => KeySize::Rsa3072,
                PairKind::Rsa4096 => KeySize::Rsa4096,
                _ => KeySize::Rsa2048,
            };
            Private::Rsa(Rsa::new(RsaKeyPair::generate(size).map_err(unfit)?))
        };
        Self::of(kind, private)
    }

    /// The pair in a PKCS #8 document (RFC 5208, RFC 5958). Of ML-DSA it holds the seed (RFC 9881 section 6), alone or with
    /// the expanded key.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where it holds no key of this kind.
    pub fn from_pkcs8(kind: PairKind, document: &[u8]) -> Result<Self, Error> {
        let unfit = |_| Error::KeyUnfit;
        let private = if let Some(curve) = kind.curve() {
            let pair = EcdsaKeyPair::from_pkcs8(curve.signing, document).map_err(unfit)?;
            Private::Curve(Box::new(pair))
        } else if let Some((signing, _)) = kind.lattice() {
            let pair = PqdsaKeyPair::from_pkcs8(signing, document).map_err(unfit)?;
            // Of one that came without its seed the library writes nothing any more.
            pair.to_pkcs8v1().map_err(|_| Error::KeyUnfit)?;
            Private::Lattice(Box::new(pair))
        } else if kind == PairKind::Ed25519 {
            let pair = Ed25519KeyPair::from_pkcs8(document).map_err(unfit)?;
            Private::Edwards(Box::new(pair))
        } else {
            Private::Rsa(Rsa::new(RsaKeyPair::from_pkcs8(document).map_err(unfit)?))
        };
        Self::of(kind, private)
    }

    /// As [`KeyPair::from_pkcs8`], of a document that somebody else wrote: refused as well where only part of what its kind
    /// can do could be done with it. That is found out by reading it again, so it takes longer.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where it holds no key of this kind, or not one for every use.
    pub fn from_foreign_pkcs8(kind: PairKind, document: &[u8]) -> Result<Self, Error> {
        Self::from_pkcs8(kind, document)?.fit_for_all()
    }

    /// Refuses a key of RSA whose numbers only one of the libraries takes, such as a private exponent that is not the least.
    pub(super) fn fit_for_all(self) -> Result<Self, Error> {
        if let Private::Rsa(key) = &self.private {
            key.decrypting()?;
            key.other()?;
        }
        Ok(self)
    }

    /// What it is made of.
    #[must_use]
    pub fn kind(&self) -> PairKind {
        self.public.kind()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature of the input. For ECDSA in ASN.1; see [`fixed_from_asn1`](super::fixed_from_asn1).
    ///
    /// # Errors
    /// [`Error::Scheme`] where the kind has no such scheme, [`Error::DigestLength`] where a digest does not fit its hash,
    /// [`Error::Signing`] where the library refuses.
    pub fn sign(&self, scheme: &Scheme, input: Input<'_>) -> Result<Vec<u8>, Error> {
        match &self.private {
            Private::Edwards(pair) => {
                let made = pair.try_sign(input.message()?);
                Ok(made.map_err(|_| Error::Signing)?.as_ref().to_vec())
            }
            Private::Curve(pair) => {
                let curve = self.kind().curve().ok_or(Error::Scheme)?;
                let digest = ecdsa::digest(&curve, scheme.hash, input)?;
                let made = pair.sign_digest(&digest).map_err(|_| Error::Signing)?;
                Ok(made.as_ref().to_vec())
            }
            Private::Lattice(pair) => {
                let mut made = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(input.message()?, &mut made);
                made.truncate(length.map_err(|_| Error::Signing)?);
                Ok(made)
            }
            Private::Rsa(key) => key.sign(scheme, input),
        }
    }

    /// Decrypts what was encrypted to the public half. That takes the same time whatever is wrong, and has one error, so that nobody can
    /// ask for the plaintext bit by bit.
    ///
    /// # Errors
    /// [`Error::Scheme`] where the kind does not encrypt, [`Error::Decrypt`] for all else.
    pub fn decrypt(&self, oaep: Oaep<'_>, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        match &self.private {
            Private::Rsa(key) => key.decrypt(oaep, ciphertext),
            _ => Err(Error::Scheme),
        }
    }

    /// The pair as a PKCS #8 document of version 1, private half included.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where the library can not write it.
    pub fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, Error> {
        let unfit = |_| Error::KeyUnfit;
        Ok(Secret::new(match &self.private {
            Private::Edwards(pair) => pair.to_pkcs8v1().map_err(unfit)?.as_ref().to_vec(),
            Private::Curve(pair) => pair.to_pkcs8v1().map_err(unfit)?.as_ref().to_vec(),
            Private::Lattice(pair) => pair.to_pkcs8v1().map_err(unfit)?.as_ref().to_vec(),
            Private::Rsa(key) => {
                let document: Pkcs8V1Der<'_> = key.signing.as_der().map_err(unfit)?;
                document.as_ref().to_vec()
            }
        }))
    }

    /// The pair as PKCS #8 in PEM (RFC 7468 section 10).
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where the library can not write it.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        Ok(pem::write(pem::PRIVATE_KEY, self.to_pkcs8()?.expose()))
    }

    /// The pair in PEM in the form that its kind had before PKCS #8: RSA as of RFC 8017 appendix A.1.2, ECDSA as of RFC 5915. The other kinds have only
    /// the one of [`KeyPair::to_pem`].
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where the library can not write it.
    pub fn to_traditional_pem(&self) -> Result<Zeroizing<String>, Error> {
        match &self.private {
            Private::Curve(pair) => {
                let document: EcPrivateKeyRfc5915Der<'_> =
                    pair.private_key().as_der().map_err(|_| Error::KeyUnfit)?;
                Ok(pem::write(pem::EC_PRIVATE_KEY, document.as_ref()))
            }
            Private::Rsa(_) => {
                let document = self.to_pkcs8()?;
                let inner = der::inner_private_key(document.expose()).ok_or(Error::KeyUnfit)?;
                Ok(pem::write(pem::RSA_PRIVATE_KEY, inner))
            }
            _ => self.to_pem(),
        }
    }

    pub(super) fn of(kind: PairKind, private: Private) -> Result<Self, Error> {
        let spki = match &private {
            Private::Edwards(pair) => pair.public_key().as_der(),
            Private::Curve(pair) => pair.public_key().as_der(),
            Private::Lattice(pair) => pair.public_key().as_der(),
            Private::Rsa(key) => key.signing.public_key().as_der(),
        };
        let public = PublicKey::from_spki(spki.map_err(|_| Error::KeyUnfit)?.as_ref())?;
        if public.kind() != kind {
            return Err(Error::KeyUnfit);
        }
        Ok(Self { private, public })
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({:?}, redacted)", self.kind())
    }
}

impl Rsa {
    pub(super) fn new(signing: RsaKeyPair) -> Box<Self> {
        Box::new(Self {
            signing,
            decrypting: OnceLock::new(),
            other: OnceLock::new(),
        })
    }

    fn sign(&self, scheme: &Scheme, input: Input<'_>) -> Result<Vec<u8>, Error> {
        let Some(padding) = rsa_signature::signing(scheme) else {
            let digest = scheme.hash.digest(input)?;
            return other_rsa::sign(self.other()?, scheme, &digest);
        };
        let mut made = vec![0; self.signing.public_modulus_len()];
        // The library ignores the source that it is given and takes its own.
        let signed = match input {
            Input::Message(message) => {
                self.signing
                    .sign(padding, &SystemRandom::new(), message, &mut made)
            }
            Input::Digest(bytes) => {
                let digest = rsa_signature::imported(scheme.hash, bytes);
                let digest = digest.ok_or(Error::DigestLength)?;
                self.signing.sign_digest(padding, &digest, &mut made)
            }
        };
        signed.map_err(|_| Error::Signing)?;
        Ok(made)
    }

    fn decrypt(&self, oaep: Oaep<'_>, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Some(algorithm) = oaep.hash.library() else {
            return other_rsa::decrypt(self.other()?, oaep, ciphertext);
        };
        let key = self.decrypting()?;
        let mut room = Zeroizing::new(vec![0; key.min_output_size()]);
        let opened = key.decrypt(algorithm, ciphertext, &mut room, Some(oaep.label));
        let length = opened.map_err(|_| Error::Decrypt)?.len();
        room.truncate(length);
        Ok(room)
    }

    fn decrypting(&self) -> Result<&OaepPrivateDecryptingKey, Error> {
        if let Some(key) = self.decrypting.get() {
            return Ok(key);
        }
        let document = self.document()?;
        let key = PrivateDecryptingKey::from_pkcs8(&document).map_err(|_| Error::KeyUnfit)?;
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| Error::KeyUnfit)?;
        Ok(self.decrypting.get_or_init(|| key))
    }

    fn other(&self) -> Result<&rsa::PrivateKey, Error> {
        if let Some(key) = self.other.get() {
            return Ok(key);
        }
        let document = self.document()?;
        let key = rsa::PrivateKey::from_pkcs8_der(&document).map_err(|_| Error::KeyUnfit)?;
        Ok(self.other.get_or_init(|| key))
    }

    fn document(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let document: Pkcs8V1Der<'_> = self.signing.as_der().map_err(|_| Error::KeyUnfit)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }
}
