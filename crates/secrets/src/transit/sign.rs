//! `sign/NAME`.

use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;
use super::batch::{Items, Turns};
use super::encoded::Encoded;
use super::signatures::{Signable, Signed};
use super::signing_options::SigningOptions;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path("sign/{name}", "Signs with a key.").write::<Sign>(),
        path(
            "sign/{name}/{urlalgorithm}",
            "Signs with a key and this hash.",
        )
        .write::<SignBy>(),
    ])
}

/// Signs a message, or a digest of one.
#[derive(Deserialize, JsonSchema)]
struct Sign {
    /// Name of the key.
    name: String,
    #[serde(flatten)]
    inputs: Inputs,
}

/// Signs a message, or a digest of one.
#[derive(Deserialize, JsonSchema)]
struct SignBy {
    /// Name of the key.
    name: String,
    /// What is hashed with; looked at before `hash_algorithm`.
    urlalgorithm: String,
    #[serde(flatten)]
    inputs: Inputs,
}

/// What is signed, and how.
#[derive(Deserialize, JsonSchema)]
struct Inputs {
    /// What is signed, in base64.
    #[schemars(with = "String")]
    input: Option<Encoded>,
    /// Of derived keys: the context whose key signs, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    context: Encoded,
    /// The version that signs; 0 for the latest.
    #[serde(default)]
    key_version: Int,
    /// Many inputs at once. Then `input` and `context` are not looked at.
    #[serde(default)]
    batch_input: Option<Items<Item>>,
    #[serde(flatten)]
    options: SigningOptions,
}

/// One input of many.
#[derive(Deserialize, JsonSchema)]
struct Item {
    /// What is signed, in base64.
    #[schemars(with = "String")]
    input: Option<Encoded>,
    /// Of derived keys: the context whose key signs, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    context: Encoded,
    /// Comes back with the result.
    #[serde(default)]
    reference: Text,
}

/// A signature, or many.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Signatures {
    One(Signature),
    Many {
        /// One for each input, in their order.
        batch_results: Vec<SignatureItem>,
    },
}

/// A signature.
#[derive(Serialize, JsonSchema)]
struct Signature {
    /// The version that signed.
    key_version: u32,
    /// The signature.
    signature: String,
    /// Of derived keys: the public half that belongs to the context.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
}

/// One result of many.
#[derive(Default, Serialize, JsonSchema)]
struct SignatureItem {
    /// The signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    /// The version that signed; 0 where none did.
    key_version: u32,
    /// Of derived keys: the public half that belongs to the context.
    #[serde(rename = "publickey", skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    /// Why there is no signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What the item had as reference.
    reference: String,
}

impl Handle<Transit> for Sign {
    type Reply = Signatures;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Signatures, Fault> {
        self.inputs.sign(engine, cx, &self.name, "").await
    }
}

impl Handle<Transit> for SignBy {
    type Reply = Signatures;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Signatures, Fault> {
        let hash = &self.urlalgorithm;
        self.inputs.sign(engine, cx, &self.name, hash).await
    }
}

impl Inputs {
    async fn sign(
        &self,
        engine: &Transit,
        cx: &Ctx,
        name: &str,
        hash: &str,
    ) -> Result<Signatures, Fault> {
        let found = engine.find(cx, name).await?;
        let ready = found.ok_or_else(|| Fault::invalid("signing key not found"))?;
        let kind = ready.pair_kind("signing")?;
        let signing = self.options.asked(hash).read(kind)?;
        let version = self.key_version.0;
        let Some(items) = &self.batch_input else {
            let item = Signable {
                input: self.input.as_ref(),
                in_batch: false,
                context: &self.context,
            };
            let made = ready.sign(cx, version, &signing, &item).await?;
            return Ok(Signatures::One(made.into()));
        };
        let items = items.some()?;
        let mut turns = Turns::default();
        let mut batch_results = Vec::with_capacity(items.len());
        for item in items {
            let Item {
                input,
                context,
                reference,
            } = item;
            let signable = Signable {
                input: input.as_ref(),
                in_batch: true,
                context,
            };
            let made = ready.sign(cx, version, &signing, &signable).await;
            batch_results.push(SignatureItem::new(made, reference)?);
            turns.took(SIGNATURE_COST_BYTES).await;
        }
        Ok(Signatures::Many { batch_results })
    }
}

/// What a signature costs others of their turn, as so many bytes of encryption.
const SIGNATURE_COST_BYTES: usize = 32 * 1024;

impl SignatureItem {
    /// A result. What is no fault of the item is one of the whole.
    fn new(made: Result<Signed, Fault>, reference: &Text) -> Result<Self, Fault> {
        let reference = reference.0.clone();
        Ok(match made {
            Ok(made) => Self {
                signature: Some(made.text),
                key_version: made.version,
                public_key: made.public,
                error: None,
                reference,
            },
            Err(Fault::Invalid(why)) => Self {
                error: Some(why),
                reference,
                ..Self::default()
            },
            Err(other) => return Err(other),
        })
    }
}

impl From<Signed> for Signature {
    fn from(made: Signed) -> Self {
        Self {
            key_version: made.version,
            signature: made.text,
            public_key: made.public,
        }
    }
}
