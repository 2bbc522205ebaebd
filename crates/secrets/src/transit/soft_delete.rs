//! `keys/NAME/soft-delete`: a key is refused until somebody restores it.

use coffer_engine::{Ctx, Fault, Handle, Replies as _, Reply, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::draft::{Draft, settled};
use super::events::Happened;
use super::shown::{no_context, show};

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path(
            "keys/{name}/soft-delete",
            "Refuses a key until it is restored.",
        )
        .delete::<SoftDelete>(),
        path(
            "keys/{name}/soft-delete-restore",
            "Takes a refused key into use again.",
        )
        .write::<Restore>(),
    ])
}

/// Refuses every use of a key until it is restored. Nothing of it is lost.
#[derive(Deserialize, JsonSchema)]
struct SoftDelete {
    /// Name of the key.
    name: String,
}

impl Handle<Transit> for SoftDelete {
    type Reply = Reply;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Reply, Fault> {
        let already = "key was already marked as soft deleted";
        set(engine, cx, &self.name, true, already).await
    }
}

/// Takes a key into use again that was deleted softly.
#[derive(Deserialize, JsonSchema)]
struct Restore {
    /// Name of the key.
    name: String,
}

impl Handle<Transit> for Restore {
    type Reply = Reply;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Reply, Fault> {
        set(engine, cx, &self.name, false, "key was already restored").await
    }
}

/// Sets the mark. A key that is not there is as it was wished, as with every deletion.
async fn set(
    engine: &Transit,
    cx: &Ctx,
    name: &str,
    deleted: bool,
    already: &str,
) -> Result<Reply, Fault> {
    let changed = settled(|| async {
        let Some(mut draft) = Draft::open(cx, name).await? else {
            return Ok(None);
        };
        let was = std::mem::replace(&mut draft.key.soft_deleted, deleted);
        match was == deleted {
            true => Ok(Some((draft.key, true))),
            false => {
                let key = draft.save(engine, cx).await?;
                let happened = match deleted {
                    true => Happened::DeletedSoftly,
                    false => Happened::Undeleted,
                };
                cx.emit(key.event(happened, name));
                Ok(Some((key, false)))
            }
        }
    })
    .await?;
    let Some((key, was)) = changed else {
        return Ok(Reply::default());
    };
    let reply = show(cx, name, &key, no_context).await?.reply()?;
    Ok(if was { reply.warn(already) } else { reply })
}
