//! `sys/namespaces/NAME/seal`, `unseal` and so on: namespaces with a seal of their own, seen from the one they lie in.

use std::sync::Arc;

use coffer_barrier::seal::SealConfig;
use coffer_crypto::Secret;
use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Flag;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::namespaces::{child, told};
use crate::events::catalogue;
use crate::lifecycle::{decoded, operators_fault};
use crate::namespaces::{self, Seal};
use crate::open::Open;

/// The only kind of seal that a namespace can have.
const SHAMIR: &str = "shamir";

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "namespaces/{path}/seal",
            "Seals a namespace that has a seal of its own.",
        )
        .write::<SealNamespace>(),
        path(
            "namespaces/{path}/unseal",
            "Hands in one share of the key of a namespace's own seal, or starts again.",
        )
        .write::<Unseal>(),
        path(
            "namespaces/{path}/seal-status",
            "Whether a namespace with a seal of its own is sealed, and how far unsealing is.",
        )
        .read::<ReadSealStatus>(),
        path(
            "namespaces/{path}/delete-sealed",
            "Deletes a namespace whose keys nobody has any more.",
        )
        .sudo()
        .delete::<DeleteSealed>(),
    ])
}

/// Reads the stanza of a new namespace's seal.
pub(super) fn stanza(text: &str) -> Result<SealConfig, Fault> {
    let invalid =
        |error: coffer_hcl::Error| Fault::Invalid(format!("unable to parse seal config: {error}"));
    let mut body = coffer_hcl::parse(text).map_err(invalid)?;
    let mut blocks = body.take_blocks("seal", 1).map_err(invalid)?;
    let (Some(mut block), true) = (blocks.pop(), blocks.is_empty()) else {
        return Err(Fault::invalid(
            "seal config must contain exactly one seal stanza",
        ));
    };
    if block.labels.first().map(AsRef::as_ref) != Some(SHAMIR) {
        return Err(Fault::invalid(
            "namespaces currently only support shamir seals",
        ));
    }
    let mut count = |name: &str| block.body.take_i64(name).map_err(invalid);
    let (shares, threshold) = (count("shares")?, count("threshold")?);
    let (shares, threshold) = (shares.unwrap_or(0), threshold.unwrap_or(0));
    if let Some(unknown) = block.body.items.first().or(body.items.first()) {
        return Err(Fault::Invalid(format!(
            "invalid seal config: {:?} is not known; a seal has shares and threshold",
            unknown.key
        )));
    }
    let config = SealConfig::new(shares, threshold);
    config.map_err(|error| Fault::Invalid(format!("invalid seal config: {error}")))
}

/// Seals a namespace: forgets its keys, so that it answers nothing until it is unsealed. What it holds that ends meanwhile
/// ends then.
#[derive(Deserialize, JsonSchema)]
struct SealNamespace {
    /// Its name.
    path: String,
}

impl Handle<Open> for SealNamespace {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let seal = own_seal(open, &self.path).await?;
        namespaces::close(open, &seal).await;
        told(open, catalogue::NAMESPACE_SEAL, &seal.path);
        Ok(Empty)
    }
}

/// Hands in one share; the namespace opens with the last one needed.
#[derive(Deserialize, JsonSchema)]
struct Unseal {
    /// Its name.
    path: String,
    /// One share of its unseal key, in hex or base64.
    #[serde(default)]
    #[schemars(with = "String")]
    key: Option<Secret<String>>,
    /// Forgets the shares handed in so far.
    #[serde(default)]
    reset: Flag,
}

impl Handle<Open> for Unseal {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let seal = own_seal(open, &self.path).await?;
        let key = self.key.as_ref().map(|key| key.expose().as_str());
        match key.filter(|key| !key.is_empty()) {
            _ if self.reset.0 => seal.attempt.lock().reset(),
            Some(key) => {
                let sealed = !seal.is_open();
                namespaces::hand_in(open, &seal, decoded(key)?, &cx.random).await?;
                if sealed && seal.is_open() {
                    told(open, catalogue::NAMESPACE_UNSEAL, &seal.path);
                }
            }
            None => {
                return Err(Fault::invalid(
                    "provided key is empty; give 'key', or 'reset' set to true",
                ));
            }
        }
        status(&seal).await
    }
}

/// Shows whether a namespace is sealed.
#[derive(Deserialize, JsonSchema)]
struct ReadSealStatus {
    /// Its name.
    path: String,
}

impl Handle<Open> for ReadSealStatus {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        status(&*own_seal(open, &self.path).await?).await
    }
}

/// Deletes a sealed namespace for ever. Its keys are destroyed at once; what its leases gave out is not undone.
#[derive(Deserialize, JsonSchema)]
struct DeleteSealed {
    /// Its name.
    path: String,
    /// Deletes the namespaces in it, too.
    #[serde(default)]
    force: Flag,
}

impl Handle<Open> for DeleteSealed {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let Some(record) = child(open, &self.path).await? else {
            return Ok(Reply::default()
                .status(200)
                .warn("requested namespace does not exist"));
        };
        namespaces::erase(open, &record, self.force.0).await?;
        told(open, catalogue::NAMESPACE_DELETE, &record.path);
        Reply::data(&json!({ "status": "in-progress" }))
    }
}

async fn status(seal: &Seal) -> Result<Reply, Fault> {
    let config = seal.keys.seal_config().await.map_err(operators_fault)?;
    let (progress, nonce) = {
        let attempt = seal.attempt.lock();
        (attempt.count(), attempt.nonce().to_owned())
    };
    Reply::data(&json!({
        "type": SHAMIR,
        "initialized": config.is_some(),
        "sealed": !seal.is_open(),
        "t": config.map_or(0, |config| config.secret_threshold),
        "n": config.map_or(0, |config| config.secret_shares),
        "progress": progress,
        "nonce": nonce,
    }))
}

/// The seal of the namespace of a name directly below the one at hand.
async fn own_seal(open: &Open, name: &str) -> Result<Arc<Seal>, Fault> {
    let record = child(open, name).await?.ok_or_else(missing)?;
    let seal = open.namespaces.seals.own(&record.id);
    seal.ok_or_else(|| Fault::invalid("namespace is not sealable"))
}

fn missing() -> Fault {
    Fault::invalid("namespace doesn't exist")
}
