//! The ordered index of what ends when, in storage.
//!
//! An entry's time is a *lower bound*: a renewal leaves it where it is, and the worker that finds it
//! too early moves it. So a renewal is one small write, and a storm of them touches no index.

use std::sync::atomic::{AtomicU64, Ordering};

use coffer_barrier::{Barrier, Changes, Stored, View};
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::Notify;

/// The index, and a bell for the worker that waits for its next entry.
pub struct Due {
    view: View,
    /// What the worker sleeps until; an earlier entry than this wakes it.
    next_millis: AtomicU64,
    bell: Notify,
}

/// What ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The token with this accessor.
    Token(String),
    /// The lease with this id.
    Lease(String),
}

/// One entry of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Not before this.
    pub at: Timestamp,
    /// What ends.
    pub what: Ending,
}

/// An index entry has no content.
#[derive(Serialize, Deserialize)]
pub(crate) struct Mark;

impl Stored for Mark {}

impl Due {
    /// The index of this barrier.
    pub fn new(barrier: &Arc<Barrier>) -> Self {
        Self {
            view: barrier.view("sys/due/"),
            next_millis: AtomicU64::new(u64::MAX),
            bell: Notify::new(),
        }
    }

    /// Adds an entry.
    pub fn add(&self, changes: Changes, at: Timestamp, what: &Ending) -> Result<Changes, Fault> {
        Ok(changes.put(&self.view, &key(at, what), &Mark)?)
    }

    /// Removes an entry.
    pub fn remove(&self, changes: Changes, at: Timestamp, what: &Ending) -> Changes {
        changes.delete(&self.view, &key(at, what))
    }

    /// An empty set of changes.
    pub fn changes(&self) -> Changes {
        self.view.changes()
    }

    /// Tells the worker of an entry that was made durable.
    pub fn announce(&self, at: Timestamp) {
        if at.millis() < self.next_millis.fetch_min(at.millis(), Ordering::SeqCst) {
            self.bell.notify_one();
        }
    }

    /// What is announced from here on may be missing in what the worker reads now.
    pub fn begin_reading(&self) {
        self.next_millis.store(u64::MAX, Ordering::SeqCst);
    }

    /// The first entries, at most `limit`, due or not.
    pub async fn first(&self, limit: usize) -> Result<Vec<Entry>, Fault> {
        self.after(None, limit).await
    }

    /// Entries after one of them, at most `limit`, due or not.
    pub async fn after(&self, entry: Option<&Entry>, limit: usize) -> Result<Vec<Entry>, Fault> {
        let after = entry.map(|entry| key(entry.at, &entry.what));
        let paths = self.view.scan_paths("", after.as_deref(), limit).await?;
        Ok(paths.iter().filter_map(|path| parse(path)).collect())
    }

    /// Waits until `at`, or until an earlier entry is announced; not at all if one was since
    /// [`Due::begin_reading`].
    pub async fn wait_until(&self, at: Timestamp, now: Timestamp) {
        if self.next_millis.fetch_min(at.millis(), Ordering::SeqCst) < at.millis() {
            return;
        }
        let earlier = async {
            while self.next_millis.load(Ordering::SeqCst) >= at.millis() {
                self.bell.notified().await;
            }
        };
        let _ = tokio::time::timeout(at.since(now), earlier).await;
    }
}

pub(crate) fn key(at: Timestamp, what: &Ending) -> String {
    let (kind, id) = match what {
        Ending::Token(id) => ('t', id),
        Ending::Lease(id) => ('l', id),
    };
    format!("{:016x}/{kind}/{id}", at.millis())
}

pub(crate) fn parse(path: &str) -> Option<Entry> {
    let (time, rest) = path.split_once('/')?;
    let (kind, id) = rest.split_once('/')?;
    let at = Timestamp::from_nanos(
        u64::from_str_radix(time, 16)
            .ok()?
            .saturating_mul(1_000_000),
    );
    let what = match kind {
        "t" => Ending::Token(id.to_owned()),
        "l" => Ending::Lease(id.to_owned()),
        _ => return None,
    };
    Some(Entry { at, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_time_and_parse_back() {
        let early = key(
            Timestamp::from_secs(9),
            &Ending::Lease("database/creds/a/x".into()),
        );
        let late = key(Timestamp::from_secs(10), &Ending::Token("acc".into()));
        assert!(early < late);
        let entry = parse(&early).unwrap();
        assert_eq!(
            (entry.at, entry.what),
            (
                Timestamp::from_secs(9),
                Ending::Lease("database/creds/a/x".into())
            )
        );
        assert_eq!(parse("zz/l/x"), None);
    }

    fn index() -> Due {
        let store = Arc::new(coffer_storage::Memory::new());
        Due::new(&Arc::new(Barrier::new(
            store,
            coffer_crypto::Random::system(),
        )))
    }

    /// How long the worker slept that would sleep ten seconds from the hundredth on.
    async fn slept(due: &Due) -> u64 {
        let began = tokio::time::Instant::now();
        due.wait_until(Timestamp::from_secs(110), Timestamp::from_secs(100))
            .await;
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_announced_while_the_worker_reads_is_not_slept_through() {
        let due = index();
        due.begin_reading();
        due.announce(Timestamp::from_secs(101));
        assert_eq!(slept(&due).await, 0);
        due.begin_reading();
        assert_eq!(slept(&due).await, 10, "nothing new");
    }

    #[tokio::test(start_paused = true)]
    async fn only_earlier_entries_wake_the_worker() {
        let due = index();
        due.begin_reading();
        due.announce(Timestamp::from_secs(500));
        let announcing = async {
            for at in [110, 400, 111, 105, 120] {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                due.announce(Timestamp::from_secs(at));
            }
        };
        assert_eq!(tokio::join!(slept(&due), announcing).0, 4);
    }
}
