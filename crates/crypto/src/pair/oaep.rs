//! How RSA encrypts.

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm,
};

/// RSAES-OAEP (RFC 8017 section 7.1) with a hash, which makes the mask too, and a label.
#[derive(Clone, Copy, Debug)]
pub struct Oaep<'a> {
    /// The hash.
    pub hash: OaepHash,
    /// What both sides name; most often nothing.
    pub label: &'a [u8],
}

/// A hash of RSAES-OAEP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OaepHash {
    /// SHA-1. What is known against it does not matter here (RFC 8017 appendix B.1).
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Oaep<'_> {
    /// With this hash and no label.
    #[must_use]
    pub fn new(hash: OaepHash) -> Self {
        Self { hash, label: &[] }
    }
}

impl OaepHash {
    /// Bytes of a digest.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The library's own, where it has it.
    pub(super) fn library(self) -> Option<&'static OaepAlgorithm> {
        match self {
            Self::Sha1 => Some(&OAEP_SHA1_MGF1SHA1),
            Self::Sha224 => None,
            Self::Sha256 => Some(&OAEP_SHA256_MGF1SHA256),
            Self::Sha384 => Some(&OAEP_SHA384_MGF1SHA384),
            Self::Sha512 => Some(&OAEP_SHA512_MGF1SHA512),
        }
    }
}
