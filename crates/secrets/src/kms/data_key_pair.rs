//! `data-key-pair/{key}`, `data-key-pair-without-plaintext/{key}`: key pairs for use outside, the private half with a copy
//! that only the master key opens.

use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{KvPairs, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kms;
use super::bytes::Bytes;
use super::encrypt::Side;
use super::exception::Exception;
use super::spec::{KeySpec, Make};
use super::terms::{Terms, no_recipient};

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("data-key-pair/{key}", "A key pair for use outside.").write::<DataKeyPair>(),
        path(
            "data-key-pair-without-plaintext/{key}",
            "A key pair for use outside, its private half encrypted.",
        )
        .write::<DataKeyPairWithoutPlaintext>(),
    ])
}

/// Makes a key pair for use outside: the private half once in plain, once encrypted.
#[derive(Deserialize, JsonSchema)]
struct DataKeyPair {
    #[serde(flatten)]
    wanted: Wanted,
    /// Not supported: an attested enclave to encrypt the answer for.
    #[serde(default)]
    recipient: Option<Value>,
}

/// Makes a key pair for use outside, the private half encrypted.
#[derive(Deserialize, JsonSchema)]
struct DataKeyPairWithoutPlaintext {
    #[serde(flatten)]
    wanted: Wanted,
}

/// What kind of pair.
#[derive(Deserialize, JsonSchema)]
struct Wanted {
    /// The master key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// `RSA_2048`, `RSA_3072`, `RSA_4096`, `ECC_NIST_P256`, `ECC_NIST_P384`, `ECC_NIST_P521` or `ECC_NIST_EDWARDS25519`.
    key_pair_spec: Text,
    /// Pairs of texts, no secrets, that have to be given again to decrypt it.
    #[serde(default)]
    encryption_context: KvPairs,
    #[serde(flatten)]
    terms: Terms,
}

/// A key pair.
#[derive(Serialize, JsonSchema)]
struct Made {
    /// The private half (PKCS #8) encrypted with the master key, in base64.
    private_key_ciphertext_blob: Bytes,
    /// The private half (PKCS #8), in base64; forget it after use.
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key_plaintext: Option<Bytes>,
    /// The public half (`SubjectPublicKeyInfo`), in base64.
    public_key: Bytes,
    /// The id of the master key.
    key_id: String,
    key_pair_spec: &'static str,
    /// Names the material that it is encrypted with.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

impl Handle<Kms> for DataKeyPair {
    type Reply = Made;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Made, Fault> {
        no_recipient(self.recipient.as_ref())?;
        let (made, private) = self.wanted.make(engine, cx).await?;
        Ok(Made {
            private_key_plaintext: Some(private),
            ..made
        })
    }
}

impl Handle<Kms> for DataKeyPairWithoutPlaintext {
    type Reply = Made;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Made, Fault> {
        Ok(self.wanted.make(engine, cx).await?.0)
    }
}

impl Wanted {
    async fn make(&self, engine: &Kms, cx: &Ctx) -> Result<(Made, Bytes), Fault> {
        self.terms.accept()?;
        let spec = KeySpec::parse(&self.key_pair_spec.0)?;
        let kind = match spec.make() {
            Make::Pair(kind) if !spec.is_ml_dsa() => kind,
            _ => {
                return Err(Exception::Validation
                    .because(format!("key_pair_spec can not be {}", spec.name())));
            }
        };
        let context = &self.encryption_context;
        let side = Side::symmetric(engine, cx, &self.key, context).await?;
        self.terms.go_on()?;
        let pair = engine.turns.generate(kind).await?;
        let private: Bytes = pair.to_pkcs8()?.expose().clone().into();
        let (blob, key_material_id) = side.encrypt(cx, private.as_slice())?;
        let made = Made {
            private_key_ciphertext_blob: blob.into(),
            private_key_plaintext: None,
            public_key: pair.public().to_spki().into(),
            key_id: side.ready.id.to_string(),
            key_pair_spec: spec.name(),
            key_material_id,
        };
        Ok((made, private))
    }
}
