//! How long a token lives: the arithmetic of creation and renewal.

use std::time::Duration;

use coffer_wire::Timestamp;

/// Everything that decides about a lifetime. A duration of zero says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms {
    /// What is wished for.
    pub ttl: Duration,
    /// The lifetime of a periodic token, whatever is wished for.
    pub period: Duration,
    /// A bound from creation that holds for periodic tokens, too.
    pub explicit_max_ttl: Duration,
    /// The role's or auth method's bound from creation.
    pub max_ttl: Duration,
    /// The mount's lifetime where nothing is wished for.
    pub mount_ttl: Duration,
    /// The mount's bound from creation.
    pub mount_max_ttl: Duration,
}

impl Terms {
    /// Until when a token lives that was made at `created` and is made or renewed at `now`; says what
    /// was cut short. Never past the bounds; `now` itself, or before, when they are used up.
    pub fn until(
        &self,
        created: Timestamp,
        now: Timestamp,
        warnings: &mut Vec<String>,
    ) -> Timestamp {
        let most = shortest([self.explicit_max_ttl, self.max_ttl, self.mount_max_ttl]);
        let (what, wish, bound) = if self.period.is_zero() {
            let wish = if self.ttl.is_zero() {
                self.mount_ttl
            } else {
                self.ttl
            };
            ("TTL", wish, created.plus(most))
        } else if self.explicit_max_ttl.is_zero() {
            ("period", self.period, now.plus(most))
        } else {
            (
                "period",
                self.period,
                now.plus(most).min(created.plus(self.explicit_max_ttl)),
            )
        };
        let end = now.plus(wish);
        if end > bound {
            let (wish, got) = (short(wish), short(whole_seconds(bound.since(now))));
            warnings.push(format!("{what} of {wish:?} exceeded the effective max_ttl of {got:?}; {what} value is capped accordingly"));
        }
        end.min(bound)
    }
}

/// The shortest of the durations that say something.
pub fn shortest<const N: usize>(bounds: [Duration; N]) -> Duration {
    bounds
        .into_iter()
        .filter(|bound| !bound.is_zero())
        .min()
        .unwrap_or_default()
}

/// Whole seconds, a begun one counted: a living token never shows a zero, which would mean for ever.
pub fn whole_seconds(left: Duration) -> Duration {
    let begun = u64::from(left.subsec_nanos() > 0);
    Duration::from_secs(left.as_secs().saturating_add(begun))
}

/// As Go prints it, without trailing zero units: `768h`, `1h30m`.
fn short(duration: Duration) -> String {
    let mut text = coffer_wire::format_duration(duration);
    if text.ends_with("m0s") {
        text.truncate(text.len() - 2);
    }
    if text.ends_with("h0m") {
        text.truncate(text.len() - 2);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_short() {
        for (secs, text) in [
            (0, "0s"),
            (10, "10s"),
            (600, "10m"),
            (5400, "1h30m"),
            (2_764_800, "768h"),
            (3601, "1h0m1s"),
        ] {
            assert_eq!(short(Duration::from_secs(secs)), text);
        }
    }

    #[test]
    fn a_begun_second_counts() {
        assert_eq!(
            whole_seconds(Duration::from_millis(1)),
            Duration::from_secs(1)
        );
        assert_eq!(
            whole_seconds(Duration::from_secs(2)),
            Duration::from_secs(2)
        );
        assert_eq!(whole_seconds(Duration::ZERO), Duration::ZERO);
    }
}
