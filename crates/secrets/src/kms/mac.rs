//! `mac/{key}`, `verify-mac/{key}`.

use std::sync::Arc;

use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kms;
use super::algorithm::mac_named;
use super::bytes::Bytes;
use super::exception::Exception;
use super::ready::Ready;
use super::spec::Usage;
use super::terms::Terms;

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("mac/{key}", "Codes that authenticate messages.").write::<GenerateMac>(),
        path("verify-mac/{key}", "Whether a code is a key's.").write::<VerifyMac>(),
    ])
}

/// Makes the code of up to 4,096 bytes.
#[derive(Deserialize, JsonSchema)]
struct GenerateMac {
    #[serde(flatten)]
    message: Message,
}

/// Verifies a code.
#[derive(Deserialize, JsonSchema)]
struct VerifyMac {
    #[serde(flatten)]
    message: Message,
    /// The code, in base64.
    mac: Bytes,
}

/// What is authenticated, and with which key.
#[derive(Deserialize, JsonSchema)]
struct Message {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// The message, in base64.
    message: Bytes,
    /// The algorithm: `HMAC_SHA_224`, `HMAC_SHA_256`, `HMAC_SHA_384` or `HMAC_SHA_512`, as the key is.
    mac_algorithm: Text,
    #[serde(flatten)]
    terms: Terms,
}

/// A code.
#[derive(Serialize, JsonSchema)]
struct Made {
    /// The code, in base64.
    mac: Bytes,
    mac_algorithm: &'static str,
    /// The id of the key.
    key_id: String,
}

/// A code is valid; one that is not is an error.
#[derive(Serialize, JsonSchema)]
struct Verified {
    /// The id of the key.
    key_id: String,
    mac_valid: bool,
    mac_algorithm: &'static str,
}

impl Handle<Kms> for GenerateMac {
    type Reply = Made;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Made, Fault> {
        let (ready, mac_algorithm) = self.message.checked(engine, cx).await?;
        self.message.terms.go_on()?;
        let mac = ready.mac()?.sign(self.message.message.as_slice());
        Ok(Made {
            mac: mac.into(),
            mac_algorithm,
            key_id: ready.id.to_string(),
        })
    }
}

impl Handle<Kms> for VerifyMac {
    type Reply = Verified;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Verified, Fault> {
        let (ready, mac_algorithm) = self.message.checked(engine, cx).await?;
        let mac = self.mac.ciphertext("mac")?;
        self.message.terms.go_on()?;
        let message = self.message.message.as_slice();
        match ready.mac()?.verify(message, mac) {
            true => Ok(Verified {
                key_id: ready.id.to_string(),
                mac_valid: true,
                mac_algorithm,
            }),
            false => Err(Exception::InvalidMac.because("the code is not valid")),
        }
    }
}

impl Message {
    async fn checked(&self, engine: &Kms, cx: &Ctx) -> Result<(Arc<Ready>, &'static str), Fault> {
        self.terms.accept()?;
        self.message.plaintext("message")?;
        let ready = engine
            .ready_for(cx, &self.key, Usage::GenerateVerifyMac)
            .await?;
        let algorithm = mac_named(ready.spec, &self.mac_algorithm.0)?;
        Ok((ready, algorithm))
    }
}
