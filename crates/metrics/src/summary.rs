//! How often something was done and how long it took.

use std::time::{Duration, Instant};

use crate::histogram::{Histogram, Snapshot};

/// Count, sum and spread of durations.
#[derive(Debug, Default)]
pub struct Summary(Histogram);

/// Records the time from its making to its end.
#[derive(Debug)]
#[must_use = "it measures until it is dropped"]
pub struct Timed<'a> {
    summary: &'a Summary,
    began: Instant,
}

impl Summary {
    /// Records one.
    pub fn observe(&self, duration: Duration) {
        self.0.record(duration);
    }

    /// Records the time from now until the answer is dropped.
    pub fn timed(&self) -> Timed<'_> {
        Timed {
            summary: self,
            began: Instant::now(),
        }
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.0.snapshot().count()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.summary.observe(self.began.elapsed());
    }
}
