//! A prefix of the barrier with typed records.

use std::fmt;
use std::sync::Arc;

use coffer_storage::Store;

use crate::stored::{damaged, decode};
use crate::{Barrier, Changes, Error, Seen, Stored};

/// How often [`View::update`] starts again when others are faster.
const UPDATE_TRIES: usize = 2_000;
/// How many children [`View::list_all`] reads at once.
const PAGE: usize = 1_000;
/// How many records [`View::copy_to`] copies in one step.
const COPIED_AT_ONCE: usize = 100;

/// A part of the barrier's storage, as one engine or one part of the kernel sees it.
///
/// A view made before everything in the store was replaced is [`Error::Sealed`] from then on: what its
/// owner knows is about other records.
#[derive(Clone)]
pub struct View {
    barrier: Arc<Barrier>,
    prefix: Arc<str>,
    generation: u64,
    within: Option<Within>,
}

/// The part of the store that a view lies in, and how often that had been sealed when the view was made.
#[derive(Clone)]
pub(crate) struct Within {
    part: Arc<Barrier>,
    seals: u64,
}

impl Within {
    fn of(barrier: &Barrier, prefix: &str) -> Option<Self> {
        let part = barrier.part_of(prefix)?;
        let seals = part.seals();
        Some(Self { part, seals })
    }

    /// Refuses whose knowledge is from before the part was sealed.
    pub(crate) fn refuse_stale(&self) -> Result<(), Error> {
        match self.part.seals() == self.seals {
            true => Ok(()),
            false => Err(Error::PartSealed),
        }
    }
}

impl View {
    pub(crate) fn new(barrier: Arc<Barrier>, prefix: String) -> Self {
        Self {
            generation: barrier.store().generation(),
            within: Within::of(&barrier, &prefix),
            prefix: prefix.into(),
            barrier,
        }
    }

    /// A narrower view; `below` ends with a slash.
    pub fn sub(&self, below: &str) -> Self {
        let prefix = format!("{}{below}", self.prefix);
        let within = match (&self.within, Within::of(&self.barrier, &prefix)) {
            (Some(own), Some(new)) if Arc::ptr_eq(&own.part, &new.part) => Some(own.clone()),
            (_, new) => new,
        };
        Self {
            barrier: Arc::clone(&self.barrier),
            prefix: prefix.into(),
            generation: self.generation,
            within,
        }
    }

    /// Where it begins in the store.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The barrier this is a part of.
    pub fn barrier(&self) -> &Arc<Barrier> {
        &self.barrier
    }

    /// Refuses as a read would, where nothing may be read any more: for those who answer by what they have read before.
    pub fn check(&self) -> Result<(), Error> {
        match self.barrier.is_open() {
            true => self.store().map(drop),
            false => Err(Error::Sealed),
        }
    }

    /// The record at `path`.
    pub async fn get<T: Stored>(&self, path: &str) -> Result<Option<T>, Error> {
        Ok(self.get_seen(path).await?.0)
    }

    /// The record at `path`, and what to base a write on.
    pub async fn get_seen<T: Stored>(&self, path: &str) -> Result<(Option<T>, Seen), Error> {
        let _timed = self.barrier.meters().get.timed();
        let full = self.full(path);
        let bytes = self.store()?.get(&full).await?;
        let value = bytes
            .as_deref()
            .map(|bytes| decode(&full, &self.barrier.decrypt(&full, bytes)?))
            .transpose()?;
        Ok((value, Seen(bytes)))
    }

    /// Writes the record at `path`.
    pub async fn put<T: Stored>(&self, path: &str, value: &T) -> Result<(), Error> {
        self.changes().put(self, path, value)?.commit().await
    }

