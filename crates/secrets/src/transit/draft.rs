//! A change of one key, made as if nobody else changed it.

use coffer_engine::{Ctx, Fault, Seen};
use serde::{Deserialize, Serialize};

use super::Transit;
use super::key::{DELETED, Key, VERSIONS, Version, key_place, version_place};
use coffer_engine::Stored;

/// How often a change starts again when others are faster.
const TRIES: usize = 2_000;
/// How many versions are removed at once.
const PAGE: usize = 1_000;

/// A key that is about to be changed, and the versions that are written with it.
pub(super) struct Draft<'a> {
    name: &'a str,
    seen: Seen,
    /// The key as it shall be.
    pub(super) key: Key,
    added: Vec<(u32, Version)>,
    /// Versions before this one are destroyed with it.
    trimmed: Option<u32>,
}

/// Versions of a key that nobody can use any more and that are about to go. There may be more than one batch of writes
/// holds, so this is written with the change that ends them, and goes after them.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Deleted {
    /// Those before it; of a deleted key all are.
    pub(super) before: u32,
}

impl Stored for Deleted {}

impl<'a> Draft<'a> {
    /// A key that is there.
    pub(super) async fn open(cx: &Ctx, name: &'a str) -> Result<Option<Self>, Fault> {
        let (key, seen) = cx.view.get_seen::<Key>(&key_place(name)?).await?;
        Ok(key.map(|key| Self {
            name,
            seen,
            key,
            added: Vec::new(),
            trimmed: None,
        }))
    }

    /// A key that is not there yet; saving it is a conflict where it is.
    pub(super) fn new(name: &'a str, key: Key) -> Self {
        Self {
            name,
            seen: Seen::NOTHING,
            key,
            added: Vec::new(),
            trimmed: None,
        }
    }

    /// The key's name.
    pub(super) fn name(&self) -> &str {
        self.name
    }

    /// Writes a version with it.
    pub(super) fn with(mut self, number: u32, version: Version) -> Self {
        self.added.push((number, version));
        self
    }

    /// Destroys the versions before this one with it.
    pub(super) fn trim(mut self, before: u32) -> Self {
        self.trimmed = Some(before);
        self
    }

    /// Makes the change durable. Only then does anybody use it.
    pub(super) async fn save(self, engine: &Transit, cx: &Ctx) -> Result<Key, Fault> {
        let _forgotten = engine.cache.forgetting(self.name);
        let place = key_place(self.name)?;
        let mut changes = cx.view.changes().expect(&cx.view, &place, self.seen);
        for (number, version) in &self.added {
            let place = version_place(&self.key.id, *number);
            changes = changes.put(&cx.view, &place, version)?;
        }
        if let Some(before) = self.trimmed {
            let place = deleted_place(&self.key.id);
            changes = changes.put(&cx.view, &place, &Deleted { before })?;
        }
        changes.put(&cx.view, &place, &self.key)?.commit().await?;
        if let Some(before) = self.trimmed {
            clear(cx, &self.key.id, before).await?;
        }
        Ok(self.key)
    }
}

/// Removes the versions of keys whose deletion or trimming was interrupted.
pub(super) async fn finish_deletions(cx: &Ctx) -> Result<(), Fault> {
    for id in cx.view.list_all(DELETED).await? {
        if let Some(deleted) = cx.view.get::<Deleted>(&deleted_place(&id)).await? {
            clear(cx, &id, deleted.before).await?;
        }
    }
    Ok(())
}

/// Removes the versions before this one, page by page, and then the note that says so.
pub(super) async fn clear(cx: &Ctx, id: &str, before: u32) -> Result<(), Fault> {
    let folder = format!("{VERSIONS}{id}/");
    let end = version_place(id, before);
    loop {
        // They stand in the order of their numbers.
        let page = cx.view.scan_paths(&folder, None, PAGE).await?;
        let gone = page.iter().take_while(|place| **place < end);
        let changes = gone.fold(cx.view.changes(), |changes, place| {
            changes.delete(&cx.view, place)
        });
        if changes.is_empty() {
            break;
        }
        changes.commit().await?;
    }
    let note = |note: Option<Deleted>| {
        // Somebody else may have trimmed further meanwhile.
        let further = note.filter(|note| note.before > before);
        Ok::<_, Fault>((further, ()))
    };
    cx.view.update(&deleted_place(id), note).await
}

/// Where the note is that versions of a key are about to go.
pub(super) fn deleted_place(id: &str) -> String {
    format!("{DELETED}{id}")
}

/// Runs `attempt`, and again whenever somebody else changed the key in between.
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
