//! What a key is made of, what it is for, and where its material came from.

use coffer_crypto::pair::PairKind;
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

use super::exception::Exception;

/// What a key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KeySpec {
    #[serde(rename = "SYMMETRIC_DEFAULT")]
    Symmetric,
    #[serde(rename = "RSA_2048")]
    Rsa2048,
    #[serde(rename = "RSA_3072")]
    Rsa3072,
    #[serde(rename = "RSA_4096")]
    Rsa4096,
    #[serde(rename = "ECC_NIST_P256")]
    P256,
    #[serde(rename = "ECC_NIST_P384")]
    P384,
    #[serde(rename = "ECC_NIST_P521")]
    P521,
    #[serde(rename = "ECC_NIST_EDWARDS25519")]
    Ed25519,
    #[serde(rename = "HMAC_224")]
    Hmac224,
    #[serde(rename = "HMAC_256")]
    Hmac256,
    #[serde(rename = "HMAC_384")]
    Hmac384,
    #[serde(rename = "HMAC_512")]
    Hmac512,
    #[serde(rename = "ML_DSA_44")]
    MlDsa44,
    #[serde(rename = "ML_DSA_65")]
    MlDsa65,
    #[serde(rename = "ML_DSA_87")]
    MlDsa87,
}

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Usage {
    #[serde(rename = "ENCRYPT_DECRYPT")]
    EncryptDecrypt,
    #[serde(rename = "SIGN_VERIFY")]
    SignVerify,
    #[serde(rename = "GENERATE_VERIFY_MAC")]
    GenerateVerifyMac,
}

/// Where a key's material came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Origin {
    /// Made here. The word is the protocol's, and clients look at it.
    #[serde(rename = "AWS_KMS")]
    Here,
    /// Imported.
    #[serde(rename = "EXTERNAL")]
    External,
}

/// How key material of a spec is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    /// A key that messages' keys are derived from.
    Symmetric,
    /// An HMAC key of so many bytes.
    Hmac(usize),
    /// A key pair.
    Pair(PairKind),
}

/// Keys that may take each other's place below an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Symmetric,
    Hmac,
    Pair,
}

const SPECS: [(KeySpec, &str); 15] = [
    (KeySpec::Symmetric, "SYMMETRIC_DEFAULT"),
    (KeySpec::Rsa2048, "RSA_2048"),
    (KeySpec::Rsa3072, "RSA_3072"),
    (KeySpec::Rsa4096, "RSA_4096"),
    (KeySpec::P256, "ECC_NIST_P256"),
    (KeySpec::P384, "ECC_NIST_P384"),
    (KeySpec::P521, "ECC_NIST_P521"),
    (KeySpec::Ed25519, "ECC_NIST_EDWARDS25519"),
    (KeySpec::Hmac224, "HMAC_224"),
    (KeySpec::Hmac256, "HMAC_256"),
    (KeySpec::Hmac384, "HMAC_384"),
    (KeySpec::Hmac512, "HMAC_512"),
    (KeySpec::MlDsa44, "ML_DSA_44"),
    (KeySpec::MlDsa65, "ML_DSA_65"),
    (KeySpec::MlDsa87, "ML_DSA_87"),
];

/// Specs that the protocol has and this server has not.
const MISSING_SPECS: [&str; 5] = [
    "ECC_SECG_P256K1",
    "SM2",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
];

impl KeySpec {
    /// The spec of that name.
    ///
    /// # Errors
    /// One that is known but not supported is refused by name, others as invalid.
    pub(super) fn parse(name: &str) -> Result<Self, Fault> {
        if let Some((spec, _)) = SPECS.iter().find(|(_, known)| *known == name) {
            return Ok(*spec);
        }
        Err(match MISSING_SPECS.contains(&name) {
            true => Exception::UnsupportedOperation.because(format!(
                "the key spec {name} is not supported by this server"
            )),
            false => Exception::Validation.because(format!(
                "the key spec is none of {}",
                SPECS.map(|(_, known)| known).join(", ")
            )),
        })
    }

