//! `encrypt/NAME`.

use std::sync::Arc;

use coffer_engine::{Ctx, Exists, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Int, Text, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;
use super::batch::{Items, Turns};
use super::ciphertext;
use super::encoded::Encoded;
use super::keys::Wish;
use super::kind::KeyKind;
use super::ready::Ready;
use super::results::{Results, Written};
use super::work::{Sealed, Terms};

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path("encrypt/{name}", "Encrypts with a key.")
        .write::<Encrypt>()
        .exists::<Named>()])
}

/// Encrypts a plaintext or a batch of them. A key that is not there is made, where that is granted.
#[derive(Deserialize, JsonSchema)]
struct Encrypt {
    /// Name of the key.
    name: String,
    /// What is encrypted, in base64.
    #[schemars(with = "String")]
    plaintext: Option<Encoded>,
    /// Of derived keys: what the key is derived for, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    context: Encoded,
    /// The version that encrypts; 0 for the latest.
    #[serde(default)]
    key_version: Int,
    /// Nonces are made here: one that is sent is refused.
    #[serde(default)]
    nonce: Text,
    /// What is authenticated with it and needed again to decrypt, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    associated_data: Encoded,
    /// Many plaintexts, each with its own context, associated data and version. The fields beside it are not looked at then.
    batch_input: Option<Items<Item>>,
    /// The status where some items fail and others do not; 400 if it is none.
    partial_failure_response_code: Option<Int>,
    /// Where the key is made: what it shall be.
    #[serde(rename = "type")]
    kind: Option<Text>,
    /// Where the key is made: whether the same plaintext in the same context shall give the same ciphertext.
    #[serde(default)]
    convergent_encryption: Flag,
}

/// One plaintext of a batch.
#[derive(Deserialize, JsonSchema)]
struct Item {
    /// What is encrypted, in base64.
    #[schemars(with = "String")]
    plaintext: Option<Encoded>,
    /// Of derived keys: what the key is derived for, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    context: Encoded,
    /// The version that encrypts; 0 for the latest.
    #[serde(default)]
    key_version: Int,
    /// Nonces are made here: one that is sent is refused.
    #[serde(default)]
    nonce: Text,
    /// What is authenticated with it and needed again to decrypt, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    associated_data: Encoded,
    /// Comes back with the result.
    #[serde(default)]
    reference: Text,
}

/// What was encrypted.
#[derive(Serialize, JsonSchema)]
pub(super) struct Encrypted {
    /// The ciphertext.
    ciphertext: String,
    /// The version that made it.
    key_version: u32,
}

/// What was encrypted, or the results of a batch in the order of its items.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the form of what is written without it")]
pub(super) struct EncryptedAll {
    /// The ciphertext.
    ciphertext: Option<String>,
    /// The version that made it.
    key_version: Option<u32>,
    /// Of a batch.
    batch_results: Option<Vec<EncryptedItem>>,
}

/// The result of one item.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the form of what is written without it")]
struct EncryptedItem {
    /// The ciphertext.
    ciphertext: Option<String>,
    /// The version that made it.
    key_version: Option<u32>,
    /// Why there is none.
    error: Option<String>,
    /// That of the item.
    reference: String,
}

impl Handle<Transit> for Encrypt {
    type Reply = Written<EncryptedAll>;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Self::Reply, Fault> {
        let Some(batch_input) = &self.batch_input else {
            let missing = || Fault::invalid("missing plaintext to encrypt");
            let plaintext = self.plaintext.as_ref().ok_or_else(missing)?;
            let ready = self.key(engine, cx).await?;
            return Ok(self.one(cx, &ready, plaintext).await?.into());
        };
        let items = batch_input.with_contexts(|item| &item.context)?;
        let ready = self.key(engine, cx).await?;
        let partial = self.partial_failure_response_code;
        Ok(batch(cx, &ready, items, partial).await?.into())
    }
}

impl Encrypt {
    /// The key; a new one where it is not there, which needs the right to create it.
    async fn key(&self, engine: &Transit, cx: &Ctx) -> Result<Arc<Ready>, Fault> {
        if let Some(ready) = engine.find(cx, &self.name).await? {
            return Ok(ready);
        }
        if engine.key_settings(cx).await?.disable_upsert {
            return Err(Fault::invalid("encryption key not found"));
        }
        engine.ensure(cx, &self.name, &self.wish()?).await?;
        engine.usable(cx, &self.name).await
    }

