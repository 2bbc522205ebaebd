use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;

use crate::retry::{backoff_up_to, unit_random};

const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// Servers say when a lease ends in whole seconds, and need a moment to end it: only then is it left to them.
const GRACE: Duration = Duration::from_secs(2);

/// Credentials that are current no longer, until they are handed back or their time is over.
pub(super) struct Retired {
    leases: Vec<Lease>,
    unused: UnboundedReceiver<String>,
    /// Each credential says once that nobody uses it any more.
    ear: UnboundedSender<String>,
}

struct Lease {
    id: String,
    ends: Instant,
    state: State,
    failures: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Used,
    Due(Instant),
    Underway,
}

impl Retired {
    pub(super) fn new() -> Self {
        let (ear, unused) = mpsc::unbounded_channel();
        Self {
            leases: Vec::new(),
            unused,
            ear,
        }
    }

    /// Where a credential says that its last user is gone.
    pub(super) fn ear(&self) -> UnboundedSender<String> {
        self.ear.clone()
    }

    /// The next lease whose last user is gone.
    pub(super) async fn next_unused(&mut self) -> String {
        match self.unused.recv().await {
            Some(lease_id) => lease_id,
            // It does not end: `ear` is held here.
            None => std::future::pending().await,
        }
    }

    pub(super) fn add(&mut self, lease_id: &str, ends: Instant) {
        self.leases.push(Lease {
            id: lease_id.to_owned(),
            ends: ends + GRACE,
            state: State::Used,
            failures: 0,
        });
    }

    pub(super) fn hand_back(&mut self, lease_id: &str) {
        if let Some(lease) = self.find(lease_id) {
            lease.hand_back();
        }
    }

    pub(super) fn hand_back_oldest(&mut self) {
        let used = |lease: &&mut Lease| lease.state == State::Used;
        if let Some(oldest) = self.leases.iter_mut().find(used) {
            oldest.hand_back();
        }
    }

    pub(super) fn hand_back_all(&mut self) {
        self.leases.iter_mut().for_each(Lease::hand_back);
    }

    /// Those that are to be handed back now; they count as under way.
    pub(super) fn begin(&mut self) -> Vec<String> {
        let now = Instant::now();
        let is_due = |lease: &&mut Lease| lease.due().is_some_and(|due| due <= now);
        let begin = |lease: &mut Lease| {
            lease.state = State::Underway;
            lease.id.clone()
        };
        self.leases.iter_mut().filter(is_due).map(begin).collect()
    }

    /// Takes out those whose time is over: nothing is left to hand back.
    pub(super) fn over(&mut self) -> Vec<String> {
        let now = Instant::now();
        let is_over = |lease: &mut Lease| lease.ends <= now && lease.state != State::Underway;
        let over = self.leases.extract_if(.., is_over);
        over.map(|lease| lease.id).collect()
    }

    pub(super) fn remove(&mut self, lease_id: &str) {
        self.leases.retain(|lease| lease.id != lease_id);
    }

    pub(super) fn try_again(&mut self, lease_id: &str) {
        if let Some(lease) = self.find(lease_id) {
            let wait = backoff_up_to(LONGEST_WAIT, lease.failures, unit_random());
            lease.failures = lease.failures.saturating_add(1);
            lease.state = State::Due(Instant::now() + wait);
        }
    }

    pub(super) fn forget_calls(&mut self) {
        let now = Instant::now();
        for lease in &mut self.leases {
            if lease.state == State::Underway {
                lease.state = State::Due(now);
            }
        }
    }

    /// When the next is to be handed back, or is over.
    pub(super) fn due(&self) -> Option<Instant> {
        let next = |lease: &Lease| match lease.state {
            State::Underway => None,
            State::Used => Some(lease.ends),
            State::Due(due) => Some(due.min(lease.ends)),
        };
        self.leases.iter().filter_map(next).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.leases.len()
    }

    pub(super) fn leases(&self) -> Vec<String> {
        self.leases.iter().map(|lease| lease.id.clone()).collect()
    }

    fn find(&mut self, lease_id: &str) -> Option<&mut Lease> {
        self.leases.iter_mut().find(|lease| lease.id == lease_id)
    }
}

impl Lease {
    fn hand_back(&mut self) {
        if self.state == State::Used {
            self.state = State::Due(Instant::now());
        }
    }

    fn due(&self) -> Option<Instant> {
        match self.state {
            State::Due(due) => Some(due),
            _ => None,
        }
    }
}
