//! Counting what there is, in the background: page by page, and never more than a tenth of the time.
//!
//! Memory does not grow with what is counted: only sums are kept, and no more names than the operator allows.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Class, Fault};
use coffer_wire::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Meters, Telemetry, lifetimes};
use crate::core::Core;
use crate::leases::LeaseState;
use crate::mounts::Backend;
use crate::namespaces::{NamespacePath, Space};
use crate::open::Open;
use crate::tokens::TokenRecord;

/// How many records are read at once.
const PAGE: usize = 512;
/// The pause after a page, in times of what the page took.
const PAUSE: u32 = 9;

/// Counts now and once a period, until stopped.
pub(crate) async fn run(core: Arc<Core>, stop: CancellationToken) {
    let Some(period) = core.settings.meters.telemetry.usage_gauge_period else {
        return;
    };
    let count = async {
        loop {
            if let Err(fault) = take(&core).await {
                tracing::warn!(%fault, "tokens and leases could not be counted; it is tried again");
            }
            tokio::time::sleep(period).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = count => {}
    }
}

/// Counts everything once.
async fn take(core: &Arc<Core>) -> Result<(), Fault> {
    let mut ends = Ends::new(core.clock.now(), &core.settings.meters.telemetry);
    let tokens = count_tokens(core, &mut ends).await?;
    let leases = count_leases(core, &mut ends).await?;
    let meters = &core.settings.meters;
    let cluster = meters.cluster();
    tokens.show(meters, &cluster);
    meters.leases.known.counted(leases.known);
    meters.leases.of_mounts.counted(leases.of_mounts);
    meters.leases.irrevocable.counted(leases.irrevocable);
    meters.leases.by_expiration.set(ends.shown(&cluster));
    count_secrets(core).await
}

async fn count_tokens(core: &Core, ends: &mut Ends) -> Result<Tokens, Fault> {
    let most = core.settings.meters.telemetry.max_gauge_cardinality;
    let mut spaces = Spaces::new(core, most);
    let mut found = Tokens::new(most);
    let mut pages = core.tokens.records().at_most(PAGE);
    while let Some(page) = paced(pages.next()).await? {
        for (_, record) in page {
            if !record.is_alive(ends.now) {
                continue;
            }
            let space = spaces.of(&record.namespace).await?;
            found.add(&record, space.as_deref(), ends.now);
            if let Some(end) = record.expires {
                ends.add(end);
            }
        }
    }
    Ok(found)
}

async fn count_leases(core: &Core, ends: &mut Ends) -> Result<Leases, Fault> {
    let mut found = Leases::default();
    let mut pages = core.leases.records().at_most(PAGE);
    while let Some(page) = paced(pages.next()).await? {
        for (_, record) in page {
            match record.state {
                LeaseState::Intent => continue,
                LeaseState::Irrevocable => found.irrevocable += 1,
                LeaseState::Live | LeaseState::Revoking => {}
            }
            found.known += 1;
            *found.of_mounts.entry(record.mount).or_default() += 1;
            ends.add(record.expires);
        }
    }
    Ok(found)
}

/// What the mounts hold whose engines can tell, and the entities, of all namespaces.
async fn count_secrets(core: &Arc<Core>) -> Result<(), Fault> {
    let meters = &core.settings.meters;
    let cluster = meters.cluster();
    let mut entities = Vec::new();
    let mut counts: HashMap<&'static str, Vec<(Vec<String>, f64)>> = HashMap::new();
    let mut paths = vec![String::new()];
    let below = core.namespaces.below("", true).await?;
    let readable = below
        .into_iter()
        .filter(|record| !core.namespaces.is_closed(record));
    paths.extend(readable.map(|record| record.path));
    for path in paths {
        let space = match NamespacePath::parse(&path) {
            Some(path) => core.namespaces.at(&path).await?,
            None => None,
        };
        let Some(open) = space.map(|space| Open::new(core, space)) else {
            continue;
        };
        let count = paced(open.space.identity.count_entities()).await?;
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        entities.push((owned([&cluster, open.space.shown()]), whole(count)));
        let mounts = open.space.mounts.all(Class::Secret);
        for mount in mounts.iter().filter(|mount| !mount.record.tainted) {
            let Backend::Engine(engine) = &mount.backend else {
                continue;
            };
            let cx = open.background(mount);
            let Some(count) = paced(engine.count(&cx)).await? else {
                continue;
            };
            let labels = owned([&cluster, open.space.shown(), &mount.record.path]);
            let of_engine = counts.entry(engine.table().name).or_default();
            of_engine.push((labels, whole(count)));
        }
    }
    meters.core.entities.set(entities);
    for (engine, counted) in counts {
        meters.count_of(engine).set(counted);
    }
    Ok(())
}

/// Waits for a page, and then nine times as long.
async fn paced<T>(page: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let page = page.await;
    tokio::time::sleep(began.elapsed() * PAUSE).await;
    page
}

/// Stored tokens by what they are.
struct Tokens {
    ending: u64,
    stored: u64,
    by_namespace: Counts,
    by_policy: Counts,
    by_auth: Counts,
    by_ttl: Counts,
    by_remaining_ttl: Counts,
}

/// Counts by namespace and name; of new ones beyond the bound only the sum is kept.
struct Counts {
    most: usize,
    all: HashMap<[String; 2], u64>,
}

#[derive(Default)]
struct Leases {
    known: u64,
    of_mounts: HashMap<String, i64>,
    irrevocable: u64,
}

/// Ends by their class.
struct Ends {
    now: Timestamp,
    width_secs: u64,
    most: u64,
    classes: HashMap<u64, u64>,
}

/// The namespaces that were met lately.
struct Spaces<'a> {
    core: &'a Core,
    most: usize,
    met: HashMap<String, Option<Arc<Space>>>,
}

