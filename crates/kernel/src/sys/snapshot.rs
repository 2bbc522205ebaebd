//! `sys/storage/snapshot`, and the same where clients of raft storage look for it.

use coffer_engine::{Ctx, Empty, Fault, Handle, Path, Routes, Streamed, WithWarnings, path};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::open::Open;
use crate::snapshot::{self, Trust};

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        plain("storage/snapshot"),
        forced("storage/snapshot-force"),
        plain("storage/raft/snapshot"),
        forced("storage/raft/snapshot-force"),
    ])
}

fn plain(pattern: &'static str) -> Path<Open> {
    path(pattern, "Everything in the storage, encrypted, as a file.")
        .streamed()
        .read::<SaveSnapshot>()
        .write::<RestoreSnapshot>()
        .with_sudo()
}

fn forced(pattern: &'static str) -> Path<Open> {
    path(pattern, "Restores a snapshot made with other keys.")
        .streamed()
        .write::<ForceSnapshot>()
        .with_sudo()
}

/// Answers everything in the storage as it is now: a gzip'd tar with the encrypted entries and their digests.
#[derive(Deserialize, JsonSchema)]
struct SaveSnapshot {}

impl Handle<Open> for SaveSnapshot {
    type Reply = Streamed;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Streamed, Fault> {
        snapshot::save(open, cx.now).await
    }
}

/// Replaces everything in the storage by a snapshot that this cluster made, which is the request's body. It is
/// verified first and put in place at once, or not at all.
#[derive(Deserialize, JsonSchema)]
struct RestoreSnapshot {}

impl Handle<Open> for RestoreSnapshot {
    type Reply = WithWarnings<Empty>;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Self::Reply, Fault> {
        restore(open, cx, Trust::Ours).await
    }
}

/// Replaces everything in the storage by a snapshot whoever made it, which is the request's body. If it was made
/// with other keys, the server is sealed afterwards and opens with the snapshot's unseal keys.
#[derive(Deserialize, JsonSchema)]
struct ForceSnapshot {}

impl Handle<Open> for ForceSnapshot {
    type Reply = WithWarnings<Empty>;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Self::Reply, Fault> {
        restore(open, cx, Trust::Anyones).await
    }
}

async fn restore(open: &Open, cx: &Ctx, trust: Trust) -> Result<WithWarnings<Empty>, Fault> {
    let body = cx.upload.open();
    let body = body.ok_or_else(|| Fault::invalid("send the snapshot as the request's body"))?;
    let mut prepared = snapshot::receive(open, body, trust).await?;
    let remarks = std::mem::take(&mut prepared.remarks);
    open.signals.ask_to_replace(&cx.request.id, prepared);
    Ok(WithWarnings(Empty, remarks))
}
