//! A change of one key, made as if nobody else changed it.

use coffer_engine::{Ctx, Fault, Seen};
use serde::{Deserialize, Serialize};

use super::Transit;
use super::key::{DELETED, Key, VERSIONS, Version, key_place, version_place};
use coffer_engine::Stored;

/// How often a change starts again when others are faster.
const TRIES: usize = 2_000;

/// A key that is about to be changed, and the versions that are written with it.
pub(super) struct Draft<'a> {
    name: &'a str,
    seen: Seen,
    /// The key as it shall be.
    pub(super) key: Key,
    added: Vec<(u32, Version)>,
    removed: Vec<u32>,
}

/// A key whose record is gone, and whose versions are about to be.
#[derive(Serialize, Deserialize)]
struct Deleted {}

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
            removed: Vec::new(),
        }))
    }

    /// A key that is not there yet; saving it is a conflict where it is.
    pub(super) fn new(name: &'a str, key: Key) -> Self {
        Self {
            name,
            seen: Seen::NOTHING,
            key,
            added: Vec::new(),
            removed: Vec::new(),
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

    /// Removes versions with it.
    pub(super) fn without(mut self, numbers: impl IntoIterator<Item = u32>) -> Self {
        self.removed.extend(numbers);
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
        for number in self.removed {
            changes = changes.delete(&cx.view, &version_place(&self.key.id, number));
        }
        changes.put(&cx.view, &place, &self.key)?.commit().await?;
        Ok(self.key)
    }

    /// Removes the key with all its versions.
    pub(super) async fn remove(self, engine: &Transit, cx: &Ctx) -> Result<(), Fault> {
        let _forgotten = engine.cache.forgetting(self.name);
        let place = key_place(self.name)?;
        let changes = cx.view.changes().expect(&cx.view, &place, self.seen);
        let changes = changes.put(&cx.view, &deleted_place(&self.key.id), &Deleted {})?;
        changes.delete(&cx.view, &place).commit().await?;
        clear(cx, &self.key.id).await
    }
}

/// Removes the versions of keys whose deletion was interrupted.
pub(super) async fn finish_deletions(cx: &Ctx) -> Result<(), Fault> {
    for id in cx.view.list_all(DELETED).await? {
        clear(cx, &id).await?;
    }
    Ok(())
}

async fn clear(cx: &Ctx, id: &str) -> Result<(), Fault> {
    cx.view.clear(&format!("{VERSIONS}{id}/")).await?;
    Ok(cx.view.delete(&deleted_place(id)).await?)
}

fn deleted_place(id: &str) -> String {
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
