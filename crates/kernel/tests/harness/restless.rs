//! A store that makes races happen: before every access it lets other tasks run, now more, now less.

use std::sync::atomic::{AtomicU64, Ordering};

use coffer_storage::{Answer, Batch, Memory, Store};

/// Memory behind a varying number of yields; the same seed gives the same order of events.
pub struct Restless {
    inner: Memory,
    state: AtomicU64,
    commits: AtomicU64,
}

impl Restless {
    /// An empty store.
    pub fn new(seed: u64) -> Self {
        Self {
            inner: Memory::new(),
            state: AtomicU64::new(seed),
            commits: AtomicU64::new(0),
        }
    }

    /// How many batches were written, or tried to be.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    async fn others(&self) {
        let step = 0x9e37_79b9_7f4a_7c15;
        let state = self
            .state
            .fetch_add(step, Ordering::SeqCst)
            .wrapping_add(step);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        for _ in 0..(mixed >> 40) % 5 {
            tokio::task::yield_now().await;
        }
    }
}

impl Store for Restless {
    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            self.others().await;
            self.inner.get(path).await
        })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<String>> {
        Box::pin(async move {
            self.others().await;
            self.inner.list(prefix, after, limit).await
        })
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<(String, Vec<u8>)>> {
        Box::pin(async move {
            self.others().await;
            self.inner.scan(prefix, after, limit).await
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(async move {
            self.others().await;
            self.commits.fetch_add(1, Ordering::SeqCst);
            self.inner.commit(batch).await
        })
    }
}
