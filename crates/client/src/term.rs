use std::time::Duration;

use tokio::time::Instant;

use crate::Error;
use crate::retry::unit_random;

/// A lease is renewed when this part of its time has passed …
const RENEW_AT: f64 = 0.7;
/// … give or take this part of it, so that a fleet does not renew in step.
const JITTER: f64 = 0.1;
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
/// No clock overflows by what a server says.
const LONGEST_TTL_SECS: u64 = 10 * 365 * 24 * 3600;

/// The clock of one token or lease: when to renew it next, and when it ends.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    first_ttl: Duration,
    ttl: Duration,
    ends: Instant,
    due: Instant,
    renewable: bool,
    failures: u32,
}

impl Term {
    /// Begins at `asked`: the server counted from then at the earliest.
    pub(crate) fn new(asked: Instant, ttl_secs: u64, renewable: bool) -> Self {
        let ttl = Duration::from_secs(ttl_secs.min(LONGEST_TTL_SECS));
        Self {
            first_ttl: ttl,
            ttl,
            ends: asked + ttl,
            due: asked + renew_after(ttl, unit_random()),
            renewable,
            failures: 0,
        }
    }

    /// The server has renewed it, asked at `asked`.
    pub(crate) fn renewed(&mut self, asked: Instant, ttl_secs: u64, renewable: bool) {
        let first_ttl = self.first_ttl;
        *self = Self {
            first_ttl,
            ..Self::new(asked, ttl_secs, renewable)
        };
    }

    /// A renewal failed: the next one is due when a third of what is left has passed, unless the server's word is final.
    pub(crate) fn failed(&mut self, error: &Error) {
        self.failures = self.failures.saturating_add(1);
        self.renewable &= !error.is_refusal();
        let third = self
            .left()
            .mul_f64(1.0 / 3.0 * (1.0 - JITTER * unit_random()));
        self.due = Instant::now() + third.max(SHORTEST_WAIT);
    }

    /// Renewing it would help no longer, as far as its keeper is concerned.
    pub(crate) fn give_up(&mut self) {
        self.renewable = false;
    }

    pub(crate) fn ttl(&self) -> Duration {
        self.ttl
    }

    pub(crate) fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    pub(crate) fn ends(&self) -> Instant {
        self.ends
    }

    /// When to renew it; where it is not renewable, when to take another.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    pub(crate) fn is_renewable(&self) -> bool {
        self.renewable
    }

    pub(crate) fn is_over(&self) -> bool {
        self.ends <= Instant::now()
    }

    /// How many renewals have failed since the last one that did not.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the last renewal gave less than this part of the first TTL: the maximum is near.
    pub(crate) fn is_cut_below(&self, part: f64) -> bool {
        self.ttl <= self.first_ttl.mul_f64(part)
    }
}

/// 70 % of the TTL, moved by up to a tenth of it either way; `random` is in `0.0..1.0`.
fn renew_after(ttl: Duration, random: f64) -> Duration {
    ttl.mul_f64(RENEW_AT + JITTER * (2.0 * random - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_at_seventy_percent_give_or_take_ten() {
        let ttl = Duration::from_secs(100);
        assert_eq!(renew_after(ttl, 0.0).as_secs(), 60);
        assert_eq!(renew_after(ttl, 0.5).as_secs(), 70);
        assert!(renew_after(ttl, 0.999) < Duration::from_secs(80));
    }

    #[tokio::test(start_paused = true)]
    async fn no_number_of_a_server_overflows_the_clock() {
        let mut term = Term::new(Instant::now(), u64::MAX, true);
        term.renewed(Instant::now(), u64::MAX, true);
        assert!(term.left() > Duration::from_secs(3600) && !term.is_over());
        assert!(!term.is_cut_below(0.5));
    }
}
