//! A store that forgets everything with the process: for `-dev` servers and tests.

use std::collections::BTreeMap;
use std::future::ready;
use std::ops::Bound;

use parking_lot::RwLock;

use crate::batch::{Batch, valid_list, valid_path, valid_scan};
use crate::listing::children;
use crate::{Answer, Error, MAX_PAGE_BYTES, Store};

/// Everything in one ordered map in memory. Nothing survives the process.
#[derive(Default)]
pub struct Memory {
    /// Held for one operation at a time and never across an await.
    map: RwLock<Map>,
}

#[derive(Default)]
struct Map {
    entries: BTreeMap<String, Vec<u8>>,
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
        let (checks, writes) = batch.into_parts();
        for check in checks {
            if map.entries.get(&check.path) != check.value.as_ref() {
                return Err(Error::Conflict { path: check.path });
            }
        }
        for write in writes {
            match write.value {
                Some(value) => map.entries.insert(write.path, value),
                None => map.entries.remove(&write.path),
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
            self.read(|map| Ok(page(map, prefix, after, limit)))
        })))
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(ready(self.apply(batch)))
    }

    fn close(&self) -> Answer<'_, ()> {
        *self.map.write() = Map {
            entries: BTreeMap::new(),
            closed: true,
        };
        Box::pin(ready(Ok(())))
    }
}

fn page(
    map: &BTreeMap<String, Vec<u8>>,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Vec<(String, Vec<u8>)> {
    let from = match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    };
    let mut bytes = 0;
    map.range::<str, _>((from, Bound::Unbounded))
        .take_while(|(key, _)| key.starts_with(prefix))
        .take(limit)
        .take_while(|(_, value)| {
            let room = bytes < MAX_PAGE_BYTES;
            bytes += value.len();
            room
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
