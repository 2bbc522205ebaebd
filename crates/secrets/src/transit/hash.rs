//! `hash`: needs no key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::Hash;
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;
use super::encoded::Encoded;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path("hash", "The hash of something.").write::<HashInput>(),
        path("hash/{urlalgorithm}", "The hash of something.").write::<HashInputBy>(),
    ])
}

/// What is hashed, and how the hash is written.
#[derive(Deserialize, JsonSchema)]
struct Input {
    /// What is hashed, in base64.
    #[schemars(with = "String")]
    input: Option<Encoded>,
    /// `hex` (the default) or `base64`.
    format: Option<Text>,
}

/// Answers the hash of something.
#[derive(Deserialize, JsonSchema)]
struct HashInput {
    /// `sha2-224`, `sha2-256` (the default), `sha2-384`, `sha2-512` or the same with `sha3`.
    algorithm: Option<Text>,
    /// What is hashed, and how.
    #[serde(flatten)]
    input: Input,
}

/// Answers the hash of something.
#[derive(Deserialize, JsonSchema)]
struct HashInputBy {
    /// `sha2-224`, `sha2-256`, `sha2-384`, `sha2-512` or the same with `sha3`.
    urlalgorithm: String,
    /// What the path says counts, not this.
    #[serde(default, rename = "algorithm")]
    _algorithm: Text,
    /// What is hashed, and how.
    #[serde(flatten)]
    input: Input,
}

/// A hash.
#[derive(Serialize, JsonSchema)]
struct Sum {
    /// The hash.
    sum: String,
}

impl Handle<Transit> for HashInput {
    type Reply = Sum;

    async fn handle(self, _: &Transit, _: &Ctx) -> Result<Sum, Fault> {
        let algorithm = self.algorithm.as_ref().map_or("sha2-256", |text| &text.0);
        self.input.hashed(algorithm)
    }
}

impl Handle<Transit> for HashInputBy {
    type Reply = Sum;

    async fn handle(self, _: &Transit, _: &Ctx) -> Result<Sum, Fault> {
        self.input.hashed(&self.urlalgorithm)
    }
}

impl Input {
    fn hashed(&self, algorithm: &str) -> Result<Sum, Fault> {
        let input = self.input.as_ref();
        let input = input
            .ok_or_else(|| Fault::invalid("input missing"))?
            .bytes();
        let input = input.map_err(|malformed| {
            Fault::Invalid(format!("unable to decode input as base64: {malformed}"))
        })?;
        let write: fn(&[u8]) -> String = match self.format.as_ref().map_or("hex", |text| &text.0) {
            "hex" => |bytes| hex::encode(bytes),
            "base64" => |bytes| STANDARD.encode(bytes),
            other => {
                return Err(Fault::Invalid(format!(
                    "unsupported encoding format {other}; must be \"hex\" or \"base64\""
                )));
            }
        };
        let hash = named(algorithm)
            .ok_or_else(|| Fault::Invalid(format!("unsupported algorithm {algorithm}")))?;
        Ok(Sum {
            sum: write(&hash.of(input)),
        })
    }
}

/// The hash of that name.
pub(super) fn named(name: &str) -> Option<Hash> {
    Some(match name {
        "sha2-224" => Hash::Sha224,
        "sha2-256" => Hash::Sha256,
        "sha2-384" => Hash::Sha384,
        "sha2-512" => Hash::Sha512,
        "sha3-224" => Hash::Sha3_224,
        "sha3-256" => Hash::Sha3_256,
        "sha3-384" => Hash::Sha3_384,
        "sha3-512" => Hash::Sha3_512,
        _ => return None,
    })
}
