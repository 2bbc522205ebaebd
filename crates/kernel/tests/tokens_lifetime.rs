//! The arithmetic of lifetimes holds its bounds for every combination of terms.

use std::time::Duration;

use coffer_engine::Renewal;
use coffer_kernel::tokens::Terms;
use coffer_wire::Timestamp;
use proptest::prelude::*;

const START: Timestamp = Timestamp::EPOCH;

prop_compose! {
    fn millis(most: u64)(zero in prop::bool::weighted(0.3), millis in 1..most) -> Duration {
        if zero { Duration::ZERO } else { Duration::from_millis(millis) }
    }
}

prop_compose! {
    fn terms()(
        ttl in millis(100_000), period in millis(100_000), explicit_max_ttl in millis(100_000),
        max_ttl in millis(100_000), mount_ttl in 1..50_000_u64, mount_max_ttl in 1..80_000_u64,
    ) -> Terms {
        let (mount_ttl, mount_max_ttl) = (Duration::from_millis(mount_ttl), Duration::from_millis(mount_max_ttl));
        Terms { ttl, period, explicit_max_ttl, max_ttl, mount_ttl, mount_max_ttl }
    }
}

proptest! {
    #[test]
    fn no_renewal_passes_a_bound(terms in terms(), steps in prop::collection::vec(0..20_000_u64, 1..20)) {
        let created = START.plus(Duration::from_secs(1_000));
        let mut now = created;
        for step in steps {
            let mut warnings = Vec::new();
            let end = terms.until(created, now, &mut warnings);
            if !terms.explicit_max_ttl.is_zero() {
                prop_assert!(end <= created.plus(terms.explicit_max_ttl));
            }
            let wish = if terms.period.is_zero() {
                prop_assert!(end <= created.plus(terms.mount_max_ttl));
                prop_assert!(terms.max_ttl.is_zero() || end <= created.plus(terms.max_ttl));
                if terms.ttl.is_zero() { terms.mount_ttl } else { terms.ttl }
            } else {
                prop_assert!(end <= now.plus(terms.mount_max_ttl));
                terms.period
            };
            prop_assert!(end <= now.plus(wish));
            prop_assert_eq!(warnings.is_empty(), end == now.plus(wish), "a cut is told, and only a cut");
            now = now.plus(Duration::from_millis(step));
        }
    }

    #[test]
    fn a_period_without_a_bound_goes_on_for_ever(terms in terms(), age in 0..1_000_000_u64) {
        prop_assume!(!terms.period.is_zero());
        let terms = Terms { explicit_max_ttl: Duration::ZERO, ..terms };
        let now = START.plus(Duration::from_secs(age));
        prop_assert!(terms.until(START, now, &mut Vec::new()) > now);
    }

    #[test]
    fn no_lease_passes_a_bound(
        increment in prop::option::of(millis(100_000)), ttl in millis(100_000), max in millis(100_000),
        default_ttl in 1..50_000_u64, mount_max in 1..80_000_u64, age in 0..100_000_u64,
    ) {
        let mount_max = Duration::from_millis(mount_max);
        let now = START.plus(Duration::from_millis(age));
        let ask = Renewal { increment, issued: START, now, default_ttl: Duration::from_millis(default_ttl), max_ttl: mount_max };
        let end = ask.until(ttl, max);
        prop_assert!(end <= START.plus(mount_max));
        prop_assert!(max.is_zero() || end <= START.plus(max));
        prop_assert!(increment.is_none_or(|by| end <= now.plus(by)));
    }
}
