//! A number that is counted now and then, and kept up to date in between.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// Not known before it was counted once. What changes while it is being counted may be off by that much until the
/// next count.
#[derive(Debug, Default)]
pub struct Tally {
    known: AtomicBool,
    count: AtomicI64,
}

impl Tally {
    /// One more.
    pub fn more(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// One fewer.
    pub fn fewer(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    /// It was counted.
    pub fn counted(&self, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.count.store(count, Ordering::Relaxed);
        self.known.store(true, Ordering::Release);
    }

    /// From now on it is not known.
    pub fn forget(&self) {
        self.known.store(false, Ordering::Release);
        self.count.store(0, Ordering::Relaxed);
    }

    /// How many there are, as far as that is known.
    pub fn get(&self) -> Option<u64> {
        let known = self.known.load(Ordering::Acquire);
        let count = self.count.load(Ordering::Relaxed);
        known.then(|| u64::try_from(count).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_once_it_was_counted() {
        let tally = Tally::default();
        tally.more();
        assert_eq!(tally.get(), None);
        tally.counted(4);
        tally.more();
        tally.fewer();
        tally.fewer();
        assert_eq!(tally.get(), Some(3));
        tally.counted(0);
        tally.fewer();
        assert_eq!(tally.get(), Some(0));
        tally.forget();
        assert_eq!(tally.get(), None);
    }
}
