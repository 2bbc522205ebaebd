//! Targets that refuse revocations, and how many may work on one target at a time.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How many revocations run against one target at the same time.
pub(super) const CONCURRENT_PER_TARGET: usize = 8;
/// The first and the longest wait between probes of a failing target.
const PROBE_FIRST: Duration = Duration::from_secs(1);
const PROBE_MAX: Duration = Duration::from_secs(5);
/// After so many failures in a row of leases that were never tried before, the fault is the target's.
const FAILURES_IN_A_ROW: u32 = 3;
/// How many untried leases of one target are remembered, the newest; the others are in storage.
const UNTRIED_MAX: usize = 16;

/// Bounds the work per target, so that one dead database does not slow the others.
#[derive(Default)]
pub struct Targets {
    doors: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Targets {
    /// Waits for a place at the target.
    pub async fn enter(&self, target: &str) -> Option<OwnedSemaphorePermit> {
        let door = {
            let mut doors = self.doors.lock();
            doors.retain(|_, door| {
                Arc::strong_count(door) > 1 || door.available_permits() < CONCURRENT_PER_TARGET
            });
            Arc::clone(
                doors
                    .entry(target.to_owned())
                    .or_insert_with(|| Arc::new(Semaphore::new(CONCURRENT_PER_TARGET))),
            )
        };
        door.acquire_owned().await.ok()
    }
}

/// The targets that have parked leases.
#[derive(Default)]
pub struct Parked {
    targets: Mutex<HashMap<String, Failing>>,
    bell: Notify,
}

/// A target with parked leases.
struct Failing {
    /// How long to wait before the next probe.
    wait: Duration,
    /// Counts the leases parked there, so that it is not taken for empty while one arrives.
    arrivals: u64,
    /// Failures in a row of leases tried for the first time.
    failures: u32,
    /// Whether there may be leases that an answering target would let end.
    sweep_owed: bool,
    /// Some leases that were never tried: what they come to tells most about the target.
    untried: VecDeque<String>,
}

impl Parked {
    /// A target has something parked.
    pub fn add(&self, target: &str) {
        self.at(target, |_| ());
    }

    /// A lease was parked that nobody tried to end yet.
    pub fn add_untried(&self, target: &str, id: &str) {
        self.at(target, |failing| {
            if failing.untried.len() >= UNTRIED_MAX {
                failing.untried.pop_front();
            }
            failing.untried.push_back(id.to_owned());
        });
    }

    /// A lease tried for the first time could not be ended.
    pub fn failed(&self, target: &str) {
        if let Some(failing) = self.targets.lock().get_mut(target) {
            failing.failures = failing.failures.saturating_add(1);
        }
    }

    /// A lease could be ended. Whether the parked ones should all be tried now.
    pub fn answered(&self, target: &str) -> bool {
        let mut targets = self.targets.lock();
        let Some(failing) = targets.get_mut(target) else {
            return false;
        };
        failing.failures = 0;
        failing.wait = PROBE_FIRST;
        failing.sweep_owed
    }

    /// The parked leases are all being tried now.
    pub fn sweeps(&self, target: &str) {
        if let Some(failing) = self.targets.lock().get_mut(target) {
            failing.sweep_owed = false;
        }
    }

    /// Whether new endings had better wait in the queue of the target. One lease that is always refused
    /// does not make it so.
    pub fn is_failing(&self, target: &str) -> bool {
        let targets = self.targets.lock();
        targets
            .get(target)
            .is_some_and(|failing| failing.failures >= FAILURES_IN_A_ROW)
    }

    /// All targets with something parked.
    pub fn all(&self) -> Vec<String> {
        self.targets.lock().keys().cloned().collect()
    }

    /// Takes some leases that were not tried yet.
    pub fn take_untried(&self, target: &str, limit: usize) -> Vec<String> {
        let mut targets = self.targets.lock();
        let Some(failing) = targets.get_mut(target) else {
            return Vec::new();
        };
        let from = failing.untried.len().saturating_sub(limit);
        failing.untried.split_off(from).into()
    }

    /// How many leases were parked there.
    pub fn arrivals(&self, target: &str) -> u64 {
        self.targets
            .lock()
            .get(target)
            .map_or(0, |failing| failing.arrivals)
    }

    /// Nothing is parked there any more, unless something arrived since. Whether that is so.
    pub fn remove(&self, target: &str, arrivals: u64) -> bool {
        let mut targets = self.targets.lock();
        let empty = targets
            .get(target)
            .is_none_or(|failing| failing.arrivals == arrivals);
        if empty {
            targets.remove(target);
        }
        empty
    }

    /// A probe failed: the next one is later, but never so late that a target that comes back is not
    /// drained within seconds. How long to wait.
    pub fn slower(&self, target: &str) -> Duration {
        let mut targets = self.targets.lock();
        let Some(failing) = targets.get_mut(target) else {
            return PROBE_FIRST;
        };
        failing.wait = (failing.wait * 2).min(PROBE_MAX);
        failing.wait
    }

    /// Waits until a target is added.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    fn at(&self, target: &str, arrives: impl FnOnce(&mut Failing)) {
        let mut targets = self.targets.lock();
        let new = !targets.contains_key(target);
        let failing = targets.entry(target.to_owned()).or_insert_with(|| Failing {
            wait: PROBE_FIRST,
            arrivals: 0,
            failures: 0,
            sweep_owed: true,
            untried: VecDeque::new(),
        });
        failing.arrivals += 1;
        arrives(failing);
        if new {
            self.bell.notify_one();
        }
    }
}
