//! `re-encrypt/{source}/{destination}`: from one key to another, without the plaintext leaving the server.

use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{CommaList, KvPairs, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kms;
use super::bytes::Bytes;
use super::encrypt::{Side, ignores_ciphertext};
use super::terms::Terms;

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([path(
        "re-encrypt/{source}/{destination}",
        "From one key to another.",
    )
    .write::<ReEncrypt>()])
}

/// Decrypts with one key and encrypts with another, or with newer material of the same.
#[derive(Deserialize, JsonSchema)]
struct ReEncrypt {
    /// The key that it is encrypted with: its id, or `alias:NAME`.
    source: String,
    /// The key to encrypt it with: its id, or `alias:NAME`.
    destination: String,
    /// The ciphertext, in base64. Missing only where `dry_run` ignores it.
    #[serde(default)]
    ciphertext_blob: Bytes,
    /// The pairs of texts that it was encrypted with.
    #[serde(default)]
    source_encryption_context: KvPairs,
    /// The pairs of texts to encrypt it with.
    #[serde(default)]
    destination_encryption_context: KvPairs,
    /// The algorithm that it was encrypted with; `SYMMETRIC_DEFAULT` if nothing is said.
    #[serde(default)]
    source_encryption_algorithm: Text,
    /// The algorithm to encrypt it with; `SYMMETRIC_DEFAULT` if nothing is said.
    #[serde(default)]
    destination_encryption_algorithm: Text,
    /// `IGNORE_CIPHERTEXT` lets `dry_run` go without a ciphertext.
    #[serde(default)]
    dry_run_modifiers: CommaList,
    #[serde(flatten)]
    terms: Terms,
}

/// The new ciphertext.
#[derive(Serialize, JsonSchema)]
struct ReEncrypted {
    /// The ciphertext, in base64.
    ciphertext_blob: Bytes,
    /// The id of the key that it was encrypted with.
    source_key_id: String,
    /// The id of the key that it is encrypted with now.
    key_id: String,
    source_encryption_algorithm: &'static str,
    destination_encryption_algorithm: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_key_material_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_key_material_id: Option<String>,
}

impl Handle<Kms> for ReEncrypt {
    type Reply = ReEncrypted;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<ReEncrypted, Fault> {
        self.terms.accept()?;
        let ignores = ignores_ciphertext(&self.dry_run_modifiers, &self.terms)?;
        let algorithm = &self.source_encryption_algorithm.0;
        let context = &self.source_encryption_context;
        let from = Side::find(engine, cx, &self.source, algorithm, context).await?;
        let algorithm = &self.destination_encryption_algorithm.0;
        let context = &self.destination_encryption_context;
        let to = Side::find(engine, cx, &self.destination, algorithm, context).await?;
        if ignores {
            self.terms.go_on()?;
        }
        let blob = self.ciphertext_blob.ciphertext("ciphertext_blob")?;
        let (plaintext, source_key_material_id) = from.decrypt(engine, blob).await?;
        to.refuse_too_long(&plaintext)?;
        self.terms.go_on()?;
        let (blob, destination_key_material_id) = to.encrypt(cx, &plaintext)?;
        Ok(ReEncrypted {
            ciphertext_blob: blob.into(),
            source_key_id: from.ready.id.to_string(),
            key_id: to.ready.id.to_string(),
            source_encryption_algorithm: from.name,
            destination_encryption_algorithm: to.name,
            source_key_material_id,
            destination_key_material_id,
        })
    }
}
