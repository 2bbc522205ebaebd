//! How a device is doing.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use coffer_wire::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;

use super::chain::Head;
use super::tail::Tail;

/// How a device is doing, for `sys/audit` and for metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct DeviceState {
    /// Where it is enabled, with a trailing slash.
    #[serde(skip)]
    pub path: String,
    /// Its type: `file`, `socket`, `syslog`, `http`.
    #[serde(skip)]
    pub kind: String,
    /// Whether the last line it was given is recorded.
    pub healthy: bool,
    /// Since when it is not.
    #[schemars(with = "Option<String>")]
    pub failing_since: Option<Timestamp>,
    /// Why it last failed; empty if it never did.
    pub last_error: String,
    /// Lines that wait to be recorded.
    pub queue_lines: usize,
    /// Lines recorded since the server was unsealed.
    pub recorded_lines: u64,
    /// Lines that it was given and could not record since the server was unsealed.
    pub dropped_lines: u64,
    /// The last line of its chain, for `coffer audit verify -head`; none without a chain.
    pub chain_head: Option<String>,
}

/// What a device's worker and those who wait for it tell each other.
#[derive(Debug)]
pub(super) struct Health {
    path: String,
    start: Instant,
    /// Since when the worker is inside a call that may block: milliseconds after `start`, plus one; 0 while it is not.
    busy_since: AtomicU64,
    recorded: AtomicU64,
    dropped: AtomicU64,
    /// Dropped lines that the chain has not counted yet.
    untold: AtomicU64,
    pub queued: AtomicUsize,
    /// Those who follow what is recorded.
    pub tail: Tail,
    story: Mutex<Story>,
}

#[derive(Debug, Default)]
struct Story {
    failing_since: Option<Timestamp>,
    last_error: String,
    head: Option<Head>,
}

impl Health {
    pub fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            start: Instant::now(),
            busy_since: AtomicU64::new(0),
            recorded: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            untold: AtomicU64::new(0),
            queued: AtomicUsize::new(0),
            tail: Tail::default(),
            story: Mutex::default(),
        }
    }

    /// Runs a call that may block.
    pub fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        self.busy(true);
        let result = call();
        self.busy(false);
        result
    }

    /// The worker enters or leaves a call that may block.
    pub fn busy(&self, busy: bool) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        let since = if busy { now + 1 } else { 0 };
        self.busy_since.store(since, Ordering::Relaxed);
    }

    /// For how long the worker has been inside a call that may block.
    pub fn busy_for(&self) -> Duration {
        match self.busy_since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => {
                let elapsed = self.start.elapsed();
                elapsed.saturating_sub(Duration::from_millis(since - 1))
            }
        }
    }

    pub fn is_failing(&self) -> bool {
        self.story.lock().failing_since.is_some()
    }

    /// Lines are recorded. A recovery is worth a line in the server's log.
    pub fn recorded(&self, lines: usize) {
        add(&self.recorded, lines);
        let recovered = self.story.lock().failing_since.take();
        if let Some(since) = recovered {
            tracing::info!(device = self.path, %since, "the audit device records again");
        }
    }

    /// Lines are lost.
    pub fn dropped(&self, lines: usize, why: &str, now: Timestamp) {
        add(&self.dropped, lines);
        self.fails(why, now);
    }

    /// Lines are lost that can not be recorded here, while others can.
    pub fn unfit(&self, lines: usize, why: &str) {
        add(&self.dropped, lines);
        self.story.lock().last_error = why.to_owned();
    }

    /// Lines are lost, of which the worker does not know.
    pub fn not_taken(&self, lines: usize, why: &str, now: Timestamp) {
        add(&self.untold, lines);
        self.dropped(lines, why, now);
    }

    /// How many lines were lost of which the worker did not know.
    pub fn take_untold(&self) -> u64 {
        self.untold.swap(0, Ordering::Relaxed)
    }

    /// It can not record now. That it begins to fail is worth a line in the server's log; each failed line is not.
    pub fn fails(&self, why: &str, now: Timestamp) {
        let began = {
            let mut story = self.story.lock();
            if story.last_error != why {
                story.last_error = why.to_owned();
            }
            let began = story.failing_since.is_none();
            story.failing_since.get_or_insert(now);
            began
        };
        if began {
            tracing::error!(device = self.path, why, "the audit device fails");
        }
    }

    pub fn set_head(&self, head: Option<Head>) {
        self.story.lock().head = head;
    }

    pub fn head(&self) -> Option<Head> {
        self.story.lock().head
    }

    /// The state of a device of this kind that counts as blocked after `deadline`.
    pub fn state(&self, kind: &str, deadline: Duration) -> DeviceState {
        let story = self.story.lock();
        DeviceState {
            path: self.path.clone(),
            kind: kind.to_owned(),
            healthy: story.failing_since.is_none() && self.busy_for() <= deadline,
            failing_since: story.failing_since,
            last_error: story.last_error.clone(),
            queue_lines: self.queued.load(Ordering::Relaxed),
            recorded_lines: self.recorded.load(Ordering::Relaxed),
            dropped_lines: self.dropped.load(Ordering::Relaxed),
            chain_head: story.head.map(|head| head.to_string()),
        }
    }
}

fn add(to: &AtomicU64, lines: usize) {
    to.fetch_add(u64::try_from(lines).unwrap_or(u64::MAX), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_and_recovering_are_told_apart() {
        let health = Health::new("main/");
        let state = || health.state("file", Duration::from_secs(5));
        assert!(state().healthy && state().failing_since.is_none());
        health.recorded(3);
        let (first, later) = (Timestamp::from_secs(10), Timestamp::from_secs(20));
        health.dropped(2, "no space", first);
        health.not_taken(1, "the queue is full", later);
        let failing = state();
        assert!(!failing.healthy && health.is_failing());
        assert_eq!(failing.failing_since, Some(first));
        assert_eq!(failing.last_error, "the queue is full");
        assert_eq!((failing.recorded_lines, failing.dropped_lines), (3, 3));
        assert_eq!((health.take_untold(), health.take_untold()), (1, 0));
        health.recorded(1);
        let well = state();
        assert!(well.healthy && well.failing_since.is_none());
        assert_eq!(well.last_error, "the queue is full");
    }
}
