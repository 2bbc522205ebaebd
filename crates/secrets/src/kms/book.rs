//! Reading, changing and removing stored keys.

use coffer_engine::{Changes, Ctx, Fault, Seen, Stored};
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

use super::Kms;
use super::name::{Alias, KeyId, KeyName, not_found};
use super::record::Key;

/// Where keys are kept.
pub(super) const KEYS: &str = "key/";
/// Where aliases are kept.
pub(super) const ALIASES: &str = "alias/";
/// What is to be done, in order of time.
pub(super) const DUE: &str = "due/";
/// How often a change starts again when others are faster; each time one of them got through.
const TRIES: usize = 2_000;

/// A stored alias.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AliasRecord {
    pub(super) target: KeyId,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}

impl Stored for AliasRecord {}

/// Says by its path alone what is to be done.
#[derive(Serialize, Deserialize)]
struct Due {}

impl Stored for Due {}

/// The key, as it is at this moment.
pub(super) async fn read(cx: &Ctx, id: KeyId) -> Result<Key, Fault> {
    Ok(Draft::open(cx, id).await?.key)
}

/// The id of a key that has a name.
pub(super) async fn id_of(cx: &Ctx, name: &KeyName) -> Result<KeyId, Fault> {
    match name {
        KeyName::Id(id) => Ok(*id),
        KeyName::Alias(alias) => Ok(alias_seen(cx, alias).await?.0.target),
    }
}

/// The id of the key that stands for `{key}` in a path.
pub(super) async fn named(cx: &Ctx, segment: &str) -> Result<KeyId, Fault> {
    id_of(cx, &KeyName::parse(segment)?).await
}

/// A stored alias that is there, and what to base a write on.
pub(super) async fn alias_seen(cx: &Ctx, alias: &Alias) -> Result<(AliasRecord, Seen), Fault> {
    let (found, seen) = cx.view.get_seen(&alias_place(alias)).await?;
    let found = found.ok_or_else(|| not_found(alias))?;
    Ok((found, seen))
}

/// Where an alias is kept.
pub(super) fn alias_place(alias: &Alias) -> String {
    format!("{ALIASES}{}", alias.segment())
}

fn place(id: KeyId) -> String {
    format!("{KEYS}{id}")
}

fn due_place(at: Timestamp, id: KeyId) -> String {
    format!("{DUE}{:016x}/{id}", at.nanos())
}

/// What an entry of [`DUE`] says.
pub(super) fn due_of(path: &str) -> Option<(Timestamp, KeyId)> {
    let (at, id) = path.strip_prefix(DUE)?.split_once('/')?;
    let at = u64::from_str_radix(at, 16).ok()?;
    Some((Timestamp::from_nanos(at), KeyId::parse(id)?))
}

/// A key that is about to be changed, provided that it is still as it was read.
pub(super) struct Draft {
    pub(super) id: KeyId,
    pub(super) key: Key,
    seen: Seen,
    due_before: Option<Timestamp>,
}

impl Draft {
    /// A key that is not there yet.
    pub(super) fn new(id: KeyId, key: Key) -> Self {
        Self {
            id,
            key,
            seen: Seen::NOTHING,
            due_before: None,
        }
    }

    /// Reads a key in order to change it.
    pub(super) async fn open(cx: &Ctx, id: KeyId) -> Result<Self, Fault> {
        let missing = || not_found(format_args!("key {id}"));
        let mut draft = Self::open_raw(cx, id).await?.ok_or_else(missing)?;
        if draft.key.is_gone(cx.now) {
            return Err(missing());
        }
        draft.key.settle(cx.now);
        Ok(draft)
    }

    /// The same as it is stored, which may be over already.
    pub(super) async fn open_raw(cx: &Ctx, id: KeyId) -> Result<Option<Self>, Fault> {
        let (found, seen) = cx.view.get_seen::<Key>(&place(id)).await?;
        Ok(found.map(|key| Self {
            id,
            due_before: key.due(),
            key,
            seen,
        }))
    }

    /// Adds writing it to what is written together.
    pub(super) fn save_in(self, cx: &Ctx, changes: Changes) -> Result<Changes, Fault> {
        let place = place(self.id);
        let mut changes = changes
            .expect(&cx.view, &place, self.seen)
            .put(&cx.view, &place, &self.key)?;
        let due = self.key.due();
        if due != self.due_before {
            if let Some(before) = self.due_before {
                changes = changes.delete(&cx.view, &due_place(before, self.id));
            }
            if let Some(due) = due {
                changes = changes.put(&cx.view, &due_place(due, self.id), &Due {})?;
            }
        }
        Ok(changes)
    }

    /// Adds removing it, with all its aliases, to what is written together.
    pub(super) fn remove_in(self, cx: &Ctx, changes: Changes) -> Changes {
        let place = place(self.id);
        let changes = changes.expect(&cx.view, &place, self.seen);
        let changes = changes.delete(&cx.view, &place);
        let changes = self.key.aliases.iter().fold(changes, |changes, alias| {
            changes.delete(&cx.view, &alias_place(alias))
        });
        match self.due_before {
            Some(due) => changes.delete(&cx.view, &due_place(due, self.id)),
            None => changes,
        }
    }
}

impl Kms {
    /// Changes the key that stands for `{key}` in a path, and tells so by an event of this kind. `edit` may run several
    /// times; an error of it leaves all as it was.
    pub(super) async fn change<R>(
        &self,
        cx: &Ctx,
        segment: &str,
        kind: &'static str,
        edit: impl Fn(KeyId, &mut Key) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let edit = |id: KeyId, key: &mut Key| Ok((id, edit(id, key)?));
        let (id, answer) = self.change_untold(cx, segment, edit).await?;
        cx.emit(id.event(kind));
        Ok(answer)
    }

    /// The same about which there is nothing to tell, or more.
    pub(super) async fn change_untold<R>(
        &self,
        cx: &Ctx,
        segment: &str,
        edit: impl Fn(KeyId, &mut Key) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let name = KeyName::parse(segment)?;
        settled(|| self.attempt(cx, &name, &edit)).await
    }

    async fn attempt<R>(
        &self,
        cx: &Ctx,
        name: &KeyName,
        edit: impl Fn(KeyId, &mut Key) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let mut draft = Draft::open(cx, id_of(cx, name).await?).await?;
        let answer = edit(draft.id, &mut draft.key)?;
        let _changing = self.cache.changing([draft.id], []);
        draft.save_in(cx, cx.view.changes())?.commit().await?;
        Ok(answer)
    }
}

/// Runs `attempt`, and again whenever somebody else was faster.
pub(super) async fn settled<T, F>(attempt: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    for _ in 1..TRIES {
        match attempt().await {
            Err(Fault::Conflict(_)) => {}
            settled => return settled,
        }
    }
    attempt().await
}
