//! `data-key/{key}`, `data-key-without-plaintext/{key}`: keys for data outside, with a copy that only the master key opens.

use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{Int, KvPairs, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::Kms;
use super::bytes::Bytes;
use super::encrypt::Side;
use super::exception::Exception;
use super::random::count;
use super::terms::{Terms, no_recipient};

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("data-key/{key}", "A key for data outside.").write::<DataKey>(),
        path(
            "data-key-without-plaintext/{key}",
            "A key for data outside, encrypted.",
        )
        .write::<DataKeyWithoutPlaintext>(),
    ])
}

/// Makes a key for data outside: once in plain, once encrypted.
#[derive(Deserialize, JsonSchema)]
struct DataKey {
    #[serde(flatten)]
    wanted: Wanted,
    /// Not supported: an attested enclave to encrypt the answer for.
    #[serde(default)]
    recipient: Option<Value>,
}

/// Makes a key for data outside, encrypted: for those who only pass it on.
#[derive(Deserialize, JsonSchema)]
struct DataKeyWithoutPlaintext {
    #[serde(flatten)]
    wanted: Wanted,
}

/// What kind of key.
#[derive(Deserialize, JsonSchema)]
struct Wanted {
    /// The master key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// `AES_256` or `AES_128`; else `number_of_bytes`.
    #[serde(default)]
    key_spec: Text,
    /// How long it is, 1 to 1024 bytes; else `key_spec`.
    #[serde(default)]
    number_of_bytes: Option<Int>,
    /// Pairs of texts, no secrets, that have to be given again to decrypt it.
    #[serde(default)]
    encryption_context: KvPairs,
    #[serde(flatten)]
    terms: Terms,
}

/// A data key.
#[derive(Serialize, JsonSchema)]
struct Made {
    /// The key encrypted with the master key, in base64; keep it with the data.
    ciphertext_blob: Bytes,
    /// The key, in base64; forget it after use.
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<Bytes>,
    /// The id of the master key.
    key_id: String,
    /// Names the material that it is encrypted with.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

impl Handle<Kms> for DataKey {
    type Reply = Made;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Made, Fault> {
        no_recipient(self.recipient.as_ref())?;
        let (made, plaintext) = self.wanted.make(engine, cx).await?;
        Ok(Made {
            plaintext: Some(plaintext.into()),
            ..made
        })
    }
}

impl Handle<Kms> for DataKeyWithoutPlaintext {
    type Reply = Made;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Made, Fault> {
        Ok(self.wanted.make(engine, cx).await?.0)
    }
}

impl Wanted {
    async fn make(&self, engine: &Kms, cx: &Ctx) -> Result<(Made, Zeroizing<Vec<u8>>), Fault> {
        self.terms.accept()?;
        let bytes = self.bytes()?;
        let context = &self.encryption_context;
        let side = Side::symmetric(engine, cx, &self.key, context).await?;
        self.terms.go_on()?;
        let mut plaintext = Zeroizing::new(vec![0; bytes]);
        cx.random.fill(&mut plaintext);
        let (blob, key_material_id) = side.encrypt(cx, &plaintext)?;
        let made = Made {
            ciphertext_blob: blob.into(),
            plaintext: None,
            key_id: side.ready.id.to_string(),
            key_material_id,
        };
        Ok((made, plaintext))
    }

    fn bytes(&self) -> Result<usize, Fault> {
        match (self.key_spec.0.as_str(), self.number_of_bytes) {
            ("AES_256", None) => Ok(32),
            ("AES_128", None) => Ok(16),
            ("", Some(number)) => count(number),
            ("" | "AES_256" | "AES_128", _) => {
                Err(Exception::Validation.because("give either number_of_bytes or key_spec"))
            }
            _ => Err(Exception::Validation.because("key_spec is neither AES_256 nor AES_128")),
        }
    }
}
