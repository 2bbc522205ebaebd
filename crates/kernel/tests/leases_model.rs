//! Any sequence of issuing, renewing, revoking and waiting ends exactly the right leases.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::collections::BTreeMap;
use std::time::Duration;

use harness::Harness;
use harness::outside::{Mood, World, lease, renew, revoke, server, stored};
use proptest::prelude::*;

/// What is stored of a living lease: its record, when it is due, and that of its token and its mount.
const ENTRIES_EACH: usize = 4;
/// The longest that a lease lives here.
const MAX_TTL_SECS: u64 = 768 * 3600;

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    Issue { sick: bool, ttl: u64 },
    Renew { which: usize, ttl: u64 },
    Revoke { which: usize },
    Pass { secs: u64 },
    Mood { works: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<bool>(), 1..400_u64).prop_map(|(sick, ttl)| Step::Issue { sick, ttl }),
        4 => (any::<usize>(), prop_oneof![1..500_u64, Just(MAX_TTL_SECS + 5)]).prop_map(|(which, ttl)| Step::Renew { which, ttl }),
        2 => any::<usize>().prop_map(|which| Step::Revoke { which }),
        4 => (0..200_u64).prop_map(|secs| Step::Pass { secs }),
        1 => any::<bool>().prop_map(|works| Step::Mood { works }),
    ]
}

/// What should be so.
#[derive(Default)]
struct Model {
    now: u64,
    made: usize,
    /// By name: the id, when it was issued, when it ends, whether the target may refuse.
    leases: BTreeMap<String, Known>,
    refuses: bool,
}

struct Known {
    id: String,
    issued: u64,
    ends: u64,
    sick: bool,
}

impl Model {
    fn nth(&self, which: usize) -> Option<String> {
        let at = which.checked_rem(self.leases.len())?;
        self.leases.keys().nth(at).cloned()
    }

    fn expire(&mut self) {
        let now = self.now;
        self.leases.retain(|_, lease| lease.ends > now);
    }

    async fn take(&mut self, h: &Harness, step: Step) {
        match step {
            Step::Issue { sick, ttl } => {
                let name = format!("n{:04}", self.made);
                self.made += 1;
                let id = lease(
                    h,
                    if sick { "sick" } else { "well" },
                    &name,
                    &format!("{ttl}s"),
                )
                .await;
                self.leases.insert(
                    name,
                    Known {
                        id,
                        issued: self.now,
                        ends: self.now + ttl,
                        sick,
                    },
                );
            }
            Step::Renew { which, ttl } => {
                let Some(name) = self.nth(which) else { return };
                let known = self.leases.get_mut(&name).unwrap();
                let renewed = renew(h, &known.id, &format!("{ttl}s")).await;
                assert_eq!(renewed.status, 200, "{renewed:?}");
                known.ends = (self.now + ttl).min(known.issued + MAX_TTL_SECS);
                assert_eq!(renewed.json["lease_duration"], known.ends - self.now);
            }
            Step::Revoke { which } => {
                let Some(name) = self.nth(which) else { return };
                let known = self.leases.remove(&name).unwrap();
                let refused = known.sick && self.refuses;
                assert_eq!(
                    revoke(h, &known.id).await.status,
                    if refused { 400 } else { 204 }
                );
            }
            Step::Pass { secs } => {
                self.now += secs;
                h.advance(Duration::from_secs(secs)).await;
                self.expire();
            }
            Step::Mood { works } => {
                self.refuses = !works;
                World::here().mood("sick", if works { Mood::Works } else { Mood::Refuses });
                h.settle().await;
            }
        }
    }

    fn check(&self) {
        let live = World::here().live();
        for name in self.leases.keys() {
            assert!(live.contains(name), "{name} ended early");
        }
        if !self.refuses {
            assert_eq!(live.len(), self.leases.len(), "{live:?} live");
        }
    }
}

async fn run(steps: Vec<Step>) {
    let world = World::anew();
    let h = server().await;
    let mut model = Model::default();
    for step in steps {
        let passes = matches!(step, Step::Pass { .. } | Step::Mood { .. });
        model.take(&h, step).await;
        if passes {
            model.check();
        }
    }
    model.take(&h, Step::Mood { works: true }).await;
    model.check();
    assert_eq!(
        stored(&h).await.len(),
        ENTRIES_EACH * model.leases.len(),
        "{:?}",
        stored(&h).await
    );
    h.advance(Duration::from_secs(MAX_TTL_SECS + 500)).await;
    assert!(world.live().is_empty());
    assert_eq!(stored(&h).await, Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exactly_the_right_leases_end(steps in prop::collection::vec(step(), 1..40)) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(run(steps));
    }
}
