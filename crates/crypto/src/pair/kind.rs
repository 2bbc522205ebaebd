//! Kinds of key pairs.

use aws_lc_rs::signature::{
    self, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, PqdsaSigningAlgorithm,
    PqdsaVerificationAlgorithm,
};

use crate::der;

/// What a key pair is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PairKind {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 (FIPS 186-5).
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// ECDSA on P-521.
    EcdsaP521,
    /// RSA (RFC 8017) with 2,048 bits.
    Rsa2048,
    /// RSA with 3,072 bits.
    Rsa3072,
    /// RSA with 4,096 bits.
    Rsa4096,
    /// ML-DSA-44 (FIPS 204).
    MlDsa44,
    /// ML-DSA-65.
    MlDsa65,
    /// ML-DSA-87.
    MlDsa87,
}

impl PairKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Ed25519,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// The bits of the modulus, for RSA.
    #[must_use]
    pub fn rsa_bits(self) -> Option<usize> {
        match self {
            Self::Rsa2048 => Some(2048),
            Self::Rsa3072 => Some(3072),
            Self::Rsa4096 => Some(4096),
            _ => None,
        }
    }

    /// Whether it is RSA: the kinds that encrypt, and that take a padding.
    #[must_use]
    pub fn is_rsa(self) -> bool {
        self.rsa_bits().is_some()
    }

    /// Whether it is ECDSA: the kinds whose signatures have two forms.
    #[must_use]
    pub fn is_ecdsa(self) -> bool {
        self.curve().is_some()
    }

    /// The kind of the key in a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    pub(super) fn of_spki(document: &[u8]) -> Option<Self> {
        let (kind, rest) = der::element(der::SEQUENCE, der::only(der::SEQUENCE, document)?)?;
        let (kind, parameters) = der::element(der::OBJECT, kind)?;
        match kind {
            der::ED25519 => Some(Self::Ed25519),
            der::EC => match der::only(der::OBJECT, parameters)? {
                der::P256 => Some(Self::EcdsaP256),
                der::P384 => Some(Self::EcdsaP384),
                der::P521 => Some(Self::EcdsaP521),
                _ => None,
            },
            der::RSA => {
                let bytes = der::whole_bytes(der::only(der::BIT_STRING, rest)?)?;
                let (modulus, _) = der::rsa_parts(bytes)?;
                // The greatest bit is set in all keys of a whole number of bytes.
                modulus.first().filter(|first| **first >= 0x80)?;
                match modulus.len() {
                    256 => Some(Self::Rsa2048),
                    384 => Some(Self::Rsa3072),
                    512 => Some(Self::Rsa4096),
                    _ => None,
                }
            }
            der::ML_DSA_44 => Some(Self::MlDsa44),
            der::ML_DSA_65 => Some(Self::MlDsa65),
            der::ML_DSA_87 => Some(Self::MlDsa87),
            _ => None,
        }
    }

    /// The curve with the hash of its own length, whose digests stand for those of all hashes.
    pub(super) fn curve(self) -> Option<Curve> {
        Some(match self {
            Self::EcdsaP256 => Curve {
                signing: &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
                verifying: &signature::ECDSA_P256_SHA256_ASN1,
                digest: &aws_lc_rs::digest::SHA256,
                field_bytes: 32,
            },
            Self::EcdsaP384 => Curve {
                signing: &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
                verifying: &signature::ECDSA_P384_SHA384_ASN1,
                digest: &aws_lc_rs::digest::SHA384,
                field_bytes: 48,
            },
            Self::EcdsaP521 => Curve {
                signing: &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
                verifying: &signature::ECDSA_P521_SHA512_ASN1,
                digest: &aws_lc_rs::digest::SHA512,
                field_bytes: 66,
            },
            _ => return None,
        })
    }

    pub(super) fn lattice(
        self,
    ) -> Option<(
        &'static PqdsaSigningAlgorithm,
        &'static PqdsaVerificationAlgorithm,
    )> {
        Some(match self {
            Self::MlDsa44 => (&signature::ML_DSA_44_SIGNING, &signature::ML_DSA_44),
            Self::MlDsa65 => (&signature::ML_DSA_65_SIGNING, &signature::ML_DSA_65),
            Self::MlDsa87 => (&signature::ML_DSA_87_SIGNING, &signature::ML_DSA_87),
            _ => return None,
        })
    }
}

/// A curve of ECDSA.
pub(super) struct Curve {
    pub(super) signing: &'static EcdsaSigningAlgorithm,
    pub(super) verifying: &'static EcdsaVerificationAlgorithm,
    pub(super) digest: &'static aws_lc_rs::digest::Algorithm,
    /// Bytes of a coordinate, and of each half of a signature in its fixed form.
    pub(super) field_bytes: usize,
}
