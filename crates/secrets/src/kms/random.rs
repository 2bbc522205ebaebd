//! `random`.

use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::Kms;
use super::bytes::Bytes;
use super::exception::Exception;
use super::terms::no_recipient;

/// Random bytes of one answer at most.
const MAX_BYTES: i64 = 1_024;

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([path("random", "Random bytes.").write::<GenerateRandom>()])
}

/// Gives random bytes.
#[derive(Deserialize, JsonSchema)]
struct GenerateRandom {
    /// How many, 1 to 1024.
    number_of_bytes: Int,
    /// Not supported: there are no custom key stores.
    #[serde(default)]
    custom_key_store_id: Text,
    /// Not supported: an attested enclave to encrypt the answer for.
    #[serde(default)]
    recipient: Option<Value>,
}

/// Random bytes.
#[derive(Serialize, JsonSchema)]
struct Drawn {
    /// The bytes, in base64.
    plaintext: Bytes,
}

impl Handle<Kms> for GenerateRandom {
    type Reply = Drawn;

    async fn handle(self, _: &Kms, cx: &Ctx) -> Result<Drawn, Fault> {
        no_recipient(self.recipient.as_ref())?;
        if !self.custom_key_store_id.0.is_empty() {
            return Err(
                Exception::UnsupportedOperation.because("custom_key_store_id is not supported")
            );
        }
        let mut bytes = Zeroizing::new(vec![0; count(self.number_of_bytes)?]);
        cx.random.fill(&mut bytes);
        Ok(Drawn {
            plaintext: bytes.into(),
        })
    }
}

/// A number of bytes that may be asked for.
pub(super) fn count(number: Int) -> Result<usize, Fault> {
    let count = usize::try_from(number.0).ok();
    count
        .filter(|_| (1..=MAX_BYTES).contains(&number.0))
        .ok_or_else(|| Exception::Validation.because("number_of_bytes must be from 1 to 1024"))
}