    /// What a key shall be that is made because somebody encrypts: derived if there is a context.
    fn wish(&self) -> Result<Wish, Fault> {
        let name = self.kind.as_ref().map_or("aes256-gcm96", |kind| &kind.0);
        let kind = match KeyKind::named(name) {
            Some(kind) if kind.cipher().is_some() => kind,
            Some(KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521) => {
                return Err(Fault::Invalid(format!(
                    "key type {name} not supported for this operation"
                )));
            }
            _ => return Err(Fault::Invalid(format!("unknown key type {name}"))),
        };
        let derived = match &self.batch_input {
            Some(items) => items.any(|item| !item.context.is_empty()),
            None => !self.context.is_empty(),
        };
        let convergent = self.convergent_encryption.0;
        if convergent && !derived {
            return Err(Fault::invalid(
                "convergent encryption requires derivation to be enabled, so context is required",
            ));
        }
        Ok(Wish {
            kind,
            derived,
            convergent,
            exportable: false,
            allow_plaintext_backup: false,
            auto_rotate_period: Ttl::default(),
            key_size: 0,
        })
    }

    async fn one(&self, cx: &Ctx, ready: &Ready, plaintext: &Encoded) -> Result<Reply, Fault> {
        let terms = Terms {
            context: &self.context,
            associated_data: &self.associated_data,
            at: Some(0),
        };
        refuse_nonce(&self.nonce)?;
        let plaintext = plaintext.bytes().map_err(Fault::invalid)?;
        let sealed = ready
            .seal(cx, self.key_version.0, &terms, plaintext)
            .await?;
        Reply::data(&Encrypted::from(sealed))
    }
}

async fn batch(
    cx: &Ctx,
    ready: &Ready,
    items: &[Item],
    partial: Option<Int>,
) -> Result<Reply, Fault> {
    let length = |item: &Item| {
        let plaintext = item.plaintext.as_ref().and_then(|plain| plain.bytes().ok());
        (plaintext.map_or(0, <[u8]>::len) + 40) / 3 * 4 + item.reference.0.len() + 80
    };
    let mut results = Results::with_capacity(items.iter().map(length).sum());
    let mut turns = Turns::default();
    for (at, item) in items.iter().enumerate() {
        let sealed = item.seal(cx, ready, at).await;
        turns.took(length(item)).await;
        results.add(&item.reference.0, sealed, write_sealed)?;
    }
    Ok(results.reply_with_status(partial))
}

impl Item {
    async fn seal(&self, cx: &Ctx, ready: &Ready, at: usize) -> Result<Sealed, Fault> {
        let terms = Terms {
            context: &self.context,
            associated_data: &self.associated_data,
            at: Some(at),
        };
        refuse_nonce(&self.nonce)?;
        let missing = || Fault::invalid("missing plaintext to encrypt");
        let plaintext = self.plaintext.as_ref().ok_or_else(missing)?;
        let plaintext = plaintext.bytes().map_err(Fault::invalid)?;
        ready.seal(cx, self.key_version.0, &terms, plaintext).await
    }
}

impl From<Sealed> for Encrypted {
    fn from(sealed: Sealed) -> Self {
        Self {
            ciphertext: ciphertext::format(sealed.version, &sealed.bytes),
            key_version: sealed.version,
        }
    }
}

/// The fields of a result.
pub(super) fn write_sealed(to: &mut coffer_crypto::WipingBuffer, sealed: Sealed) {
    to.extend(b"\"ciphertext\":\"");
    ciphertext::write(to, sealed.version, &sealed.bytes);
    to.extend(b"\",\"key_version\":");
    to.extend(sealed.version.to_string().as_bytes());
}

/// A nonce that a client chooses would have to be chosen well; none of our keys asks for one.
pub(super) fn refuse_nonce(nonce: &Text) -> Result<(), Fault> {
    match nonce.0.is_empty() {
        true => Ok(()),
        false => Err(Fault::invalid("provided nonce not allowed for this key")),
    }
}

/// Asks whether a key is there.
#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
}

impl Exists<Transit> for Named {
    async fn exists(self, engine: &Transit, cx: &Ctx) -> Result<bool, Fault> {
        Ok(engine.find(cx, &self.name).await?.is_some())
    }
}
