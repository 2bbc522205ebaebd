//! Targets that refuse revocations, and how many may work on one target at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How many revocations run against one target at the same time.
const CONCURRENT_PER_TARGET: usize = 8;
/// The first and the longest wait between probes of a failing target.
const PROBE_FIRST: Duration = Duration::from_secs(1);
const PROBE_MAX: Duration = Duration::from_secs(5);

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
    targets: Mutex<HashMap<String, Duration>>,
    bell: Notify,
}

impl Parked {
    /// A target has something parked.
    pub fn add(&self, target: String) {
        self.targets.lock().entry(target).or_insert(PROBE_FIRST);
        self.bell.notify_one();
    }

    /// Whether the target has something parked: it failed, and is being probed.
    pub fn holds(&self, target: &str) -> bool {
        self.targets.lock().contains_key(target)
    }

    /// All targets with something parked, and how long to wait before probing each.
    pub fn all(&self) -> Vec<(String, Duration)> {
        self.targets
            .lock()
            .iter()
            .map(|(target, wait)| (target.clone(), *wait))
            .collect()
    }

    /// Nothing is parked there any more.
    pub fn remove(&self, target: &str) {
        self.targets.lock().remove(target);
    }

    /// A probe failed: wait longer before the next, up to a few seconds, so that a target that comes
    /// back is drained within seconds.
    pub fn slower(&self, target: &str) -> Duration {
        let mut targets = self.targets.lock();
        match targets.get_mut(target) {
            Some(wait) => {
                *wait = (*wait * 2).min(PROBE_MAX);
                *wait
            }
            None => PROBE_FIRST,
        }
    }

    /// Waits until a target is added.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }
}
