//! `sys/tools`: hashes and random bytes for whoever has no good source of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::{Hash, Zeroizing};
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::open::Open;

/// The most random bytes of one answer.
const RANDOM_BYTES_MAX: usize = 128 * 1024;
/// How many there are where nothing is said.
const RANDOM_BYTES: usize = 32;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("tools/hash", "The hash of something.").write::<HashInput>(),
        path("tools/hash/{urlalgorithm}", "The hash of something.").write::<HashInputBy>(),
        path("tools/random", "Random bytes.").write::<Random>(),
        path(
            "tools/random/{source}",
            "Random bytes from a source, or so many of them.",
        )
        .write::<RandomFrom>(),
        path(
            "tools/random/{source}/{urlbytes}",
            "So many random bytes from a source.",
        )
        .write::<RandomFromSoMany>(),
    ])
}

/// What is hashed, and how the hash is written.
#[derive(Deserialize, JsonSchema)]
struct Input {
    /// What is hashed, in base64.
    #[serde(default)]
    input: Text,
    /// `hex` or `base64`.
    #[serde(default)]
    format: Text,
}

/// Answers the hash of something.
#[derive(Deserialize, JsonSchema)]
struct HashInput {
    /// `sha2-224`, `sha2-256`, `sha2-384`, `sha2-512` or the same with `sha3`.
    #[serde(default)]
    algorithm: Text,
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

impl Handle<Open> for HashInput {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        self.input.hashed(&self.algorithm.0)
    }
}

impl Handle<Open> for HashInputBy {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        self.input.hashed(&self.urlalgorithm)
    }
}

impl Input {
    fn hashed(&self, algorithm: &str) -> Result<Reply, Fault> {
        let input = STANDARD.decode(&self.input.0).map(Zeroizing::new);
        let input = input.map_err(|_| {
            Fault::invalid("unable to decode input as base64; send it in standard base64")
        })?;
        let format = Format::named(&self.format.0, Format::Hex)?;
        let hash = match algorithm {
            "sha2-224" => Hash::Sha224,
            "sha2-256" | "" => Hash::Sha256,
            "sha2-384" => Hash::Sha384,
            "sha2-512" => Hash::Sha512,
            "sha3-224" => Hash::Sha3_224,
            "sha3-256" => Hash::Sha3_256,
            "sha3-384" => Hash::Sha3_384,
            "sha3-512" => Hash::Sha3_512,
            _ => {
                return Err(Fault::Invalid(format!("unsupported algorithm {algorithm}")));
            }
        };
        Reply::data(&json!({ "sum": *format.write(&hash.of(&input)) }))
    }
}

/// Answers random bytes.
#[derive(Deserialize, JsonSchema)]
struct Random {
    /// How many.
    #[serde(default)]
    bytes: Option<Int>,
    /// `base64` or `hex`.
    #[serde(default)]
    format: Text,
}

/// Answers random bytes.
#[derive(Deserialize, JsonSchema)]
struct RandomFrom {
    /// `platform`, `seal` or `all`; or how many bytes.
    source: String,
    /// How many.
    #[serde(default)]
    bytes: Option<Int>,
    /// `base64` or `hex`.
    #[serde(default)]
    format: Text,
}

/// Answers random bytes.
#[derive(Deserialize, JsonSchema)]
struct RandomFromSoMany {
    /// `platform`, `seal` or `all`.
    source: String,
    /// How many.
    urlbytes: String,
    /// What the path says counts, not this.
    #[serde(default, rename = "bytes")]
    _bytes: Option<Int>,
    /// `base64` or `hex`.
    #[serde(default)]
    format: Text,
}

impl Handle<Open> for Random {
    type Reply = Reply;

    async fn handle(self, _: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        drawn(
            cx,
            "platform",
            self.bytes.map(|bytes| bytes.0),
            &self.format.0,
        )
    }
}

impl Handle<Open> for RandomFrom {
    type Reply = Reply;

    async fn handle(self, _: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        match SOURCES.contains(&self.source.as_str()) {
            true => {
                let bytes = self.bytes.map(|bytes| bytes.0);
                drawn(cx, &self.source, bytes, &self.format.0)
            }
            false => drawn(cx, "platform", Some(count(&self.source)?), &self.format.0),
        }
    }
}

impl Handle<Open> for RandomFromSoMany {
    type Reply = Reply;

    async fn handle(self, _: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let bytes = count(&self.urlbytes)?;
        drawn(cx, &self.source, Some(bytes), &self.format.0)
    }
}

const SOURCES: [&str; 3] = ["platform", "seal", "all"];

fn count(text: &str) -> Result<i64, Fault> {
    text.parse().map_err(|_| {
        Fault::Invalid(format!(
            "error parsing url-set byte count: {text:?} is not a whole number"
        ))
    })
}

fn drawn(cx: &Ctx, source: &str, bytes: Option<i64>, format: &str) -> Result<Reply, Fault> {
    if !SOURCES.contains(&source) {
        return Err(Fault::Invalid(format!(
            "unsupported entropy source {source:?}; must be \"platform\" or \"seal\", or \"all\""
        )));
    }
    let length = match bytes {
        None => RANDOM_BYTES,
        Some(bytes) => usize::try_from(bytes).unwrap_or(0),
    };
    if length == 0 {
        return Err(Fault::invalid("'bytes' cannot be less than 1"));
    }
    if length > RANDOM_BYTES_MAX {
        return Err(Fault::Invalid(format!(
            "'bytes' should be less than {RANDOM_BYTES_MAX}"
        )));
    }
    let format = Format::named(format, Format::Base64)?;
    let mut random = Zeroizing::new(vec![0; length]);
    cx.random.fill(&mut random);
    let reply = Reply::data(&json!({ "random_bytes": *format.write(&random) }))?;
    Ok(match source {
        "seal" => {
            reply.warn("no seal/entropy augmentation available, using platform entropy source")
        }
        _ => reply,
    })
}

/// How bytes are written.
#[derive(Clone, Copy)]
enum Format {
    Hex,
    Base64,
}

impl Format {
    fn named(name: &str, otherwise: Self) -> Result<Self, Fault> {
        match name {
            "" => Ok(otherwise),
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            _ => Err(Fault::Invalid(format!(
                "unsupported encoding format {name:?}; must be \"hex\" or \"base64\""
            ))),
        }
    }

    fn write(self, bytes: &[u8]) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
        })
    }
}
