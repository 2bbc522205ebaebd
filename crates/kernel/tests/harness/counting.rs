//! A store that counts how often it is asked.

use std::sync::atomic::{AtomicU64, Ordering};

use coffer_storage::{Answer, Batch, Memory, Store};

/// Memory with a counter.
#[derive(Default)]
pub struct Counting {
    inner: Memory,
    asked: AtomicU64,
}

impl Counting {
    /// How often it was asked, since this was asked last.
    pub fn asked(&self) -> u64 {
        self.asked.swap(0, Ordering::SeqCst)
    }

    fn count(&self) -> &Memory {
        self.asked.fetch_add(1, Ordering::SeqCst);
        &self.inner
    }
}

impl Store for Counting {
    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        self.count().get(path)
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<String>> {
        self.count().list(prefix, after, limit)
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<(String, Vec<u8>)>> {
        self.count().scan(prefix, after, limit)
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        self.count().commit(batch)
    }
}
