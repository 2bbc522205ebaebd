//! Reading from the newest durable state.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, StorageError};

use super::disk::Health;
use super::files::ENTRIES;
use super::record;
use crate::Error;
use crate::listing::{children, text};

/// How often a read is tried anew when the file was opened again while it ran.
const READ_TRIES: usize = 16;

/// The snapshot that readers use now. The writer replaces it after each durable commit and before
/// it answers, so a read that starts after an acknowledged write sees that write, and no read has
/// to open a transaction of its own.
pub(super) struct Published {
    current: ArcSwapOption<Snapshot>,
    health: Arc<Health>,
}

/// One durable state of the database.
pub(super) struct Snapshot {
    entries: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

impl Published {
    pub(super) fn new(snapshot: Snapshot, health: Arc<Health>) -> Self {
        Self {
            current: ArcSwapOption::from_pointee(snapshot),
            health,
        }
    }

    #[cfg(test)]
    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// Lets new reads see `snapshot`, or refuses them for `None`.
    pub(super) fn publish(&self, snapshot: Option<Snapshot>) {
        self.current.store(snapshot.map(Arc::new));
    }

    /// The newest snapshot, which stays as it is. While the file is being opened again, waits for that.
    pub(super) async fn newest(&self) -> Result<Arc<Snapshot>, Error> {
        loop {
            if let Some(snapshot) = self.current.load_full() {
                return Ok(snapshot);
            }
            if self.health.is_reopening() {
                self.health.wait().await;
            } else if self.current.load().is_none() {
                // Looked at again, as the file may have been opened in between.
                return Err(Error::Closed);
            }
        }
    }

    /// Asks the newest snapshot.
    ///
    /// When the disk fails, the engine refuses everybody until the writer has opened the file
    /// again; a read caught in that moment waits for it and asks the new snapshot.
    pub(super) async fn read<T>(
        &self,
        ask: impl Fn(&Snapshot) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut tries = 0;
        loop {
            let snapshot = self.newest().await?;
            let answer = guarded(|| ask(&snapshot));
            tries += 1;
            if answer.is_ok() || tries == READ_TRIES {
                return answer;
            }
            let replaced = self
                .current
                .load()
                .as_ref()
                .is_none_or(|current| !Arc::ptr_eq(current, &snapshot));
            if !replaced && !self.health.has_failed() {
                return answer;
            }
            drop(snapshot);
            self.health.wait().await;
        }
    }
}

impl Snapshot {
    /// The newest committed state.
    pub(super) fn take(database: &Database) -> Result<Self, Error> {
        let entries = database
            .begin_read()
            .map_err(redb::Error::from)
            .and_then(|read| Ok(read.open_table(ENTRIES)?))
            .map_err(|e| Error::io("reading the store", e))?;
        Ok(Self { entries })
    }

    pub(super) fn get(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let found = ReadableTable::get(&self.entries, path.as_bytes()).map_err(read_error)?;
        match found {
            Some(stored) => record::value(path.as_bytes(), stored.value()).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        children(prefix, after, limit, |from| {
            let range = ReadableTable::range(&self.entries, from..).map_err(read_error)?;
            Ok(range.map(|entry| match entry {
                Ok((key, _)) => Ok(key.value().to_vec()),
                Err(e) => Err(read_error(e)),
            }))
        })
    }

    /// A page of at most `limit` entries that ends early once it holds `bytes`.
    pub(super) fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, Error> {
        // No path holds NUL, so this is the least key above `after` itself.
        let from = match after {
            Some(after) if after >= prefix => [after.as_bytes(), b"\0"].concat(),
            _ => prefix.as_bytes().to_vec(),
        };
        let mut page = Vec::new();
        let mut held = 0;
        for entry in ReadableTable::range(&self.entries, from.as_slice()..).map_err(read_error)? {
            let (key, value) = entry.map_err(read_error)?;
            if page.len() == limit || held >= bytes || !key.value().starts_with(prefix.as_bytes()) {
                break;
            }
            held += value.value().len();
            page.push((
                text(key.value())?,
                record::value(key.value(), value.value())?,
            ));
        }
        Ok(page)
    }
}

/// Runs one read. On a file altered behind its back the engine may stop with a panic instead of
/// an error; to the caller both are [`Error::Damaged`].
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged("a page cannot be read")))
}

fn read_error(error: StorageError) -> Error {
    match error {
        StorageError::Corrupted(why) => damaged(&why),
        StorageError::Io(e) if e.kind() == ErrorKind::UnexpectedEof => damaged("it was shortened"),
        StorageError::DatabaseClosed => Error::Closed,
        other => Error::io("reading the store", other),
    }
}

pub(super) fn damaged(why: &str) -> Error {
    Error::Damaged {
        what: format!("the database file does not hold what was written ({why})"),
        next: super::files::RESTORE,
    }
}
