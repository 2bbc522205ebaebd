//! The default store: one crash-safe B-tree file (redb) with a single writer that lets concurrent
//! writes share one durable commit. The format is described in `docs/storage-format.md`, the
//! choices with their measurements in `docs/decisions/0002-embedded-store.md`.

mod disk;
#[cfg(test)]
mod faults;
mod files;
mod reader;
mod record;
mod replacement;
#[cfg(test)]
mod tests;
mod work;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::yield_now;

use crate::batch::{Batch, valid_list, valid_path, valid_scan};
use crate::{
    Answer, Entries, Error, FROZEN_PAGE_BYTES, FROZEN_PAGE_ENTRIES, Frozen, MAX_PAGE_BYTES,
    Replacement, Store,
};
use disk::Health;
use files::Home;
use reader::{Published, Snapshot};
use replacement::{Beside, Turn};
use work::Work;
use writer::Writer;

/// Entries that a listing collects before it lets other tasks of the thread run: a few hundred
/// entries cost about as much as one network round trip.
const ENTRIES_BETWEEN_YIELDS: usize = 512;

/// A durable store in one directory of the local disk.
///
/// Reads run in the calling task, without a thread hop: with the page in memory (redb's cache or
/// the kernel's) a read takes about two microseconds, far less than handing it to another thread
/// and back. Writes are queued to one thread, which commits everything that waits as one
/// transaction with one flush of the disk, and answers only after that.
///
/// Dropping the last handle closes the store cleanly and waits for that; [`Store::close`] does it
/// without blocking.
pub struct Embedded {
    published: Arc<Published>,
    writer: Writer,
    generation: Arc<AtomicU64>,
    replacing: Turn,
    /// Held so that the directory stays locked as long as this handle lives.
    home: Mutex<Option<Home>>,
}

impl Embedded {
    /// Opens the store in the directory `dir`, creating both where there is none.
    ///
    /// This blocks for a few milliseconds. [`Error::Locked`] if it is open elsewhere,
    /// [`Error::Damaged`] if a store was there and can no longer be read: a store that has lost
    /// its data is never taken for a new one.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let home = Home::lock(dir.as_ref())?;
        let (queue, orders) = mpsc::unbounded_channel();
        let health = Health::new(queue.clone());
        let database = home.open(&health)?;
        let published = Arc::new(Published::new(
            Snapshot::take(&database)?,
            Arc::clone(&health),
        ));
        let generation = Arc::new(AtomicU64::new(0));
        let work = Work::new(
            home.place(),
            database,
            Arc::clone(&published),
            health,
            Arc::clone(&generation),
        );
        let writer = Writer::start(queue, orders, work)?;
        Ok(Self {
            published,
            writer,
            generation,
            replacing: Turn::default(),
            home: Mutex::new(Some(home)),
        })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.writer.join();
    }
}

impl Store for Embedded {
    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            valid_path(path)?;
            self.published.read(|snapshot| snapshot.get(path)).await
        })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<String>> {
        Box::pin(async move {
            valid_list(prefix, limit)?;
            let mut found: Vec<String> = Vec::new();
            loop {
                let wanted = (limit - found.len()).min(ENTRIES_BETWEEN_YIELDS);
                let after = found.last().map(String::as_str).or(after);
                let page = self
                    .published
                    .read(|snapshot| snapshot.list(prefix, after, wanted))
                    .await?;
                let done = page.len() < wanted || found.len() + page.len() == limit;
                found.extend(page);
                if done {
                    return Ok(found);
                }
                yield_now().await;
            }
        })
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<(String, Vec<u8>)>> {
        Box::pin(async move {
            valid_scan(prefix, limit)?;
            let mut found: Vec<(String, Vec<u8>)> = Vec::new();
            let mut bytes = 0;
            loop {
                let wanted = (limit - found.len()).min(ENTRIES_BETWEEN_YIELDS);
                let after = found.last().map(|(path, _)| path.as_str()).or(after);
                let page = self
                    .published
                    .read(|snapshot| snapshot.scan(prefix, after, wanted, MAX_PAGE_BYTES - bytes))
                    .await?;
                bytes += page.iter().map(|(_, value)| value.len()).sum::<usize>();
                let done = page.len() < wanted
                    || found.len() + page.len() == limit
                    || bytes >= MAX_PAGE_BYTES;
                found.extend(page);
                if done {
                    return Ok(found);
                }
                yield_now().await;
            }
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(async move {
            batch.validate()?;
            self.writer.commit(batch).await
        })
    }

    fn freeze(&self) -> Answer<'_, Box<dyn Frozen>> {
        Box::pin(async move { Ok(Box::new(self.published.newest().await?) as Box<dyn Frozen>) })
    }

    fn replace(&self) -> Answer<'_, Box<dyn Replacement>> {
        Box::pin(async move {
            let place = self.home.lock().as_ref().map(|home| home.place().clone());
            let place = place.ok_or(Error::Closed)?;
            let beside = Beside::begin(&place, self.writer.orders(), &self.replacing)?;
            Ok(Box::new(beside) as Box<dyn Replacement>)
        })
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.writer.close().await;
            // The writer has let go of the database, so the directory may be opened again.
            drop(self.home.lock().take());
            Ok(())
        })
    }
}

/// What is read in one go here stays in the page cache of the kernel or comes from the disk, so this is
/// for threads that may block.
impl Frozen for Arc<Snapshot> {
    fn page(&self, after: Option<&str>) -> Result<Entries, Error> {
        reader::guarded(|| self.scan("", after, FROZEN_PAGE_ENTRIES, FROZEN_PAGE_BYTES))
    }
}