    /// Removes what is at `path`, if anything is.
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        self.changes().delete(self, path).commit().await
    }

    /// Reads, decides and writes as if nobody else did. `decide` may run several times; it answers
    /// the record to keep (none deletes it) and a result, or an error that leaves all as it was.
    pub async fn update<T, R, E, F>(&self, path: &str, decide: F) -> Result<R, E>
    where
        T: Stored,
        E: From<Error>,
        F: Fn(Option<T>) -> Result<(Option<T>, R), E> + Send,
    {
        for _ in 0..UPDATE_TRIES {
            let (old, seen) = self.get_seen::<T>(path).await?;
            let (new, result) = decide(old)?;
            let changes = self.changes().expect(self, path, seen);
            let changes = match &new {
                Some(value) => changes.put(self, path, value)?,
                None => changes.delete(self, path),
            };
            match changes.commit().await {
                Ok(()) => return Ok(result),
                Err(Error::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::Conflict.into())
    }

    /// The children of `folder` ("" or ending in a slash) in order, folders with a trailing slash,
    /// after the child `after`, at most `limit`.
    pub async fn list(
        &self,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let _timed = self.barrier.meters().list.timed();
        Ok(self.store()?.list(&self.full(folder), after, limit).await?)
    }

    /// All children of `folder`, page by page.
    pub async fn list_all(&self, folder: &str) -> Result<Vec<String>, Error> {
        let mut all: Vec<String> = Vec::new();
        loop {
            let page = self
                .list(folder, all.last().map(String::as_str), PAGE)
                .await?;
            let last = page.len() < PAGE;
            all.extend(page);
            if last {
                return Ok(all);
            }
        }
    }

    /// Records below `prefix` in order of their paths, after the path `after`, at most `limit`.
    /// Paths are relative to this view.
    pub async fn scan<T: Stored>(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, T)>, Error> {
        let found = self.scan_parts(prefix, after, limit).await?;
        let readable =
            |(path, record): (String, Option<T>)| Ok((path, record.ok_or(Error::PartSealed)?));
        found.into_iter().map(readable).collect()
    }

    /// As [`View::scan`], over several parts of the store: without the content of records in sealed ones.
    pub async fn scan_parts<T: Stored>(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Option<T>)>, Error> {
        let _timed = self.barrier.meters().list_page.timed();
        let after = after.map(|after| self.full(after));
        let found = self
            .store()?
            .scan(&self.full(prefix), after.as_deref(), limit)
            .await?;
        let read = |(path, bytes): (String, Vec<u8>)| {
            let value = match self.barrier.decrypt(&path, &bytes) {
                Ok(plain) => Some(decode(&path, &plain)?),
                Err(Error::PartSealed) => None,
                Err(other) => return Err(other),
            };
            let relative = path
                .strip_prefix(&*self.prefix)
                .ok_or_else(|| damaged(&path, "it is outside its view"))?;
            Ok((relative.to_owned(), value))
        };
        found.into_iter().map(read).collect()
    }

    /// Paths below `prefix` in order, after the path `after`, at most `limit`; nothing is decrypted.
    pub async fn scan_paths(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let _timed = self.barrier.meters().list_page.timed();
        let after = after.map(|after| self.full(after));
        let found = self
            .store()?
            .scan(&self.full(prefix), after.as_deref(), limit)
            .await?;
        Ok(found
            .into_iter()
            .filter_map(|(path, _)| Some(path.strip_prefix(&*self.prefix)?.to_owned()))
            .collect())
    }

    /// Copies everything into another view, page by page, encrypted anew for its places there. What is written here
    /// meanwhile may be missing there.
    pub async fn copy_to(&self, other: &Self) -> Result<(), Error> {
        let mut after: Option<String> = None;
        loop {
            let from = after.as_deref().map(|path| self.full(path));
            let page = self
                .store()?
                .scan(&self.full(""), from.as_deref(), COPIED_AT_ONCE)
                .await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut changes = other.changes();
            for (full, bytes) in page {
                let plain = self.barrier.decrypt(&full, &bytes)?;
                let path = full.strip_prefix(&*self.prefix).unwrap_or_default();
                changes = changes.put_plain(other, path, &plain)?;
                after = Some(path.to_owned());
            }
            changes.commit().await?;
        }
    }

    /// Removes everything below `prefix` ("" for all of the view), page by page.
    pub async fn clear(&self, prefix: &str) -> Result<(), Error> {
        loop {
            let page = self.scan_paths(prefix, None, PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            let changes = page
                .iter()
                .fold(self.changes(), |changes, path| changes.delete(self, path));
            changes.commit().await?;
        }
    }

    /// An empty set of writes, for several records at once.
    pub fn changes(&self) -> Changes {
        let within = self.within.clone();
        Changes::new(Arc::clone(&self.barrier), self.generation, within)
    }

    /// The store, as long as it holds what it held when this view was made.
    fn store(&self) -> Result<&dyn Store, Error> {
        self.refuse_stale()?;
        let store = self.barrier.store();
        if store.generation() == self.generation {
            Ok(store.as_ref())
        } else {
            Err(Error::Sealed)
        }
    }

    pub(crate) fn refuse_stale(&self) -> Result<(), Error> {
        self.within.as_ref().map_or(Ok(()), Within::refuse_stale)
    }

    pub(crate) fn full(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View({})", self.prefix)
    }
}
