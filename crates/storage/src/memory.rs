//! A store that forgets everything with the process: for `-dev` servers and tests.

use std::collections::BTreeMap;
use std::future::ready;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::batch::{Batch, valid_entry, valid_list, valid_path, valid_scan};
use crate::listing::children;
use crate::{
    Answer, Entries, Error, FROZEN_PAGE_BYTES, FROZEN_PAGE_ENTRIES, Frozen, MAX_PAGE_BYTES,
    Replacement, Store,
};

/// Everything in one ordered map in memory. Nothing survives the process.
#[derive(Default)]
pub struct Memory {
    /// Held for one operation at a time and never across an await.
    map: Arc<RwLock<Map>>,
}

#[derive(Default)]
struct Map {
    /// Shared with who reads it frozen; the next write makes a copy then.
    entries: Arc<BTreeMap<String, Vec<u8>>>,
    generation: u64,
    closed: bool,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(
        &self,
        ask: impl FnOnce(&BTreeMap<String, Vec<u8>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let map = self.map.read();
        if map.closed {
            return Err(Error::Closed);
        }
        ask(&map.entries)
    }

    fn apply(&self, batch: Batch) -> Result<(), Error> {
        batch.validate()?;
        let mut map = self.map.write();
        if map.closed {
            return Err(Error::Closed);
        }
        let generation = batch.generation();
        let (checks, writes) = batch.into_parts();
        if generation.is_some_and(|made| made != map.generation) {
            return Err(Error::Replaced);
        }
        for check in checks {
            if map.entries.get(&check.path) != check.value.as_ref() {
                return Err(Error::Conflict { path: check.path });
            }
        }
        let entries = Arc::make_mut(&mut map.entries);
        for write in writes {
            match write.value {
                Some(value) => entries.insert(write.path, value),
                None => entries.remove(&write.path),
            };
        }
        Ok(())
    }
}

impl Store for Memory {
    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(ready(
            valid_path(path).and_then(|()| self.read(|map| Ok(map.get(path).cloned()))),
        ))
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<String>> {
        Box::pin(ready(valid_list(prefix, limit).and_then(|()| {
            self.read(|map| {
                children(prefix, after, limit, |from| {
                    // Starts are cut at character boundaries, see `listing`.
                    let from = String::from_utf8_lossy(from).into_owned();
                    Ok(map
                        .range(from..)
                        .map(|(key, _)| Ok(key.clone().into_bytes())))
                })
            })
        })))
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<(String, Vec<u8>)>> {
        Box::pin(ready(valid_scan(prefix, limit).and_then(|()| {
            self.read(|map| Ok(page(map, prefix, after, limit, MAX_PAGE_BYTES)))
        })))
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(ready(self.apply(batch)))
    }

    fn freeze(&self) -> Answer<'_, Box<dyn Frozen>> {
        let map = self.map.read();
        let frozen = match map.closed {
            true => Err(Error::Closed),
            false => Ok(Box::new(Arc::clone(&map.entries)) as Box<dyn Frozen>),
        };
        Box::pin(ready(frozen))
    }

    fn replace(&self) -> Answer<'_, Box<dyn Replacement>> {
        let replacement = Other {
            map: Arc::clone(&self.map),
            entries: BTreeMap::new(),
            complete: false,
        };
        Box::pin(ready(Ok(Box::new(replacement) as Box<dyn Replacement>)))
    }

    fn generation(&self) -> u64 {
        self.map.read().generation
    }

    fn close(&self) -> Answer<'_, ()> {
        let mut map = self.map.write();
        map.entries = Arc::default();
        map.closed = true;
        drop(map);
        Box::pin(ready(Ok(())))
    }
}

impl Frozen for Arc<BTreeMap<String, Vec<u8>>> {
    fn page(&self, after: Option<&str>) -> Result<Entries, Error> {
        let limits = (FROZEN_PAGE_ENTRIES, FROZEN_PAGE_BYTES);
        Ok(page(self, "", after, limits.0, limits.1))
    }
}

/// The entries that are to come.
struct Other {
    map: Arc<RwLock<Map>>,
    entries: BTreeMap<String, Vec<u8>>,
    complete: bool,
}

impl Replacement for Other {
    fn add(&mut self, entries: Entries) -> Result<(), Error> {
        if self.complete {
            return Err(Error::Incomplete);
        }
        for (path, value) in entries {
            valid_entry(&path, &value)?;
            self.entries.insert(path, value);
        }
        Ok(())
    }

    fn complete(&mut self) -> Result<(), Error> {
        self.complete = true;
        Ok(())
    }

    fn take_place(self: Box<Self>) -> Answer<'static, ()> {
        let Self {
            map,
            entries,
            complete,
        } = *self;
        let mut map = map.write();
        let taken = match (map.closed, complete) {
            (true, _) => Err(Error::Closed),
            (false, false) => Err(Error::Incomplete),
            (false, true) => {
                map.entries = Arc::new(entries);
                map.generation += 1;
                Ok(())
            }
        };
        Box::pin(ready(taken))
    }
}

fn page(
    map: &BTreeMap<String, Vec<u8>>,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
    max_bytes: usize,
) -> Entries {
    let from = match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    };
    let mut bytes = 0;
    map.range::<str, _>((from, Bound::Unbounded))
        .take_while(|(key, _)| key.starts_with(prefix))
        .take(limit)
        .take_while(|(_, value)| {
            let room = bytes < max_bytes;
            bytes += value.len();
            room
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