    /// Its name in the protocol.
    pub(super) fn name(self) -> &'static str {
        let found = SPECS.iter().find(|(spec, _)| *spec == self);
        found.map_or("", |(_, name)| name)
    }

    /// How its material is kept.
    pub(super) fn make(self) -> Make {
        match self {
            Self::Symmetric => Make::Symmetric,
            Self::Hmac224 => Make::Hmac(28),
            Self::Hmac256 => Make::Hmac(32),
            Self::Hmac384 => Make::Hmac(48),
            Self::Hmac512 => Make::Hmac(64),
            Self::Rsa2048 => Make::Pair(PairKind::Rsa2048),
            Self::Rsa3072 => Make::Pair(PairKind::Rsa3072),
            Self::Rsa4096 => Make::Pair(PairKind::Rsa4096),
            Self::P256 => Make::Pair(PairKind::EcdsaP256),
            Self::P384 => Make::Pair(PairKind::EcdsaP384),
            Self::P521 => Make::Pair(PairKind::EcdsaP521),
            Self::Ed25519 => Make::Pair(PairKind::Ed25519),
            Self::MlDsa44 => Make::Pair(PairKind::MlDsa44),
            Self::MlDsa65 => Make::Pair(PairKind::MlDsa65),
            Self::MlDsa87 => Make::Pair(PairKind::MlDsa87),
        }
    }

    /// Whether it is a pair of keys.
    pub(super) fn is_pair(self) -> bool {
        matches!(self.make(), Make::Pair(_))
    }

    /// Whether it is RSA.
    pub(super) fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }

    /// Whether it is ML-DSA.
    pub(super) fn is_ml_dsa(self) -> bool {
        matches!(self, Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87)
    }

    /// What keys may take each other's place below an alias.
    pub(super) fn family(self) -> Family {
        match self.make() {
            Make::Symmetric => Family::Symmetric,
            Make::Hmac(_) => Family::Hmac,
            Make::Pair(_) => Family::Pair,
        }
    }

    /// Whether keys of the spec can be used so.
    pub(super) fn takes(self, usage: Usage) -> bool {
        match usage {
            Usage::EncryptDecrypt => self == Self::Symmetric || self.is_rsa(),
            Usage::SignVerify => self.is_pair(),
            Usage::GenerateVerifyMac => matches!(self.make(), Make::Hmac(_)),
        }
    }
}

const USAGES: [(Usage, &str); 3] = [
    (Usage::EncryptDecrypt, "ENCRYPT_DECRYPT"),
    (Usage::SignVerify, "SIGN_VERIFY"),
    (Usage::GenerateVerifyMac, "GENERATE_VERIFY_MAC"),
];

impl Usage {
    /// The usage of that name; see [`KeySpec::parse`].
    pub(super) fn parse(name: &str) -> Result<Self, Fault> {
        if let Some((usage, _)) = USAGES.iter().find(|(_, known)| *known == name) {
            return Ok(*usage);
        }
        Err(match name {
            "KEY_AGREEMENT" | "ENCAPSULATE_DECAPSULATE" => Exception::UnsupportedOperation.because(
                format!("the key usage {name} is not supported by this server"),
            ),
            _ => Exception::Validation.because(format!(
                "the key usage is none of {}",
                USAGES.map(|(_, known)| known).join(", ")
            )),
        })
    }

    /// Its name in the protocol.
    pub(super) fn name(self) -> &'static str {
        let found = USAGES.iter().find(|(usage, _)| *usage == self);
        found.map_or("", |(_, name)| name)
    }
}

impl Origin {
    /// The origin of that name; see [`KeySpec::parse`].
    pub(super) fn parse(name: &str) -> Result<Self, Fault> {
        match name {
            "AWS_KMS" => Ok(Self::Here),
            "EXTERNAL" => Ok(Self::External),
            "AWS_CLOUDHSM" | "EXTERNAL_KEY_STORE" => Err(Exception::UnsupportedOperation.because(
                format!("the origin {name} is not supported: there are no custom key stores"),
            )),
            _ => Err(Exception::Validation.because("the origin is neither AWS_KMS nor EXTERNAL")),
        }
    }

    /// Its name in the protocol.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Here => "AWS_KMS",
            Self::External => "EXTERNAL",
        }
    }
}
