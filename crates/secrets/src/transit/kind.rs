//! The kinds of keys and what each can do.

use coffer_crypto::cipher::Cipher;
use coffer_crypto::pair::PairKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a key is: one algorithm for all its versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) enum KeyKind {
    #[serde(rename = "aes128-gcm96")]
    Aes128Gcm96,
    #[serde(rename = "aes256-gcm96")]
    #[default]
    Aes256Gcm96,
    #[serde(rename = "chacha20-poly1305")]
    ChaCha20Poly1305,
    #[serde(rename = "xchacha20-poly1305")]
    XChaCha20Poly1305,
    #[serde(rename = "ed25519")]
    Ed25519,
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
    #[serde(rename = "ecdsa-p384")]
    EcdsaP384,
    #[serde(rename = "ecdsa-p521")]
    EcdsaP521,
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    #[serde(rename = "rsa-3072")]
    Rsa3072,
    #[serde(rename = "rsa-4096")]
    Rsa4096,
    #[serde(rename = "hmac")]
    Hmac,
    #[serde(rename = "mldsa-44")]
    MlDsa44,
    #[serde(rename = "mldsa-65")]
    MlDsa65,
    #[serde(rename = "mldsa-87")]
    MlDsa87,
}

/// All kinds with their names, in the order documents show them.
const NAMES: [(&str, KeyKind); 15] = [
    ("aes128-gcm96", KeyKind::Aes128Gcm96),
    ("aes256-gcm96", KeyKind::Aes256Gcm96),
    ("chacha20-poly1305", KeyKind::ChaCha20Poly1305),
    ("xchacha20-poly1305", KeyKind::XChaCha20Poly1305),
    ("ed25519", KeyKind::Ed25519),
    ("ecdsa-p256", KeyKind::EcdsaP256),
    ("ecdsa-p384", KeyKind::EcdsaP384),
    ("ecdsa-p521", KeyKind::EcdsaP521),
    ("rsa-2048", KeyKind::Rsa2048),
    ("rsa-3072", KeyKind::Rsa3072),
    ("rsa-4096", KeyKind::Rsa4096),
    ("hmac", KeyKind::Hmac),
    ("mldsa-44", KeyKind::MlDsa44),
    ("mldsa-65", KeyKind::MlDsa65),
    ("mldsa-87", KeyKind::MlDsa87),
];

impl KeyKind {
    /// The kind of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, kind)| *kind)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, kind)| *kind == self);
        found.map_or("", |(name, _)| name)
    }

    /// The authenticated cipher, where it is one.
    pub(super) fn cipher(self) -> Option<Cipher> {
        Some(match self {
            Self::Aes128Gcm96 => Cipher::Aes128Gcm,
            Self::Aes256Gcm96 => Cipher::Aes256Gcm,
            Self::ChaCha20Poly1305 => Cipher::ChaCha20Poly1305,
            Self::XChaCha20Poly1305 => Cipher::XChaCha20Poly1305,
            _ => return None,
        })
    }

    /// What the pair is made of, where it is one.
    pub(super) fn pair(self) -> Option<PairKind> {
        Some(match self {
            Self::Ed25519 => PairKind::Ed25519,
            Self::EcdsaP256 => PairKind::EcdsaP256,
            Self::EcdsaP384 => PairKind::EcdsaP384,
            Self::EcdsaP521 => PairKind::EcdsaP521,
            Self::Rsa2048 => PairKind::Rsa2048,
            Self::Rsa3072 => PairKind::Rsa3072,
            Self::Rsa4096 => PairKind::Rsa4096,
            Self::MlDsa44 => PairKind::MlDsa44,
            Self::MlDsa65 => PairKind::MlDsa65,
            Self::MlDsa87 => PairKind::MlDsa87,
            _ => return None,
        })
    }

    /// Whether it is an RSA key.
    pub(super) fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }

    /// Whether it has a public half.
    pub(super) fn is_pair(self) -> bool {
        self.pair().is_some()
    }

    /// Whether it encrypts and decrypts.
    pub(super) fn encrypts(self) -> bool {
        self.cipher().is_some() || self.is_rsa()
    }

    /// Whether it signs and verifies.
    pub(super) fn signs(self) -> bool {
        self.is_pair()
    }

    /// Whether each context can have a key of its own.
    pub(super) fn derives(self) -> bool {
        self.cipher().is_some() || self == Self::Ed25519
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_stored_form() {
        for (name, kind) in NAMES {
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            assert_eq!(KeyKind::named(name), Some(kind));
            assert_eq!(kind.name(), name);
        }
        assert_eq!(KeyKind::named("managed_key"), None);
    }
}
