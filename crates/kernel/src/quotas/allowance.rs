//! What is left to a client.

use coffer_wire::Timestamp;

use super::quota::Rate;

/// What a rate limit says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Whether it goes on.
    pub passes: bool,
    /// The window it falls into; none while the client is blocked.
    pub window: Option<Window>,
    /// After how many seconds it is worth asking again, where it was refused.
    pub retry_after_secs: Option<u64>,
}

/// A client's interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Requests in each.
    pub limit: u64,
    /// Requests that are left in this one.
    pub remaining: u64,
    /// In how many seconds the next one begins.
    pub reset_secs: u64,
}

/// What one client of a rate limit used up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// When its first interval began.
    began_millis: u64,
    /// The number of its interval, from 0.
    interval: u64,
    /// Requests in that interval.
    used: u64,
    /// Refused until then.
    blocked_until_millis: u64,
}

/// The terms of a rate limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub limit: u64,
    pub interval_millis: u64,
    pub block_millis: u64,
}

impl Terms {
    /// The terms of a rate limit; for those who have no entity where it goes by that.
    pub fn of(rate: &Rate, secondary: bool) -> Self {
        let requests = match secondary && rate.secondary_rate > 0.0 {
            true => rate.secondary_rate,
            false => rate.rate,
        };
        Self {
            limit: whole(requests),
            interval_millis: rate.interval_secs.max(1).saturating_mul(1_000),
            block_millis: rate.block_secs.saturating_mul(1_000),
        }
    }
}

/// A begun request counts as one. Rates are positive and finite; what no counter reaches is no limit.
fn whole(rate: f64) -> u64 {
    rate.ceil() as u64
}

impl Usage {
    pub fn new(now: Timestamp) -> Self {
        Self {
            began_millis: now.millis(),
            ..Self::default()
        }
    }

    /// Takes one request, if the terms allow it.
    pub fn take(&mut self, terms: &Terms, now: Timestamp) -> Allowance {
        let now = now.millis();
        if self.blocked_until_millis > now {
            return Allowance {
                passes: false,
                window: None,
                retry_after_secs: Some(secs(self.blocked_until_millis - now)),
            };
        }
        let elapsed = now.saturating_sub(self.began_millis);
        let interval = elapsed / terms.interval_millis;
        if interval != self.interval {
            (self.interval, self.used) = (interval, 0);
        }
        let rest = terms.interval_millis - elapsed % terms.interval_millis;
        let passes = self.used < terms.limit;
        if passes {
            self.used += 1;
        } else if terms.block_millis > 0 {
            self.blocked_until_millis = now.saturating_add(terms.block_millis);
        }
        let wait = match terms.block_millis {
            0 => rest,
            block => block,
        };
        Allowance {
            passes,
            window: Some(Window {
                limit: terms.limit,
                remaining: terms.limit.saturating_sub(self.used),
                reset_secs: secs(rest),
            }),
            retry_after_secs: (!passes).then(|| secs(wait)),
        }
    }

    /// Whether it is refused at `now` whatever its interval.
    pub fn is_blocked(&self, now: Timestamp) -> bool {
        self.blocked_until_millis > now.millis()
    }

    /// Whether it is as good as new at `now`.
    pub fn is_over(&self, terms: &Terms, now: Timestamp) -> bool {
        let now = now.millis();
        let elapsed = now.saturating_sub(self.began_millis);
        self.blocked_until_millis <= now && elapsed / terms.interval_millis > self.interval
    }
}

/// Whole seconds, a begun one counted: who waits so long does not come too early.
fn secs(millis: u64) -> u64 {
    millis.div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_nanos((1_000_000_000 + millis) * 1_000_000)
    }

    fn terms(limit: u64, interval_millis: u64, block_millis: u64) -> Terms {
        Terms {
            limit,
            interval_millis,
            block_millis,
        }
    }

    #[test]
    fn intervals_follow_each_other_from_the_first_request_on() {
        let terms = terms(2, 1_000, 0);
        let mut usage = Usage::new(at(0));
        let passed = [
            0, 400, 800, 999, 1_000, 1_900, 1_950, 2_000, 7_100, 7_200, 7_300,
        ]
        .map(|millis| usage.take(&terms, at(millis)).passes);
        assert_eq!(
            passed,
            [
                true, true, false, false, true, true, false, true, true, true, false
            ]
        );
    }

    #[test]
    fn clients_are_told_what_is_left_and_how_long_to_wait() {
        let terms = terms(2, 20_000, 0);
        let mut usage = Usage::new(at(0));
        let window = |remaining, reset_secs| {
            Some(Window {
                limit: 2,
                remaining,
                reset_secs,
            })
        };
        assert_eq!(usage.take(&terms, at(0)).window, window(1, 20));
        assert_eq!(usage.take(&terms, at(1)).window, window(0, 20));
        let refused = usage.take(&terms, at(1_001));
        assert_eq!(
            (refused.window, refused.retry_after_secs),
            (window(0, 19), Some(19))
        );
    }

    #[test]
    fn a_block_outlasts_the_interval_and_then_ends() {
        let terms = terms(1, 1_000, 4_000);
        let mut usage = Usage::new(at(0));
        assert!(usage.take(&terms, at(0)).passes);
        let first = usage.take(&terms, at(500));
        assert_eq!((first.passes, first.retry_after_secs), (false, Some(4)));
        let blocked = usage.take(&terms, at(4_000));
        assert_eq!((blocked.window, blocked.retry_after_secs), (None, Some(1)));
        assert!(!usage.is_over(&terms, at(4_000)));
        assert!(usage.is_over(&terms, at(4_500)));
        assert!(usage.take(&terms, at(4_500)).passes);
    }

    #[test]
    fn begun_requests_count_as_one_and_endless_rates_are_none() {
        assert_eq!(
            (whole(0.2), whole(2.0), whole(2.7), whole(1e300)),
            (1, 2, 3, u64::MAX)
        );
        let mut usage = Usage::new(at(0));
        let odd = terms(u64::MAX, u64::MAX, u64::MAX);
        assert!(usage.take(&odd, at(5)).passes);
    }
}
