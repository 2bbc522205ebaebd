//! `random`: needs no key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Ctx, Fault, Handle, Replies as _, Reply, Routes, path, plaintext};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;

/// The most random bytes of one answer.
const RANDOM_BYTES_MAX: usize = 128 * 1024;
/// How many there are where nothing is said.
const RANDOM_BYTES: i64 = 32;
/// Where they can come from.
const SOURCES: [&str; 3] = ["platform", "seal", "all"];

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path("random", "Random bytes.").write::<Random>(),
        path(
            "random/{source}",
            "Random bytes from a source, or so many of them.",
        )
        .write::<RandomFrom>(),
        path(
            "random/{source}/{urlbytes}",
            "So many random bytes from a source.",
        )
        .write::<RandomFromSoMany>(),
    ])
}

/// Answers random bytes.
#[derive(Deserialize, JsonSchema)]
struct Random {
    /// How many; 32 if nothing is said.
    bytes: Option<Int>,
    /// `base64` (the default) or `hex`.
    format: Option<Text>,
}

/// Answers random bytes.
#[derive(Deserialize, JsonSchema)]
struct RandomFrom {
    /// `platform`, `seal` or `all`; or how many bytes.
    source: String,
    /// How many; 32 if nothing is said.
    bytes: Option<Int>,
    /// `base64` (the default) or `hex`.
    format: Option<Text>,
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
    /// `base64` (the default) or `hex`.
    format: Option<Text>,
}

/// Random bytes.
#[derive(Serialize, JsonSchema)]
struct Drawn {
    /// The bytes.
    #[serde(serialize_with = "plaintext::text")]
    #[schemars(with = "String")]
    random_bytes: Secret<String>,
}

impl Handle<Transit> for Random {
    type Reply = Reply;

    async fn handle(self, _: &Transit, cx: &Ctx) -> Result<Reply, Fault> {
        drawn(cx, "platform", sent(self.bytes), self.format.as_ref())
    }
}

impl Handle<Transit> for RandomFrom {
    type Reply = Reply;

    async fn handle(self, _: &Transit, cx: &Ctx) -> Result<Reply, Fault> {
        let format = self.format.as_ref();
        match SOURCES.contains(&self.source.as_str()) {
            true => drawn(cx, &self.source, sent(self.bytes), format),
            false => drawn(cx, "platform", count(&self.source)?, format),
        }
    }
}

impl Handle<Transit> for RandomFromSoMany {
    type Reply = Reply;

    async fn handle(self, _: &Transit, cx: &Ctx) -> Result<Reply, Fault> {
        drawn(
            cx,
            &self.source,
            count(&self.urlbytes)?,
            self.format.as_ref(),
        )
    }
}

fn sent(bytes: Option<Int>) -> i64 {
    bytes.map_or(RANDOM_BYTES, |bytes| bytes.0)
}

fn count(text: &str) -> Result<i64, Fault> {
    text.parse().map_err(|_| {
        Fault::Invalid(format!(
            "error parsing url-set byte count: {text:?} is not a whole number"
        ))
    })
}

fn drawn(cx: &Ctx, source: &str, bytes: i64, format: Option<&Text>) -> Result<Reply, Fault> {
    if !SOURCES.contains(&source) {
        return Err(Fault::Invalid(format!(
            "unsupported entropy source {source:?}; must be \"platform\" or \"seal\", or \"all\""
        )));
    }
    let length = usize::try_from(bytes).unwrap_or(0);
    if length == 0 {
        return Err(Fault::invalid("'bytes' cannot be less than 1"));
    }
    if length > RANDOM_BYTES_MAX {
        return Err(Fault::Invalid(format!(
            "'bytes' should be less than {RANDOM_BYTES_MAX}"
        )));
    }
    let mut random = Zeroizing::new(vec![0; length]);
    cx.random.fill(&mut random);
    let random_bytes = match format.map_or("base64", |format| &format.0) {
        "base64" => STANDARD.encode(&*random),
        "hex" => hex::encode(&*random),
        other => {
            return Err(Fault::Invalid(format!(
                "unsupported encoding format {other:?}; must be \"hex\" or \"base64\""
            )));
        }
    };
    let random_bytes = Secret::new(random_bytes);
    let reply = Drawn { random_bytes }.reply()?;
    Ok(match source {
        "seal" => {
            reply.warn("no seal/entropy augmentation available, using platform entropy source")
        }
        _ => reply,
    })
}
