//! `rewrap/NAME`: what an old version encrypted is encrypted by a newer one, and nobody sees it.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::batch::{Items, Turns};
use super::encoded::Encoded;
use super::encrypt::{Encrypted, EncryptedAll, refuse_nonce, write_sealed};
use super::ready::Ready;
use super::results::{Results, Written};
use super::work::{Sealed, Terms};

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path("rewrap/{name}", "Encrypts a ciphertext anew.").write::<Rewrap>()])
}

/// Encrypts a ciphertext, or a batch of them, by the latest version of its key. The plaintext is not shown.
#[derive(Deserialize, JsonSchema)]
struct Rewrap {
    /// Name of the key.
    name: String,
    /// The ciphertext and what it comes with.
    #[serde(flatten)]
    item: Item,
    /// Many ciphertexts, each with its own context, associated data and version. The fields beside it are not looked at then.
    batch_input: Option<Items<Item>>,
}

/// One ciphertext.
#[derive(Deserialize, JsonSchema)]
struct Item {
    /// What is encrypted anew, as it was given.
    #[serde(default)]
    ciphertext: Text,
    /// Of derived keys: what the key is derived for, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    context: Encoded,
    /// What was authenticated with it and will be again, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    associated_data: Encoded,
    /// The version that encrypts; 0 for the latest.
    #[serde(default)]
    key_version: Int,
    /// Nonces are made here: one that is sent is refused.
    #[serde(default)]
    nonce: Text,
    /// Of a batch: comes back with the result.
    #[serde(default)]
    reference: Text,
}

impl Handle<Transit> for Rewrap {
    type Reply = Written<EncryptedAll>;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Self::Reply, Fault> {
        let Some(batch_input) = &self.batch_input else {
            if self.item.ciphertext.0.is_empty() {
                return Err(Fault::invalid("missing ciphertext to decrypt"));
            }
            let ready = engine.known(cx, &self.name).await?;
            let sealed = self.item.rewrap(cx, &ready, None).await?;
            return Ok(Reply::data(&Encrypted::from(sealed))?.into());
        };
        let items = batch_input.with_contexts(|item| &item.context)?;
        let ready = engine.known(cx, &self.name).await?;
        Ok(batch(cx, &ready, items).await?.into())
    }
}

async fn batch(cx: &Ctx, ready: &Ready, items: &[Item]) -> Result<Reply, Fault> {
    let length = |item: &Item| item.ciphertext.0.len() + item.reference.0.len() + 96;
    let mut results = Results::with_capacity(items.iter().map(length).sum());
    let mut turns = Turns::default();
    for (at, item) in items.iter().enumerate() {
        let sealed = item.rewrap(cx, ready, Some(at)).await;
        turns.took(length(item)).await;
        results.add(&item.reference.0, sealed, write_sealed)?;
    }
    Ok(results.reply())
}

impl Item {
    async fn rewrap(&self, cx: &Ctx, ready: &Ready, at: Option<usize>) -> Result<Sealed, Fault> {
        let terms = Terms {
            context: &self.context,
            associated_data: &self.associated_data,
            at,
        };
        refuse_nonce(&self.nonce)?;
        let plaintext = ready.open(cx, &terms, &self.ciphertext.0).await?;
        ready.seal(cx, self.key_version.0, &terms, &plaintext).await
    }
}
