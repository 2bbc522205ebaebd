//! `hmac/NAME`: codes of inputs, by each kind of key.

use coffer_crypto::{Hash, MacKey, constant_time_eq, hmac_sha1};
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;
use super::batch::{Items, Turns};
use super::ciphertext;
use super::encoded::Encoded;
use super::ready::Material;
use super::results::{Results, Written};

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path("hmac/{name}", "The code of an input.").write::<Code>(),
        path("hmac/{name}/{urlalgorithm}", "The code of an input.").write::<CodeBy>(),
    ])
}

/// Answers the code (HMAC) of an input or of a batch of them.
#[derive(Deserialize, JsonSchema)]
struct Code {
    /// Name of the key.
    name: String,
    /// `sha1`, `sha2-224`, `sha2-256` (the default), `sha2-384`, `sha2-512`, or `sha3` with the same lengths.
    algorithm: Option<Text>,
    /// What it is of.
    #[serde(flatten)]
    inputs: Inputs,
}

/// Answers the code (HMAC) of an input or of a batch of them.
#[derive(Deserialize, JsonSchema)]
struct CodeBy {
    /// Name of the key.
    name: String,
    /// `sha1`, `sha2-224`, `sha2-256`, `sha2-384`, `sha2-512`, or `sha3` with the same lengths.
    urlalgorithm: String,
    /// What the path says counts, not this.
    #[serde(default, rename = "algorithm")]
    _algorithm: Text,
    /// What it is of.
    #[serde(flatten)]
    inputs: Inputs,
}

/// What a code is of.
#[derive(Deserialize, JsonSchema)]
struct Inputs {
    /// The input, in base64.
    #[schemars(with = "String")]
    input: Option<Encoded>,
    /// The version that makes it; 0 for the latest.
    #[serde(default)]
    key_version: Int,
    /// Many inputs. The one beside it is not looked at then.
    batch_input: Option<Items<Item>>,
}

/// One input of a batch.
#[derive(Deserialize, JsonSchema)]
struct Item {
    /// The input, in base64.
    #[schemars(with = "String")]
    input: Option<Encoded>,
    /// Comes back with the result.
    #[serde(default)]
    reference: Text,
}

/// A code, or the results of a batch in the order of its items.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the form of what is written without it")]
struct Codes {
    /// The code.
    hmac: Option<String>,
    /// Of a batch.
    batch_results: Option<Vec<CodeItem>>,
}

/// The result of one item.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the form of what is written without it")]
struct CodeItem {
    /// The code.
    hmac: Option<String>,
    /// Why there is none.
    error: Option<String>,
    /// That of the item.
    reference: String,
}

/// A code.
#[derive(Serialize)]
struct Made {
    hmac: String,
}

impl Handle<Transit> for Code {
    type Reply = Written<Codes>;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Self::Reply, Fault> {
        let algorithm = self.algorithm.as_ref().map_or("sha2-256", |text| &text.0);
        self.inputs.codes(engine, cx, &self.name, algorithm).await
    }
}

impl Handle<Transit> for CodeBy {
    type Reply = Written<Codes>;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Self::Reply, Fault> {
        let algorithm = &self.urlalgorithm;
        self.inputs.codes(engine, cx, &self.name, algorithm).await
    }
}

impl Inputs {
    async fn codes(
        &self,
        engine: &Transit,
        cx: &Ctx,
        name: &str,
        algorithm: &str,
    ) -> Result<Written<Codes>, Fault> {
        let ready = engine.usable(cx, name).await?;
        let latest = ready.key.latest_version;
        match self.key_version.0 {
            ..0 => {
                return Err(Fault::invalid(
                    "key version does not exist (cannot be negative)",
                ));
            }
            version if version > i64::from(latest) => {
                return Err(Fault::Invalid(format!(
                    "key version does not exist; latest key version is {latest}"
                )));
            }
            version if version > 0 && version < i64::from(ready.key.min_encryption_version) => {
                return Err(Fault::invalid(
                    "cannot generate HMAC: version is too old (disallowed by policy)",
                ));
            }
            _ => {}
        }
        let material = ready.asked(cx, self.key_version.0).await?;
        let hash = MacHash::named(algorithm)?
            .ok_or_else(|| Fault::Invalid(format!("unsupported algorithm {algorithm}")))?;
        let Some(items) = &self.batch_input else {
            let code = code(&material, hash, self.input.as_ref())?;
            let hmac = ciphertext::format(material.number, &code);
            return Ok(Reply::data(&Made { hmac })?.into());
        };
        let items = items.some()?;
        let mut results = Results::with_capacity(items.len().saturating_mul(160));
        let mut turns = Turns::default();
        for item in items {
            let code = code(&material, hash, item.input.as_ref());
            let length = item.input.as_ref().and_then(|input| input.bytes().ok());
            turns.took(length.map_or(0, <[u8]>::len)).await;
            results.add(&item.reference.0, code, |to, code| {
                to.extend(b"\"hmac\":\"");
                ciphertext::write(to, material.number, &code);
                to.extend(b"\"");
            })?;
        }
        Ok(results.reply().into())
    }
}

fn code(material: &Material, hash: MacHash, input: Option<&Encoded>) -> Result<Vec<u8>, Fault> {
    let input = input.ok_or_else(|| Fault::invalid("missing input for HMAC"))?;
    let input = input.bytes().map_err(|malformed| {
        Fault::Invalid(format!("unable to decode input as base64: {malformed}"))
    })?;
    Ok(hash.code(material.mac(), input))
}

/// A hash that codes are made with.
#[derive(Clone, Copy)]
pub(super) enum MacHash {
    Sha1,
    Other(Hash),
}

impl MacHash {
    /// That of the name; none where nobody knows it.
    pub(super) fn named(name: &str) -> Result<Option<Self>, Fault> {
        match name {
            "none" => Err(Fault::invalid("algorithm cannot be none")),
            "sha1" => Ok(Some(Self::Sha1)),
            name => Ok(super::hash::named(name).map(Self::Other)),
        }
    }

    fn code(self, key: &[u8], input: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => hmac_sha1(key, input),
            Self::Other(hash) => MacKey::new(hash, key).sign(input),
        }
    }

    /// Whether a code is that of the input, compared in constant time.
    pub(super) fn verifies(self, key: &[u8], input: &[u8], code: &[u8]) -> bool {
        constant_time_eq(&self.code(key, input), code)
    }
}
