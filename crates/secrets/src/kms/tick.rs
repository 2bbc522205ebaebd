//! What is done when its time has come: deletions, rotations, wiping what has expired.

use coffer_engine::{Ctx, Fault};

use super::Kms;
use super::book::{DUE, Draft, due_of, settled};
use super::name::KeyId;
use super::record::{Key, RotationKind};
use super::rotation::{MAX_VERSIONS, fresh_version};

/// How many entries are read at once.
const PAGE: usize = 100;

/// Does all that is due. What fails is tried again with the next tick, and holds up nothing else.
pub(super) async fn tick(engine: &Kms, cx: &Ctx) -> Result<(), Fault> {
    let mut outcome = Ok(());
    let mut after: Option<String> = None;
    loop {
        let page = cx.view.scan_paths(DUE, after.as_deref(), PAGE).await?;
        let Some(last) = page.last().cloned() else {
            return outcome;
        };
        for path in &page {
            let Some((at, id)) = due_of(path) else {
                cx.view.delete(path).await?;
                continue;
            };
            if at > cx.now {
                return outcome;
            }
            if let Err(fault) = settled(|| settle(engine, cx, path, id)).await {
                tracing::warn!(key = %id, error = %fault, "what was due for a master key failed; it is tried again");
                outcome = Err(fault);
            }
        }
        after = Some(last);
    }
}

async fn settle(engine: &Kms, cx: &Ctx, path: &str, id: KeyId) -> Result<(), Fault> {
    let Some(mut draft) = Draft::open_raw(cx, id).await? else {
        return Ok(cx.view.delete(path).await?);
    };
    let aliases = draft.key.aliases.clone();
    let _changing = engine.cache.changing([id], aliases);
    let changes = cx.view.changes();
    let changes = match draft.key.is_gone(cx.now) {
        true => draft.remove_in(cx, changes),
        false => {
            draft.key.settle(cx.now);
            rotate_if_due(cx, id, &mut draft.key);
            draft.save_in(cx, changes)?
        }
    };
    Ok(changes.commit().await?)
}

fn rotate_if_due(cx: &Ctx, id: KeyId, key: &mut Key) {
    let due = key.next_rotation().is_some_and(|at| at <= cx.now);
    let Some(rotation) = key.rotation.filter(|_| due) else {
        return;
    };
    if key.versions.len() >= MAX_VERSIONS {
        tracing::warn!(key = %id, "a master key has all the versions it can have; it is rotated no more");
        key.rotation = None;
        return;
    }
    key.rotation = Some(rotation.after(cx.now));
    let number = key.add(fresh_version(cx, id));
    key.rotate_to(number, cx.now, RotationKind::Automatic);
}
