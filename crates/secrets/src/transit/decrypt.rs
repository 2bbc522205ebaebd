//! `decrypt/NAME`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::Zeroizing;
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;
use super::batch::{Items, Turns};
use super::encoded::Encoded;
use super::ready::Ready;
use super::results::{Results, Written, write_base64};
use super::work::Terms;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path("decrypt/{name}", "Decrypts with a key.").write::<Decrypt>()])
}

/// Decrypts a ciphertext or a batch of them.
#[derive(Deserialize, JsonSchema)]
struct Decrypt {
    /// Name of the key.
    name: String,
    /// What is decrypted, as it was given.
    #[serde(default)]
    ciphertext: Text,
    /// Of derived keys: what the key is derived for, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    context: Encoded,
    /// What was authenticated with it, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    associated_data: Encoded,
    /// Many ciphertexts, each with its own context and associated data. The fields beside it are not looked at then.
    batch_input: Option<Items<Item>>,
    /// The status where some items fail and others do not; 400 if it is none.
    partial_failure_response_code: Option<Int>,
}

/// One ciphertext of a batch.
#[derive(Deserialize, JsonSchema)]
struct Item {
    /// What is decrypted, as it was given.
    #[serde(default)]
    ciphertext: Text,
    /// Of derived keys: what the key is derived for, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    context: Encoded,
    /// What was authenticated with it, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    associated_data: Encoded,
    /// Comes back with the result.
    #[serde(default)]
    reference: Text,
}

/// What was decrypted.
#[derive(Serialize, JsonSchema)]
struct Decrypted {
    /// The plaintext, in base64.
    #[serde(serialize_with = "text")]
    #[schemars(with = "String")]
    plaintext: Zeroizing<String>,
}

/// What was decrypted, or the results of a batch in the order of its items.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the form of what is written without it")]
struct DecryptedAll {
    /// The plaintext, in base64.
    plaintext: Option<String>,
    /// Of a batch.
    batch_results: Option<Vec<DecryptedItem>>,
}

/// The result of one item.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the form of what is written without it")]
struct DecryptedItem {
    /// The plaintext, in base64; empty where there is an error.
    plaintext: String,
    /// Why there is none.
    error: Option<String>,
    /// That of the item.
    reference: String,
}

impl Handle<Transit> for Decrypt {
    type Reply = Written<DecryptedAll>;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Self::Reply, Fault> {
        let Some(batch_input) = &self.batch_input else {
            if self.ciphertext.0.is_empty() {
                return Err(Fault::invalid("missing ciphertext to decrypt"));
            }
            let ready = engine.known(cx, &self.name).await?;
            return Ok(self.one(cx, &ready).await?.into());
        };
        let items = batch_input.with_contexts(|item| &item.context)?;
        let ready = engine.known(cx, &self.name).await?;
        let partial = self.partial_failure_response_code;
        Ok(batch(cx, &ready, items, partial).await?.into())
    }
}

impl Decrypt {
    async fn one(&self, cx: &Ctx, ready: &Ready) -> Result<Reply, Fault> {
        let terms = Terms {
            context: &self.context,
            associated_data: &self.associated_data,
            at: Some(0),
        };
        let plaintext = ready.open(cx, &terms, &self.ciphertext.0).await?;
        Reply::data(&Decrypted {
            plaintext: Zeroizing::new(STANDARD.encode(&*plaintext)),
        })
    }
}

async fn batch(
    cx: &Ctx,
    ready: &Ready,
    items: &[Item],
    partial: Option<Int>,
) -> Result<Reply, Fault> {
    let length = |item: &Item| item.ciphertext.0.len() + item.reference.0.len() + 64;
    let results = Results::with_capacity(items.iter().map(length).sum());
    let mut results = results.with_empty("plaintext");
    let mut turns = Turns::default();
    for (at, item) in items.iter().enumerate() {
        let terms = Terms {
            context: &item.context,
            associated_data: &item.associated_data,
            at: Some(at),
        };
        let opened = ready.open(cx, &terms, &item.ciphertext.0).await;
        turns.took(length(item)).await;
        results.add(&item.reference.0, opened, |to, plaintext| {
            to.extend(b"\"plaintext\":\"");
            write_base64(to, &plaintext);
            to.extend(b"\"");
        })?;
    }
    Ok(results.reply_with_status(partial))
}

fn text<S: serde::Serializer>(text: &Zeroizing<String>, to: S) -> Result<S::Ok, S::Error> {
    text.as_str().serialize(to)
}
