//! `encrypt/{key}`, `decrypt/{key}`.

use std::sync::Arc;

use coffer_crypto::pair::Oaep;
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{CommaList, KvPairs, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::Kms;
use super::algorithm::{Encryption, encryption_named};
use super::blob::{Header, unreadable};
use super::bytes::Bytes;
use super::context::canonical;
use super::exception::Exception;
use super::ready::Ready;
use super::spec::Usage;
use super::terms::{Terms, no_recipient};

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("encrypt/{key}", "Encryption with a key.").write::<Encrypt>(),
        path("decrypt/{key}", "Decryption with a key.").write::<Decrypt>(),
    ])
}

/// Encrypts up to 4,096 bytes; with RSA fewer.
#[derive(Deserialize, JsonSchema)]
struct Encrypt {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// What to encrypt, in base64.
    plaintext: Bytes,
    /// Pairs of texts, no secrets, that have to be given again to decrypt. Symmetric keys only.
    #[serde(default)]
    encryption_context: KvPairs,
    /// `SYMMETRIC_DEFAULT` (if nothing is said), `RSAES_OAEP_SHA_1` or `RSAES_OAEP_SHA_256`.
    #[serde(default)]
    encryption_algorithm: Text,
    #[serde(flatten)]
    terms: Terms,
}

/// A ciphertext.
#[derive(Serialize, JsonSchema)]
struct Encrypted {
    /// The ciphertext, in base64.
    ciphertext_blob: Bytes,
    /// The id of the key.
    key_id: String,
    encryption_algorithm: &'static str,
}

impl Handle<Kms> for Encrypt {
    type Reply = Encrypted;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Encrypted, Fault> {
        self.terms.accept()?;
        let plaintext = self.plaintext.plaintext("plaintext")?;
        let side = Side::find(
            engine,
            cx,
            &self.key,
            &self.encryption_algorithm.0,
            &self.encryption_context,
        )
        .await?;
        side.refuse_too_long(plaintext)?;
        self.terms.go_on()?;
        let (blob, _) = side.encrypt(cx, plaintext)?;
        Ok(Encrypted {
            ciphertext_blob: blob.into(),
            key_id: side.ready.id.to_string(),
            encryption_algorithm: side.name,
        })
    }
}

/// Decrypts what the key has encrypted.
#[derive(Deserialize, JsonSchema)]
struct Decrypt {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name. The ciphertext of another key is refused.
    key: String,
    /// The ciphertext, in base64. Missing only where `dry_run` ignores it.
    #[serde(default)]
    ciphertext_blob: Bytes,
    /// The pairs of texts that it was encrypted with.
    #[serde(default)]
    encryption_context: KvPairs,
    /// The algorithm that it was encrypted with; `SYMMETRIC_DEFAULT` if nothing is said.
    #[serde(default)]
    encryption_algorithm: Text,
    /// Not supported: an attested enclave to encrypt the answer for.
    #[serde(default)]
    recipient: Option<Value>,
    /// `IGNORE_CIPHERTEXT` lets `dry_run` go without a ciphertext.
    #[serde(default)]
    dry_run_modifiers: CommaList,
    #[serde(flatten)]
    terms: Terms,
}

/// A plaintext.
#[derive(Serialize, JsonSchema)]
struct Decrypted {
    /// The id of the key.
    key_id: String,
    /// The plaintext, in base64.
    plaintext: Bytes,
    encryption_algorithm: &'static str,
    /// Names the material that the ciphertext was made with, of symmetric keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

impl Handle<Kms> for Decrypt {
    type Reply = Decrypted;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Decrypted, Fault> {
        self.terms.accept()?;
        no_recipient(self.recipient.as_ref())?;
        let ignores = ignores_ciphertext(&self.dry_run_modifiers, &self.terms)?;
        let side = Side::find(
            engine,
            cx,
            &self.key,
            &self.encryption_algorithm.0,
            &self.encryption_context,
        )
        .await?;
        if ignores {
            self.terms.go_on()?;
        }
        let blob = self.ciphertext_blob.ciphertext("ciphertext_blob")?;
        let (plaintext, key_material_id) = side.decrypt(engine, blob).await?;
        self.terms.go_on()?;
        Ok(Decrypted {
            key_id: side.ready.id.to_string(),
            plaintext: plaintext.into(),
            encryption_algorithm: side.name,
            key_material_id,
        })
    }
}

/// Whether a rehearsal does without the ciphertext.
pub(super) fn ignores_ciphertext(modifiers: &CommaList, terms: &Terms) -> Result<bool, Fault> {
    match modifiers.0.as_slice() {
        [] => Ok(false),
        [one] if one == "IGNORE_CIPHERTEXT" && terms.dry() => Ok(true),
        _ => Err(Exception::Validation
            .because("dry_run_modifiers can only be IGNORE_CIPHERTEXT, and only with dry_run")),
    }
}

/// A key, how it encrypts, and what the ciphertext is bound to.
pub(super) struct Side {
    pub(super) ready: Arc<Ready>,
    /// The algorithm's name.
    pub(super) name: &'static str,
    algorithm: Encryption,
    /// The encryption context in its one form; of symmetric keys alone.
    context: Vec<u8>,
}

impl Side {
    /// The key of that name, where it encrypts so and with such a context.
    pub(super) async fn find(
        engine: &Kms,
        cx: &Ctx,
        key: &str,
        algorithm: &str,
        context: &KvPairs,
    ) -> Result<Self, Fault> {
        let form = canonical(context)?;
        let ready = engine.ready_for(cx, key, Usage::EncryptDecrypt).await?;
        let (name, algorithm) = encryption_named(ready.spec, algorithm)?;
        if algorithm != Encryption::Symmetric && !context.0.is_empty() {
            return Err(Exception::Validation
                .because("an encryption context is for symmetric encryption keys alone"));
        }
        Ok(Self {
            ready,
            name,
            algorithm,
            context: form,
        })
    }

