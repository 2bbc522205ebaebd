//! `awskms`: a symmetric key of AWS KMS, or of whoever speaks its protocol.
//!
//! What is wrapped carries an encryption context, so that CloudTrail shows what for, and so that nothing that the key
//! encrypts elsewhere passes for a root key. What names a key in the store may have been put there by somebody: a key is asked
//! to unwrap only if it is of the same account as the configured one.

mod api;
mod arn;
mod credentials;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::{Kept, WrapError, Wrapped, Wrapper};
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::outbound::Outbound;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::build::BuildError;
use crate::exchange::encoded;
use crate::stanza::Stanza;
use api::Api;
use arn::Arn;
use credentials::Chain;

const KIND: &str = "awskms";
/// The encryption context: not secret, and part of what is wrapped for ever.
const CONTEXT: (&str, &str) = ("coffer", "root-key");

/// A key of AWS KMS.
pub(crate) struct AwsKms {
    api: Api,
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    ciphertext_blob: String,
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    plaintext: Secret<String>,
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    key_metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    arn: String,
}

impl AwsKms {
    pub(crate) fn build(
        mut stanza: Stanza<'_>,
        outbound: Arc<dyn Outbound>,
    ) -> Result<Self, BuildError> {
        let key = stanza.required("kms_key_id", &["*_AWSKMS_SEAL_KEY_ID"])?;
        let region = stanza.text("region", &["AWS_REGION", "AWS_DEFAULT_REGION"]);
        let endpoint = stanza.text("endpoint", &["AWS_KMS_ENDPOINT", "AWS_ENDPOINT_URL_KMS"]);
        let chain = Chain::build(&mut stanza)?;
        stanza.finish()?;
        let is_sound = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if key.len() > 2048 || !key.bytes().all(is_sound) {
            return Err(stanza.unfit(
                "kms_key_id",
                "is neither the id of a key, nor an ARN, nor an alias",
            ));
        }
        // An ARN says where its key is.
        let region = region.or_else(|| Some(Arn::parse(&key)?.region.to_owned()));
        let api = Api::build(&stanza, outbound, endpoint, region, chain)?;
        Ok(Self { api, key })
    }

    async fn encrypt(&self, plaintext: &[u8]) -> Result<Wrapped, WrapError> {
        let plaintext = encoded(plaintext);
        let asked =
            json!({ "KeyId": self.key, "Plaintext": &*plaintext, "EncryptionContext": context() });
        let answer: Encrypted = self.api.ask("Encrypt", asked).await?;
        let blob = STANDARD.decode(&answer.ciphertext_blob).ok();
        let Some(ciphertext) = blob.filter(|blob| !blob.is_empty()) else {
            return Err(self.api.exchange.garbled("the ciphertext is no base64"));
        };
        if Arn::parse(&answer.key_id).is_none() {
            return Err(self.api.exchange.garbled("the key that wrapped is no ARN"));
        }
        Ok(Wrapped {
            key_id: answer.key_id,
            ciphertext,
        })
    }

    async fn decrypt(&self, wrapped: &Wrapped) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        let key = self.unwrapping(&wrapped.key_id).await?;
        let blob = STANDARD.encode(&wrapped.ciphertext);
        let asked = json!({ "KeyId": key, "CiphertextBlob": blob, "EncryptionContext": context() });
        let answer: Decrypted = self.api.ask("Decrypt", asked).await?;
        if answer.key_id != key {
            return Err(self
                .api
                .exchange
                .garbled("another key unwrapped than was asked to"));
        }
        self.api.exchange.plaintext(answer.plaintext.expose())
    }

    /// The key that is asked to unwrap: the one that wrapped, unless it is a stranger's.
    async fn unwrapping(&self, stored: &str) -> Result<String, WrapError> {
        let refused = |why: &str| Err(self.api.exchange.refused(why));
        let Some(stored_arn) = Arn::parse(stored).filter(Arn::is_key) else {
            return refused("what was stored names no key of AWS KMS");
        };
        let home = match Arn::parse(&self.key) {
            Some(_) => self.key.clone(),
            None => {
                let asked = json!({ "KeyId": self.key });
                let described: Described = self.api.ask("DescribeKey", asked).await?;
                described.key_metadata.arn
            }
        };
        let Some(home_arn) = Arn::parse(&home) else {
            return Err(self.api.exchange.garbled("the configured key has no ARN"));
        };
        if (stored_arn.partition, stored_arn.account) != (home_arn.partition, home_arn.account) {
            return refused(
                "what was stored names a key of another account than `kms_key_id` is of",
            );
        }
        match stored_arn.region == home_arn.region {
            true => Ok(stored.to_owned()),
            // A replica in another region has the same id and unwraps what its twin wrapped.
            false if stored_arn.is_multi_region() => Ok(stored_arn.within(home_arn.region)),
            false => refused("the key that wrapped is one of another region"),
        }
    }
}

fn context() -> Value {
    let (name, value) = CONTEXT;
    json!({ name: value })
}

impl Wrapper for AwsKms {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn wrap<'a>(&'a self, plaintext: &'a [u8]) -> Kept<'a, Wrapped> {
        Box::pin(self.encrypt(plaintext))
    }

    fn unwrap<'a>(&'a self, wrapped: &'a Wrapped) -> Kept<'a, Zeroizing<Vec<u8>>> {
        Box::pin(self.decrypt(wrapped))
    }
}

#[cfg(test)]
mod tests;
