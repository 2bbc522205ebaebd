//! Refusals. Each text begins with the name that AWS gives the exception, so that a client of either API knows it by that.

use std::fmt::Display;

use coffer_engine::Fault;

/// An exception of AWS KMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exception {
    AlreadyExists,
    Disabled,
    DryRunOperation,
    ExpiredImportToken,
    IncorrectKey,
    IncorrectKeyMaterial,
    InvalidAliasName,
    InvalidCiphertext,
    InvalidGrantToken,
    InvalidImportToken,
    InvalidKeyUsage,
    InvalidMac,
    InvalidMarker,
    InvalidSignature,
    InvalidState,
    LimitExceeded,
    NotFound,
    Tag,
    Throttling,
    UnsupportedOperation,
    Validation,
}

impl Exception {
    /// The refusal with its reason.
    pub(super) fn because(self, reason: impl Display) -> Fault {
        let text = format!("{}: {reason}", self.name());
        match self {
            Self::NotFound => Fault::Missing(text),
            Self::Throttling => Fault::TooMany(text),
            _ => Fault::Invalid(text),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::AlreadyExists => "AlreadyExistsException",
            Self::Disabled => "DisabledException",
            Self::DryRunOperation => "DryRunOperationException",
            Self::ExpiredImportToken => "ExpiredImportTokenException",
            Self::IncorrectKey => "IncorrectKeyException",
            Self::IncorrectKeyMaterial => "IncorrectKeyMaterialException",
            Self::InvalidAliasName => "InvalidAliasNameException",
            Self::InvalidCiphertext => "InvalidCiphertextException",
            Self::InvalidGrantToken => "InvalidGrantTokenException",
            Self::InvalidImportToken => "InvalidImportTokenException",
            Self::InvalidKeyUsage => "InvalidKeyUsageException",
            Self::InvalidMac => "KMSInvalidMacException",
            Self::InvalidMarker => "InvalidMarkerException",
            Self::InvalidSignature => "KMSInvalidSignatureException",
            Self::InvalidState => "KMSInvalidStateException",
            Self::LimitExceeded => "LimitExceededException",
            Self::NotFound => "NotFoundException",
            Self::Tag => "TagException",
            Self::Throttling => "ThrottlingException",
            Self::UnsupportedOperation => "UnsupportedOperationException",
            Self::Validation => "ValidationException",
        }
    }
}
