//! What the operator's configuration says about events.

use std::time::Duration;

/// What the operator's configuration says about events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSettings {
    /// How long events are kept in storage; zero for not at all: then only those in memory can be read again.
    pub retention: Duration,
    /// How many bytes of storage they may have.
    pub max_bytes: u64,
    /// How many bytes of memory the newest ones may have.
    pub memory_bytes: usize,
    /// How many subscribers there may be.
    pub max_subscribers: usize,
    /// How many subscriptions one client may have.
    pub max_subscribers_per_client: usize,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            retention: Duration::from_secs(24 * 3_600),
            max_bytes: 64 << 20,
            memory_bytes: 16 << 20,
            max_subscribers: 4_096,
            max_subscribers_per_client: 1_024,
        }
    }
}

impl EventSettings {
    /// Whether events are kept in storage.
    pub fn stores(&self) -> bool {
        !self.retention.is_zero() && self.max_bytes > 0
    }
}
