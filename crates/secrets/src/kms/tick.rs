//! What is done when its time has come: deletions, rotations, wiping what has expired.

use coffer_engine::{Ctx, Event, Fault};

use super::Kms;
use super::book::{DUE, Draft, due_of, settled};
use super::events::{ALIAS_DELETE, KEY_DELETE, KEY_ROTATE, MATERIAL_EXPIRE};
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
    let _changing = engine.cache.changing([id], aliases.clone());
    let changes = cx.view.changes();
    let (changes, events) = match draft.key.is_gone(cx.now) {
        true => {
            let aliases = aliases.iter().map(|alias| alias.event(ALIAS_DELETE, id));
            let events = aliases.chain([id.event(KEY_DELETE)]).collect();
            (draft.remove_in(cx, changes), events)
        }
        false => {
            let events = catch_up(cx, id, &mut draft.key);
            (draft.save_in(cx, changes)?, events)
        }
    };
    changes.commit().await?;
    events.into_iter().for_each(|event| cx.emit(event));
    Ok(())
}

/// Does what the time has brought; answers what there is to tell of it.
fn catch_up(cx: &Ctx, id: KeyId, key: &mut Key) -> Vec<Event> {
    let held = |key: &Key| {
        key.versions
            .values()
            .filter(|v| v.material.is_some())
            .count()
    };
    let before = held(key);
    key.settle(cx.now);
    let expired = (held(key) < before).then(|| id.event(MATERIAL_EXPIRE));
    let current = key.current;
    rotate_if_due(cx, id, key);
    let rotated = (key.current != current).then(|| id.event(KEY_ROTATE).with("automatic", true));
    expired.into_iter().chain(rotated).collect()
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
