//! Several writes that happen together or not at all.

use std::sync::Arc;

use coffer_storage::Batch;

use crate::stored::encode;
use crate::view::Within;
use crate::{Barrier, Error, Seen, Stored, View};

/// A set of writes over one or several views of the same barrier.
#[must_use = "nothing is written before commit"]
pub struct Changes {
    barrier: Arc<Barrier>,
    batch: Batch,
    /// How many of the writes are no deletions.
    puts: usize,
    /// The parts of the store that views of these writes lie in.
    within: Vec<Within>,
}

impl Changes {
    pub(crate) fn new(barrier: Arc<Barrier>, generation: u64, within: Option<Within>) -> Self {
        Self {
            barrier,
            batch: Batch::new().only_in(generation),
            puts: 0,
            within: within.into_iter().collect(),
        }
    }

    /// Writes a record.
    pub fn put<T: Stored>(mut self, view: &View, path: &str, value: &T) -> Result<Self, Error> {
        view.refuse_stale()?;
        let full = view.full(path);
        let bytes = encode(&full, value)?;
        let sealed = self.barrier.encrypt(&full, bytes.as_slice())?;
        self.batch = self.batch.put(full, sealed);
        self.puts += 1;
        Ok(self)
    }

    /// Writes a record that was decrypted elsewhere, as it is.
    pub(crate) fn put_plain(
        mut self,
        view: &View,
        path: &str,
        plain: &[u8],
    ) -> Result<Self, Error> {
        let full = view.full(path);
        let sealed = self.barrier.encrypt(&full, plain)?;
        self.batch = self.batch.put(full, sealed);
        Ok(self)
    }

    /// Removes what is at `path`, if anything is.
    pub fn delete(mut self, view: &View, path: &str) -> Self {
        self.batch = self.batch.delete(view.full(path));
        self
    }

    /// Lets the whole set fail with [`Error::Conflict`] unless `path` still holds what was seen.
    pub fn expect(mut self, view: &View, path: &str, seen: Seen) -> Self {
        self.batch = self.batch.expect(view.full(path), seen.0);
        self
    }

    /// Adds writes of key material.
    pub fn and(mut self, keys: Batch) -> Self {
        self.batch = self.batch.and(keys);
        self
    }

    /// How many writes there are.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// The writes as the store sees them, to be part of a change of the key ring.
    pub fn into_batch(self) -> Batch {
        self.batch
    }

    /// Makes all writes durable, or none.
    pub async fn commit(self) -> Result<(), Error> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.within.iter().try_for_each(Within::refuse_stale)?;
        let meters = self.barrier.meters();
        let _timed = match self.puts {
            0 => meters.delete.timed(),
            _ => meters.put.timed(),
        };
        Ok(self.barrier.store().commit(self.batch).await?)
    }
}
