//! `keys/{key}/public-key`.

use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::CommaList;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kms;
use super::algorithm;
use super::bytes::Bytes;
use super::exception::Exception;
use super::spec::Usage;
use super::terms::no_grants;

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("keys/{key}/public-key", "The public half of a key pair.").read::<GetPublicKey>(),
    ])
}

/// Shows the public half of a key pair.
#[derive(Deserialize, JsonSchema)]
struct GetPublicKey {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// Must be empty: there are no grants.
    #[serde(default)]
    grant_tokens: CommaList,
}

/// A public key.
#[derive(Serialize, JsonSchema)]
struct Shown {
    /// The id of the key.
    key_id: String,
    /// The public half (`SubjectPublicKeyInfo`), in base64.
    public_key: Bytes,
    /// The same as `key_spec`, by its old name.
    customer_master_key_spec: &'static str,
    key_spec: &'static str,
    key_usage: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    encryption_algorithms: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signing_algorithms: Vec<&'static str>,
}

impl Handle<Kms> for GetPublicKey {
    type Reply = Shown;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Shown, Fault> {
        no_grants(&self.grant_tokens)?;
        let ready = engine.ready(cx, &self.key).await?;
        if !ready.spec.is_pair() {
            return Err(Exception::UnsupportedOperation.because(format!(
                "key {} is {}, which has no public key",
                ready.id,
                ready.spec.name()
            )));
        }
        let signs = ready.usage == Usage::SignVerify;
        Ok(Shown {
            key_id: ready.id.to_string(),
            public_key: ready.pair()?.public().to_spki().into(),
            customer_master_key_spec: ready.spec.name(),
            key_spec: ready.spec.name(),
            key_usage: ready.usage.name(),
            encryption_algorithms: match signs {
                true => Vec::new(),
                false => algorithm::encryption(ready.spec),
            },
            signing_algorithms: match signs {
                true => algorithm::signing(ready.spec),
                false => Vec::new(),
            },
        })
    }
}
