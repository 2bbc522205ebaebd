//! How the HSM encrypts.

use cryptoki::mechanism::MechanismType;
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};

/// A mechanism that authenticates what it encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// `CKM_AES_GCM`.
    AesGcm,
    /// `CKM_RSA_PKCS_OAEP`.
    RsaOaep,
}

/// The hash of OAEP, and of its mask generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OaepHash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Mechanism {
    /// Its name or number. Says what is wrong as the end of a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let name = text.to_ascii_uppercase();
        match (name.trim_start_matches("CKM_"), number(text)) {
            ("AES_GCM", _) | (_, Some(0x1087)) => Ok(Self::AesGcm),
            ("RSA_PKCS_OAEP", _) | (_, Some(0x0009)) => Ok(Self::RsaOaep),
            ("AES_CBC_PAD" | "AES_CBC", _) | (_, Some(0x1085 | 0x1082)) => {
                Err(format!("is not supported: {}", super::NO_HMAC))
            }
            ("RSA_PKCS", _) | (_, Some(0x0001)) => {
                Err("is not supported: the padding of PKCS #1 v1.5 tells attackers too much; take OAEP (0x0009)".to_owned())
            }
            _ => Err("is neither CKM_AES_GCM (0x1087) nor CKM_RSA_PKCS_OAEP (0x0009)".to_owned()),
        }
    }
}

impl OaepHash {
    const ALL: [(&str, Self); 5] = [
        ("sha1", Self::Sha1),
        ("sha224", Self::Sha224),
        ("sha256", Self::Sha256),
        ("sha384", Self::Sha384),
        ("sha512", Self::Sha512),
    ];

    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, hash)| *hash)
    }

    /// Its number in what is stored.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Sha1 => 1,
            Self::Sha224 => 2,
            Self::Sha256 => 3,
            Self::Sha384 => 4,
            Self::Sha512 => 5,
        }
    }

    pub(super) fn of(code: u8) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, hash)| hash.code() == code);
        found.map(|(_, hash)| *hash)
    }

    pub(super) fn parameters(self) -> PkcsOaepParams<'static> {
        let (hash, mask) = match self {
            Self::Sha1 => (MechanismType::SHA1, PkcsMgfType::MGF1_SHA1),
            Self::Sha224 => (MechanismType::SHA224, PkcsMgfType::MGF1_SHA224),
            Self::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
            Self::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384),
            Self::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512),
        };
        PkcsOaepParams::new(hash, mask, PkcsOaepSource::empty())
    }
}

/// A number, decimal or `0x…`.
pub(super) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
