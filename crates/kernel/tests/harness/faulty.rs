//! A store that a test breaks: it "loses power" after so many commits, or refuses one of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use coffer_storage::{Answer, Batch, Error, Memory, Store};

/// Never.
const NEVER: i64 = i64::MAX;

/// Memory that fails when told to. What was committed before stays in [`Faulty::survivor`].
pub struct Faulty {
    inner: Arc<Memory>,
    /// How many commits are still done before everything fails.
    commits_left: AtomicI64,
    /// How many commits are still done before one is refused.
    refuse_after: AtomicI64,
    reads: AtomicU64,
}

impl Faulty {
    /// A store that works, over what is there.
    pub fn over(inner: Arc<Memory>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            commits_left: AtomicI64::new(NEVER),
            refuse_after: AtomicI64::new(NEVER),
            reads: AtomicU64::new(0),
        })
    }

    /// A store that works.
    pub fn new() -> Arc<Self> {
        Self::over(Arc::default())
    }

    /// What a crash leaves.
    pub fn survivor(&self) -> Arc<Memory> {
        Arc::clone(&self.inner)
    }

    /// All fails after so many commits more.
    pub fn crash_after(&self, commits: i64) {
        self.commits_left.store(commits, Ordering::SeqCst);
    }

    /// Whether it has crashed.
    pub fn is_down(&self) -> bool {
        self.commits_left.load(Ordering::SeqCst) <= 0
    }

    /// After so many commits one is refused, and then they are done again.
    pub fn refuse_one_after(&self, commits: i64) {
        self.refuse_after.store(commits, Ordering::SeqCst);
    }

    /// How many values, pages and lists were read.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    fn read(&self) -> Result<(), Error> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.is_down() {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    fn write(&self) -> Result<(), Error> {
        let passed = |count: &AtomicI64| {
            count.load(Ordering::SeqCst) == NEVER || count.fetch_sub(1, Ordering::SeqCst) > 0
        };
        if !passed(&self.commits_left) {
            return Err(Error::Closed);
        }
        if !passed(&self.refuse_after) {
            self.refuse_after.store(NEVER, Ordering::SeqCst);
            return Err(Error::Full);
        }
        Ok(())
    }
}

impl Store for Faulty {
    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            self.read()?;
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
            self.read()?;
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
            self.read()?;
            self.inner.scan(prefix, after, limit).await
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(async move {
            self.write()?;
            self.inner.commit(batch).await
        })
    }
}
