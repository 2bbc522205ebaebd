//! What operators configure, and changes of it, one after another.
//!
//! What may be changed hangs on other records: a key that a role names can not go, a role can not name a key that is
//! not there. So a change is decided on the whole as it stands, and takes its turn: it is written only if nobody else
//! had one meanwhile, else decided anew.

use std::future::Future;

use coffer_barrier::{Changes, Error, Stored, View};
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// How often a change is decided anew when others are faster.
const TRIES: usize = 200;
/// Where the turns are counted.
const TURN: &str = "turn";
/// The longest name of anything here, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Records that operators configure, each kind by its names.
pub struct Shelf {
    view: View,
}

/// A kind of record that has a name.
pub trait Noun: Stored {
    /// Where such records are.
    const FOLDER: &'static str;
}

/// A change of what operators configure. It may be decided several times.
pub trait Edit: Sync {
    /// What is answered when it is done.
    type Done: Send;

    /// Reads and writes in `draft`; an error leaves all as it was.
    fn decide(&self, draft: &mut Draft) -> impl Future<Output = Result<Self::Done, Fault>> + Send;
}

/// What a change has read and wants to write.
pub struct Draft {
    /// The time of the change.
    pub now: Timestamp,
    view: View,
    changes: Changes,
}

#[derive(Serialize, Deserialize)]
struct Turn {
    count: u64,
}

impl Stored for Turn {}

impl Shelf {
    /// In a view where nothing else has these names.
    pub fn new(view: View) -> Self {
        Self { view }
    }

    /// Where the records are.
    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// The record of a name.
    pub async fn get<T: Noun>(&self, name: &str) -> Result<Option<T>, Fault> {
        Ok(self.view.get(&place::<T>(name)).await?)
    }

    /// All records of a kind, in order of their names.
    pub async fn all<T: Noun>(&self) -> Result<Vec<(String, T)>, Fault> {
        all(&self.view).await
    }

    /// Makes a change, durably, as if nobody else made one meanwhile.
    pub async fn edit<E: Edit>(&self, edit: &E, now: Timestamp) -> Result<E::Done, Fault> {
        for _ in 0..TRIES {
            let (turn, seen) = self.view.get_seen::<Turn>(TURN).await?;
            let mut draft = Draft {
                now,
                view: self.view.clone(),
                changes: self.view.changes(),
            };
            let done = edit.decide(&mut draft).await?;
            if draft.changes.is_empty() {
                return Ok(done);
            }
            let count = turn.map_or(0, |turn| turn.count).wrapping_add(1);
            let changes = draft
                .changes
                .put(&self.view, TURN, &Turn { count })?
                .expect(&self.view, TURN, seen);
            match changes.commit().await {
                Ok(()) => return Ok(done),
                Err(Error::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::Conflict.into())
    }
}

impl Draft {
    /// The record of a name.
    pub async fn get<T: Noun>(&self, name: &str) -> Result<Option<T>, Fault> {
        Ok(self.view.get(&place::<T>(name)).await?)
    }

    /// All records of a kind, in order of their names.
    pub async fn all<T: Noun>(&self) -> Result<Vec<(String, T)>, Fault> {
        all(&self.view).await
    }

    /// The record of a name, which others change without taking a turn: if it is changed before this is written, this
    /// is decided anew.
    pub async fn watched<T: Noun>(&mut self, name: &str) -> Result<Option<T>, Fault> {
        let path = place::<T>(name);
        let (record, seen) = self.view.get_seen::<T>(&path).await?;
        self.with(|changes, view| Ok(changes.expect(view, &path, seen)))?;
        Ok(record)
    }

    /// Keeps a record.
    pub fn put<T: Noun>(&mut self, name: &str, record: &T) -> Result<(), Fault> {
        self.with(|changes, view| changes.put(view, &place::<T>(name), record))
    }

    /// Removes a record.
    pub fn delete<T: Noun>(&mut self, name: &str) -> Result<(), Fault> {
        self.with(|changes, view| Ok(changes.delete(view, &place::<T>(name))))
    }

    fn with(
        &mut self,
        change: impl FnOnce(Changes, &View) -> Result<Changes, Error>,
    ) -> Result<(), Fault> {
        let changes = std::mem::replace(&mut self.changes, self.view.changes());
        self.changes = change(changes, &self.view)?;
        Ok(())
    }
}

async fn all<T: Noun>(view: &View) -> Result<Vec<(String, T)>, Fault> {
    let mut found: Vec<(String, T)> = Vec::new();
    let mut pages = view.pages::<T>(T::FOLDER);
    while let Some(page) = pages.next().await? {
        let named = page.into_iter().filter_map(|(path, record)| {
            let name = path.strip_prefix(T::FOLDER)?.to_owned();
            Some((name, record))
        });
        found.extend(named);
    }
    Ok(found)
}

/// Where the record of a name is.
pub(super) fn place<T: Noun>(name: &str) -> String {
    format!("{}{name}", T::FOLDER)
}

/// Names here are words with hyphens and dots inside. Others are no paths.
pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let inside = |byte: u8| word(byte) || matches!(byte, b'-' | b'.');
    let bytes = name.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    let fits = ends.is_some_and(|(first, last)| word(*first) && word(*last))
        && bytes.iter().all(|byte| inside(*byte))
        && bytes.len() <= MAX_NAME_BYTES;
    fits.then_some(()).ok_or(Fault::UnsupportedPath)
}

/// Sorted, each once.
pub(super) fn as_set(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts.dedup();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["a", "a.b", "a-b_c", "_x", "9"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "-a", "a.", "a b", "a@b", "ä", "a/b", &"x".repeat(257)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