impl Tokens {
    fn new(most: usize) -> Self {
        let none = || Counts {
            most,
            all: HashMap::new(),
        };
        Self {
            ending: 0,
            stored: 0,
            by_namespace: none(),
            by_policy: none(),
            by_auth: none(),
            by_ttl: none(),
            by_remaining_ttl: none(),
        }
    }

    fn add(&mut self, record: &TokenRecord, space: Option<&Space>, now: Timestamp) {
        let namespace = space.map_or("", Space::shown);
        self.stored += 1;
        self.ending += u64::from(record.expires.is_some());
        self.by_namespace.add(namespace, "");
        for policy in &record.policies {
            self.by_policy.add(namespace, policy);
        }
        let mount = space.and_then(|space| space.mounts.by_accessor(&record.mount));
        let method = mount.as_ref().map_or("", |mount| mount.record.engine());
        self.by_auth.add(namespace, method);
        let ttl = Duration::from_secs(record.creation_ttl_secs);
        self.by_ttl.add(namespace, lifetimes::class(ttl));
        let left = record.expires.map_or(Duration::ZERO, |end| end.since(now));
        self.by_remaining_ttl.add(namespace, lifetimes::class(left));
    }

    fn show(self, meters: &Meters, cluster: &str) {
        let tokens = &meters.tokens;
        tokens.stored.counted(self.stored);
        tokens.ending.counted(self.ending);
        let counted = self
            .by_namespace
            .shown(|[namespace, _]| owned([cluster, namespace]));
        tokens.count.set(counted);
        let counted = self
            .by_policy
            .shown(|[namespace, policy]| owned([cluster, namespace, policy]));
        tokens.by_policy.set(counted);
        let counted = self
            .by_auth
            .shown(|[namespace, method]| owned([method, cluster, namespace]));
        tokens.by_auth.set(counted);
        let counted = self
            .by_ttl
            .shown(|[namespace, ttl]| owned([cluster, ttl, namespace]));
        tokens.by_ttl.set(counted);
        let counted = self
            .by_remaining_ttl
            .shown(|[namespace, ttl]| owned([cluster, namespace, ttl]));
        tokens.by_remaining_ttl.set(counted);
    }
}

