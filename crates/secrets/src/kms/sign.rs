//! `sign/{key}`, `verify/{key}`.

use std::sync::Arc;

use coffer_crypto::pair::Input;
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kms;
use super::algorithm::{Signing, signing_named};
use super::bytes::Bytes;
use super::exception::Exception;
use super::ready::Ready;
use super::spec::Usage;
use super::terms::Terms;

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("sign/{key}", "Signatures of a key.").write::<Sign>(),
        path("verify/{key}", "Whether a signature is a key's.").write::<Verify>(),
    ])
}

/// Signs up to 4,096 bytes, or a digest.
#[derive(Deserialize, JsonSchema)]
struct Sign {
    #[serde(flatten)]
    signed: Signed,
}

/// Verifies a signature.
#[derive(Deserialize, JsonSchema)]
struct Verify {
    #[serde(flatten)]
    signed: Signed,
    /// The signature, in base64.
    signature: Bytes,
}

/// What is signed, with which key, and how.
#[derive(Deserialize, JsonSchema)]
struct Signed {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// The message or digest, in base64.
    message: Bytes,
    /// `RAW` (a message, if nothing is said) or `DIGEST`.
    #[serde(default)]
    message_type: Text,
    /// The algorithm, for example `ECDSA_SHA_256`; see `signing_algorithms` of the key.
    signing_algorithm: Text,
    #[serde(flatten)]
    terms: Terms,
}

/// A signature.
#[derive(Serialize, JsonSchema)]
struct Signature {
    /// The id of the key.
    key_id: String,
    /// The signature, in base64; of ECDSA in ASN.1.
    signature: Bytes,
    signing_algorithm: &'static str,
}

/// A signature is valid; one that is not is an error.
#[derive(Serialize, JsonSchema)]
struct Verified {
    /// The id of the key.
    key_id: String,
    signature_valid: bool,
    signing_algorithm: &'static str,
}

impl Handle<Kms> for Sign {
    type Reply = Signature;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Signature, Fault> {
        let (ready, signing, digest) = self.signed.checked(engine, cx).await?;
        self.signed.terms.go_on()?;
        let slow = ready.spec.is_rsa() || ready.spec.is_ml_dsa();
        let (key, message) = (Arc::clone(&ready), self.signed.message);
        let work = move || {
            let made = key.pair()?.sign(&signing.scheme, input(&message, digest))?;
            Ok::<_, Fault>(made)
        };
        let signature = engine.turns.using(slow, work).await??;
        Ok(Signature {
            key_id: ready.id.to_string(),
            signature: signature.into(),
            signing_algorithm: signing.name,
        })
    }
}

impl Handle<Kms> for Verify {
    type Reply = Verified;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Verified, Fault> {
        let (ready, signing, digest) = self.signed.checked(engine, cx).await?;
        let signature = self.signature.ciphertext("signature")?;
        self.signed.terms.go_on()?;
        let public = ready.pair()?.public();
        let input = input(&self.signed.message, digest);
        match public.verify(&signing.scheme, input, signature) {
            true => Ok(Verified {
                key_id: ready.id.to_string(),
                signature_valid: true,
                signing_algorithm: signing.name,
            }),
            false => Err(Exception::InvalidSignature.because("the signature is not valid")),
        }
    }
}

fn input(message: &Bytes, digest: bool) -> Input<'_> {
    match digest {
        true => Input::Digest(message.as_slice()),
        false => Input::Message(message.as_slice()),
    }
}

impl Signed {
    /// The key, the algorithm, and whether the message is a digest.
    async fn checked(
        &self,
        engine: &Kms,
        cx: &Ctx,
    ) -> Result<(Arc<Ready>, &'static Signing, bool), Fault> {
        self.terms.accept()?;
        let message = self.message.plaintext("message")?;
        let digest = match self.message_type.0.as_str() {
            "" | "RAW" => false,
            "DIGEST" => true,
            "EXTERNAL_MU" => {
                return Err(Exception::UnsupportedOperation
                    .because("the message type EXTERNAL_MU is not supported by this server"));
            }
            _ => {
                return Err(Exception::Validation.because("message_type is neither RAW nor DIGEST"));
            }
        };
        let ready = engine.ready_for(cx, &self.key, Usage::SignVerify).await?;
        let signing = signing_named(ready.spec, &self.signing_algorithm.0)?;
        if digest && !signing.digests {
            return Err(Exception::Validation
                .because(format!("{} signs messages, not digests", signing.name)));
        }
        let wrong_length = signing.scheme.hash.bytes() != Some(message.len());
        if digest && wrong_length {
            return Err(Exception::Validation.because(format!(
                "the digest has {} bytes, which is not the length of the hash of {}",
                message.len(),
                signing.name
            )));
        }
        Ok((ready, signing, digest))
    }
}
