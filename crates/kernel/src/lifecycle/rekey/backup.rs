//! Copies of the present shares, kept where the operators asked for that: each encrypted to its owner's key, so that one
//! whose message is lost need not be replaced.
//!
//! A copy is written in the very step that makes its shares hold, and replaces that of the former shares.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::Stored;
use coffer_crypto::Zeroizing;
use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_storage::Batch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Terms;
use crate::lifecycle::dialect::Subject;
use crate::lifecycle::pgp;
use crate::open::Open;

/// Where the copies of unseal keys are, below `core/`.
const UNSEAL: &str = "unseal-shares-backup";
/// Where those of recovery keys are.
const RECOVERY: &str = "recovery-shares-backup";

pub(super) fn routes() -> Routes<Open> {
    let about = "Copies of shares that were encrypted to PGP keys.";
    Routes::new([
        path("rekey/backup", about)
            .root_only()
            .read::<ReadBackup>()
            .delete::<DeleteBackup>(),
        path("rotate/root/backup", about)
            .read::<ReadBackup>()
            .delete::<DeleteBackup>(),
        path("rekey/recovery-key-backup", about)
            .root_only()
            .read::<ReadRecoveryBackup>()
            .delete::<DeleteRecoveryBackup>(),
        path("rotate/recovery/backup", about)
            .root_only()
            .read::<ReadRecoveryBackup>()
            .delete::<DeleteRecoveryBackup>(),
    ])
}

/// Encrypted shares by the fingerprints of their keys, as stored under `core/unseal-shares-backup` or `core/recovery-shares-backup`.
#[derive(Serialize, Deserialize)]
struct Backup {
    /// Of the attempt that made them.
    nonce: String,
    /// The messages in base64.
    keys: BTreeMap<String, Vec<String>>,
}

impl Stored for Backup {}

/// The writes that keep copies of the new shares where that was asked for, and forget those of the former ones.
pub(super) fn kept(
    open: &Open,
    nonce: &str,
    terms: &Terms,
    messages: &[Zeroizing<Vec<u8>>],
) -> Result<Batch, Fault> {
    let core = open.space.view.sub("core/");
    let record = match terms.subject {
        Subject::RecoveryKeys => RECOVERY,
        _ => UNSEAL,
    };
    if !terms.backup {
        return Ok(core.changes().delete(&core, record).into_batch());
    }
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (person, message) in terms.people.iter().zip(messages) {
        let of_person = keys.entry(pgp::fingerprint(person)).or_default();
        of_person.push(STANDARD.encode(message.as_slice()));
    }
    let backup = Backup {
        nonce: nonce.to_owned(),
        keys,
    };
    Ok(core.changes().put(&core, record, &backup)?.into_batch())
}

/// Shows the copies of the present shares, by the fingerprints of the keys they are encrypted to.
#[derive(Deserialize, JsonSchema)]
struct ReadBackup {}

impl Handle<Open> for ReadBackup {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        read(open, UNSEAL).await
    }
}

/// Shows the copies of the present recovery keys, by the fingerprints of the keys they are encrypted to.
#[derive(Deserialize, JsonSchema)]
struct ReadRecoveryBackup {}

impl Handle<Open> for ReadRecoveryBackup {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        read(open, RECOVERY).await
    }
}

async fn read(open: &Open, record: &str) -> Result<Reply, Fault> {
    let found: Option<Backup> = open.space.view.sub("core/").get(record).await?;
    let none = || Fault::invalid("no backed-up keys found");
    let found = found.ok_or_else(none)?;
    let as_hex = |message: &String| STANDARD.decode(message).map(hex::encode);
    let hex = found.keys.iter().map(|(person, messages)| {
        let messages: Result<Vec<_>, _> = messages.iter().map(as_hex).collect();
        Ok((person, messages.map_err(Fault::internal)?))
    });
    let hex: BTreeMap<_, _> = hex.collect::<Result<_, Fault>>()?;
    Reply::also_at_top(&json!({
        "nonce": found.nonce,
        "keys": hex,
        "keys_base64": found.keys,
    }))
}

/// Deletes the copies of the present shares.
#[derive(Deserialize, JsonSchema)]
struct DeleteBackup {}

impl Handle<Open> for DeleteBackup {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.space.view.sub("core/").delete(UNSEAL).await?;
        Ok(Empty)
    }
}

/// Deletes the copies of the present recovery keys.
#[derive(Deserialize, JsonSchema)]
struct DeleteRecoveryBackup {}

impl Handle<Open> for DeleteRecoveryBackup {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.space.view.sub("core/").delete(RECOVERY).await?;
        Ok(Empty)
    }
}