impl Counts {
    fn add(&mut self, namespace: &str, name: &str) {
        let key = [namespace, name].map(str::to_owned);
        let has_room = self.all.len() < self.most || self.all.contains_key(&key);
        let key = if has_room {
            key
        } else {
            ["other", "other"].map(str::to_owned)
        };
        *self.all.entry(key).or_default() += 1;
    }

    fn shown(self, labels: impl Fn([&str; 2]) -> Vec<String>) -> Vec<(Vec<String>, f64)> {
        let all = self.all.iter();
        all.map(|([namespace, name], count)| (labels([namespace, name]), whole(*count)))
            .collect()
    }
}

impl Ends {
    fn new(now: Timestamp, telemetry: &Telemetry) -> Self {
        Self {
            now,
            width_secs: telemetry.expiring_class.as_secs().max(1),
            most: telemetry.expiring_classes,
            classes: HashMap::new(),
        }
    }

    fn add(&mut self, end: Timestamp) {
        let class = end.secs().div_ceil(self.width_secs);
        let first = self.now.secs().div_ceil(self.width_secs);
        if class < first.saturating_add(self.most) {
            *self.classes.entry(class.max(first)).or_default() += 1;
        }
    }

    fn shown(self, cluster: &str) -> Vec<(Vec<String>, f64)> {
        let secs = |class: u64| class.saturating_mul(self.width_secs);
        let spelled = |class| super::scrape::timestamp(secs(class));
        let classes = self.classes.iter();
        classes
            .map(|(class, count)| (owned([cluster, &spelled(*class)]), whole(*count)))
            .collect()
    }
}

impl<'a> Spaces<'a> {
    fn new(core: &'a Core, most: usize) -> Self {
        Self {
            core,
            most,
            met: HashMap::new(),
        }
    }

    /// The namespace with an id; none where it is gone.
    async fn of(&mut self, id: &str) -> Result<Option<Arc<Space>>, Fault> {
        if let Some(met) = self.met.get(id) {
            return Ok(met.clone());
        }
        if self.met.len() >= self.most {
            self.met.clear();
        }
        let space = self.core.namespaces.by_id(id).await?;
        self.met.insert(id.to_owned(), space.clone());
        Ok(space)
    }
}

fn owned<const N: usize>(labels: [&str; N]) -> Vec<String> {
    labels.map(str::to_owned).to_vec()
}

fn whole(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a gauge; exact to 2^53")]
    let count = count as f64;
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_names_beyond_the_bound_are_summed_up() {
        let mut counts = Counts {
            most: 2,
            all: HashMap::new(),
        };
        for name in ["a", "b", "c", "d", "a"] {
            counts.add("root", name);
        }
        let mut all = counts.shown(|[_, name]| owned([name]));
        all.sort_by(|one, other| one.0.cmp(&other.0));
        let expected = [("a", 2.0), ("b", 1.0), ("other", 2.0)];
        assert_eq!(all, expected.map(|(name, count)| (owned([name]), count)));
    }

    #[test]
    fn ends_are_counted_by_the_hour_for_a_week() {
        let mut ends = Ends::new(Timestamp::from_secs(7_200), &Telemetry::default());
        for secs in [1, 7_201, 10_800, 10_801, 7_200 + 200 * 3_600] {
            ends.add(Timestamp::from_secs(secs));
        }
        let mut shown = ends.shown("c");
        shown.sort_by(|a, b| a.0.cmp(&b.0));
        let spelled: Vec<_> = shown
            .iter()
            .map(|(labels, count)| (labels[1].as_str(), *count))
            .collect();
        assert_eq!(
            spelled,
            [
                ("1970-01-01 02:00:00 +0000 UTC", 1.0),
                ("1970-01-01 03:00:00 +0000 UTC", 2.0),
                ("1970-01-01 04:00:00 +0000 UTC", 1.0)
            ]
        );
    }
}
