//! `datakey/`: a fresh key for somebody's own cipher, encrypted for keeping beside what it encrypts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Ctx, Fault, Handle, Routes, path, plaintext};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;
use super::ciphertext;
use super::encoded::Encoded;
use super::encrypt::refuse_nonce;
use super::work::Terms;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path(
        "datakey/{plaintext}/{name}",
        "A fresh data key, encrypted with a key.",
    )
    .write::<DataKey>()])
}

/// Makes a data key and encrypts it.
#[derive(Deserialize, JsonSchema)]
struct DataKey {
    /// `plaintext` to be given the data key itself, too; `wrapped` for its ciphertext alone.
    plaintext: String,
    /// Name of the key.
    name: String,
    /// Of derived keys: what the key is derived for, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    context: Encoded,
    /// 128, 256 (the default) or 512.
    bits: Option<Int>,
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
}

/// A data key.
#[derive(Serialize, JsonSchema)]
struct Made {
    /// The data key, encrypted.
    ciphertext: String,
    /// The version that encrypted it.
    key_version: u32,
    /// The data key, in base64.
    #[serde(
        serialize_with = "plaintext::maybe",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<String>")]
    plaintext: Option<Secret<String>>,
}

impl Handle<Transit> for DataKey {
    type Reply = Made;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Made, Fault> {
        let shown = match self.plaintext.as_str() {
            "plaintext" => true,
            "wrapped" => false,
            _ => {
                return Err(Fault::invalid(
                    "Invalid path, must be 'plaintext' or 'wrapped'",
                ));
            }
        };
        let length = match self.bits.map_or(256, |bits| bits.0) {
            128 => 16,
            256 => 32,
            512 => 64,
            _ => return Err(Fault::invalid("invalid bit length")),
        };
        if self.context.bytes().is_err() {
            return Err(Fault::invalid("failed to base64-decode context"));
        }
        refuse_nonce(&self.nonce)?;
        let ready = engine.known(cx, &self.name).await?;
        let mut fresh = Zeroizing::new(vec![0; length]);
        cx.random.fill(&mut fresh);
        let terms = Terms {
            context: &self.context,
            associated_data: &self.associated_data,
            at: None,
        };
        let sealed = ready.seal(cx, self.key_version.0, &terms, &fresh).await?;
        Ok(Made {
            ciphertext: ciphertext::format(sealed.version, &sealed.bytes),
            key_version: sealed.version,
            plaintext: shown.then(|| Secret::new(STANDARD.encode(&*fresh))),
        })
    }
}
