use std::time::Duration;

use tokio::time::Instant;

use crate::retry::{backoff_up_to, unit_random};

/// The longest wait between two attempts to take a credential …
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// … and never more than this part of the time that credentials live here.
const LONGEST_PART: f64 = 0.25;
const SHORTEST_WAIT: Duration = Duration::from_millis(250);

/// Whether and when another credential is asked for.
pub(super) struct Asking {
    state: State,
    failures: u32,
    refusals: u32,
    last_success: Option<Instant>,
    ttl: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    NotWanted,
    Wanted(Instant),
    Underway,
    /// Never again.
    Stopped {
        underway: bool,
    },
}

impl Asking {
    pub(super) fn now() -> Self {
        Self {
            state: State::Wanted(Instant::now()),
            failures: 0,
            refusals: 0,
            last_success: None,
            ttl: None,
        }
    }

    /// Another is wanted, at `by` at the latest.
    pub(super) fn begin_by(&mut self, by: Instant) {
        if self.state == State::NotWanted {
            self.state = State::Wanted(by);
        }
    }

    /// What was given last is refused. One that comes right after another waits a little longer each time.
    pub(super) fn refused(&mut self) {
        let wait = self.wait(self.refusals);
        let first = self.refusals == 0;
        self.refusals = self.refusals.saturating_add(1);
        let now = Instant::now();
        let by = self.last_success.filter(|_| !first).map(|last| last + wait);
        self.begin_by(by.unwrap_or(now).max(now));
    }

    /// What was given last does its work.
    pub(super) fn is_well(&mut self) {
        self.refusals = 0;
    }

    /// Whether it is time; then it counts as under way.
    pub(super) fn begin(&mut self) -> bool {
        let is_time = self.due().is_some_and(|due| due <= Instant::now());
        if is_time {
            self.state = State::Underway;
        }
        is_time
    }

    pub(super) fn succeeded(&mut self, ttl: Duration) {
        self.failures = 0;
        self.last_success = Some(Instant::now());
        self.ttl = Some(ttl);
        self.answered(State::NotWanted);
    }

    /// Answers how long to wait until it is tried again.
    pub(super) fn failed(&mut self) -> Duration {
        let wait = self.wait(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.answered(State::Wanted(Instant::now() + wait));
        wait
    }

    pub(super) fn stop(&mut self) {
        let underway = self.is_underway();
        self.state = State::Stopped { underway };
    }

    pub(super) fn is_underway(&self) -> bool {
        matches!(
            self.state,
            State::Underway | State::Stopped { underway: true }
        )
    }

    /// Whether another is asked for or will be.
    pub(super) fn is_wanted(&self) -> bool {
        self.state != State::NotWanted
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Wanted(due) => Some(due),
            _ => None,
        }
    }

    fn answered(&mut self, next: State) {
        self.state = match self.state {
            State::Stopped { .. } => State::Stopped { underway: false },
            _ => next,
        };
    }

    fn wait(&self, attempt: u32) -> Duration {
        let part = self.ttl.map(|ttl| ttl.mul_f64(LONGEST_PART));
        let longest = part.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        backoff_up_to(longest.max(SHORTEST_WAIT), attempt, unit_random())
    }
}
