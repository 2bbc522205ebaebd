//! In which form key material is exported.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::pair::{KeyPair, PairKind, PublicKey};
use coffer_crypto::{Error, Zeroizing};
use coffer_engine::Fault;

use super::signatures::{PublicHalf as _, ed25519_whole};

/// A form of key material.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// What fits the kind.
    Natural,
    Raw,
    Der,
    Pem,
}

impl Format {
    /// The form of that name.
    pub(super) fn named(name: &str) -> Result<Self, Fault> {
        match name {
            "" => Ok(Self::Natural),
            "raw" => Ok(Self::Raw),
            "der" => Ok(Self::Der),
            "pem" => Ok(Self::Pem),
            other => Err(Fault::Invalid(format!("invalid format: {other}"))),
        }
    }

    /// A key that is its bytes.
    pub(super) fn bytes(self, key: &[u8]) -> Result<Zeroizing<String>, Fault> {
        match self {
            Self::Natural | Self::Raw => Ok(base64(key)),
            Self::Der | Self::Pem => Err(Fault::invalid(
                "unknown format for a key without halves; supported values are `` or `raw`",
            )),
        }
    }

    /// A public half.
    pub(super) fn public(self, key: &PublicKey) -> Result<Zeroizing<String>, Fault> {
        Ok(match self {
            Self::Natural => trimmed(Zeroizing::new(key.shown())),
            Self::Raw => {
                self.check(key.kind())?;
                base64(&key.bits())
            }
            Self::Der => base64(&key.to_spki()),
            Self::Pem => trimmed(Zeroizing::new(key.to_pem())),
        })
    }

    /// A private half.
    pub(super) fn private(self, pair: &KeyPair) -> Result<Zeroizing<String>, Fault> {
        Ok(match self {
            Self::Natural if !pair.kind().has_seed() => trimmed(pair.to_traditional_pem()?),
            Self::Natural | Self::Raw => {
                self.check(pair.kind())?;
                base64(&bare(pair)?)
            }
            Self::Der => base64(pair.to_pkcs8()?.expose()),
            Self::Pem => trimmed(pair.to_pem()?),
        })
    }

    fn check(self, kind: PairKind) -> Result<(), Fault> {
        match kind.has_seed() {
            true => Ok(()),
            false => Err(Fault::invalid(
                "unknown format for RSA and ECDSA keys; supported values are ``, `der`, or `pem`",
            )),
        }
    }
}

/// Of Ed25519 seed and public half in a row, of ML-DSA the seed.
fn bare(pair: &KeyPair) -> Result<Zeroizing<Vec<u8>>, Error> {
    let seed = || Some(Zeroizing::new(pair.seed()?.expose().clone()));
    ed25519_whole(pair).or_else(seed).ok_or(Error::Scheme)
}

fn base64(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}

/// PEM without the line break at its end, as others export it.
pub(super) fn trimmed(mut text: Zeroizing<String>) -> Zeroizing<String> {
    let length = text.trim_end().len();
    text.truncate(length);
    text
}