    /// The symmetric key of that name, for data keys.
    pub(super) async fn symmetric(
        engine: &Kms,
        cx: &Ctx,
        key: &str,
        context: &KvPairs,
    ) -> Result<Self, Fault> {
        let form = canonical(context)?;
        let ready = engine.ready_for(cx, key, Usage::EncryptDecrypt).await?;
        if !ready.is_symmetric() {
            return Err(Exception::InvalidKeyUsage.because(format!(
                "data keys are made below symmetric encryption keys alone, and key {} is {}",
                ready.id,
                ready.spec.name()
            )));
        }
        let (name, algorithm) = encryption_named(ready.spec, "")?;
        Ok(Self {
            ready,
            name,
            algorithm,
            context: form,
        })
    }

    /// Refuses what RSA has no room for.
    pub(super) fn refuse_too_long(&self, plaintext: &[u8]) -> Result<(), Fault> {
        let Encryption::Oaep(hash) = self.algorithm else {
            return Ok(());
        };
        let room = self
            .ready
            .pair()?
            .public()
            .room(Oaep::new(hash))
            .unwrap_or(0);
        match plaintext.len() <= room {
            true => Ok(()),
            false => Err(Exception::Validation.because(format!(
                "the plaintext has {} bytes; with this key and algorithm the limit is {room}",
                plaintext.len()
            ))),
        }
    }

    /// Encrypts; says with which material, of symmetric keys.
    pub(super) fn encrypt(
        &self,
        cx: &Ctx,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, Option<String>), Fault> {
        match self.algorithm {
            Encryption::Symmetric => {
                let (version, with) = self.ready.encrypting()?;
                let id = self.ready.id;
                let header = Header { id, version };
                let key = &with.key;
                let blob = key.seal(&cx.random, header, &self.context, plaintext)?;
                Ok((blob, Some(with.id.clone())))
            }
            Encryption::Oaep(hash) => {
                let public = self.ready.pair()?.public();
                let blob = public.encrypt(Oaep::new(hash), &cx.random, plaintext)?;
                Ok((blob, None))
            }
        }
    }

    /// Decrypts; says with which material, of symmetric keys.
    pub(super) async fn decrypt(
        &self,
        engine: &Kms,
        blob: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Option<String>), Fault> {
        let hash = match self.algorithm {
            Encryption::Symmetric => return self.open(blob),
            Encryption::Oaep(hash) => hash,
        };
        let (ready, blob) = (Arc::clone(&self.ready), blob.to_vec());
        let work = move || {
            let opened = ready.pair()?.decrypt(Oaep::new(hash), &blob);
            opened.map_err(|_| {
                Exception::InvalidCiphertext
                    .because("the ciphertext is damaged, or of another key or algorithm")
            })
        };
        Ok((engine.turns.using(true, work).await??, None))
    }

    fn open(&self, blob: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Option<String>), Fault> {
        let header = Header::of(blob)?;
        if header.id != self.ready.id {
            return Err(Exception::IncorrectKey.because(format!(
                "the ciphertext was not made with key {}",
                self.ready.id
            )));
        }
        if header.version == 0 {
            return Err(unreadable());
        }
        let with = self.ready.decrypting(header.version)?;
        let plaintext = with.key.open(&self.context, blob)?;
        Ok((plaintext, Some(with.id.clone())))
    }
}
