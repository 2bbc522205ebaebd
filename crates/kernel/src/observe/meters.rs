//! Everything that is measured, and what is counted when something is made.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use coffer_metrics::{Family, Registry, Reset};
use coffer_wire::Timestamp;
use parking_lot::Mutex;

use super::catalogue::{
    AuditMeters, CoreMeters, EventMeters, LeaseMeters, PolicyMeters, SealMeters, TokenMeters,
};
use super::lifetimes;
use super::process::Process;
use super::routes::{RouteMeters, Routes};
use crate::leases::LeaseState;

/// What the operator's configuration says about metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// The first part of metric names.
    pub prefix: String,
    /// Whether the Prometheus form is there.
    pub prometheus: bool,
    /// How often tokens, leases and secrets are counted; `None` for never.
    pub usage_gauge_period: Option<Duration>,
    /// Most label sets of one metric.
    pub max_gauge_cardinality: usize,
    /// The width of the classes that the ends of leases are counted in.
    pub expiring_class: Duration,
    /// How many such classes there are from now on.
    pub expiring_classes: u64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            prefix: "vault".to_owned(),
            prometheus: true,
            usage_gauge_period: Some(Duration::from_secs(600)),
            max_gauge_cardinality: 500,
            expiring_class: Duration::from_secs(3_600),
            expiring_classes: 168,
        }
    }
}

/// Everything that is measured. One value per server, passed in with its settings.
#[derive(Debug)]
pub struct Meters {
    /// What the configuration says.
    pub telemetry: Telemetry,
    /// Requests and the seal.
    pub core: CoreMeters,
    /// Tokens.
    pub tokens: TokenMeters,
    /// Leases.
    pub leases: LeaseMeters,
    /// Policies.
    pub policies: PolicyMeters,
    /// Audit devices.
    pub audit: AuditMeters,
    /// Events.
    pub events: EventMeters,
    /// Keepers of the root key.
    pub seals: SealMeters,
    /// The barrier.
    pub barrier: coffer_barrier::Meters,
    registry: Arc<Registry>,
    routes: Routes,
    process: Process,
    counts: Mutex<HashMap<&'static str, Arc<Reset>>>,
    cluster: ArcSwapOption<String>,
}

impl Default for Meters {
    fn default() -> Self {
        Self::new(Telemetry::default())
    }
}

impl Meters {
    /// Meters that have measured nothing yet.
    pub fn new(telemetry: Telemetry) -> Self {
        let registry = Arc::<Registry>::default();
        let most = telemetry.max_gauge_cardinality;
        let meters = Self {
            core: CoreMeters::new(&registry, most),
            tokens: TokenMeters::new(&registry, most),
            leases: LeaseMeters::new(&registry, most),
            policies: PolicyMeters::new(&registry),
            audit: AuditMeters::new(&registry),
            events: EventMeters::new(&registry),
            seals: SealMeters::new(&registry),
            barrier: coffer_barrier::Meters::new(&registry),
            routes: Routes::new(Arc::clone(&registry)),
            process: Process::new(&registry),
            counts: Mutex::default(),
            cluster: ArcSwapOption::empty(),
            telemetry,
            registry,
        };
        meters.core.unsealed.of(&[""]).set(0.0);
        meters
    }

    /// Where others, such as a store, enter what they measure.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The timings of the mount at a path.
    pub fn route(&self, path: &str) -> Arc<RouteMeters> {
        self.routes.of(path)
    }

    /// Ends the running interval once its time is over; to be called every few seconds.
    pub fn roll(&self, now: Timestamp) {
        self.registry.roll(now.secs());
    }

    /// Everything as it is now, and when the interval that is shown began, in seconds since 1970.
    pub fn gather(&self, now: Timestamp) -> (u64, Vec<Family>) {
        self.process.refresh();
        self.registry.gather(now.secs())
    }

    /// The server is unsealed.
    pub(crate) fn unsealed(&self, cluster: &str) {
        self.cluster.store(Some(Arc::new(cluster.to_owned())));
        self.core.unsealed.of(&[""]).forget();
        self.core.in_flight_requests.of(&[""]).forget();
        self.core.unsealed.of(&[cluster]).set(1.0);
        self.core.active.of(&[cluster]).set(1.0);
    }

    /// The server is sealed: what was counted is not known any more.
    pub(crate) fn sealed(&self) {
        let cluster = self.cluster();
        self.core.unsealed.of(&[&cluster]).set(0.0);
        self.core.active.of(&[&cluster]).set(0.0);
        self.tokens.forget();
        self.leases.forget();
        self.core.mounts.set([]);
        self.core.mounts_size.set([]);
        self.core.entities.set([]);
        self.counts.lock().values().for_each(|count| count.set([]));
    }

    /// The cluster's name; empty before the server was unsealed.
    pub(crate) fn cluster(&self) -> String {
        let cluster = self.cluster.load_full();
        cluster.map(|name| String::clone(&name)).unwrap_or_default()
    }

    /// How many things the mounts of an engine hold: `secret.kv.count`.
    pub(super) fn count_of(&self, engine: &'static str) -> Arc<Reset> {
        let mut counts = self.counts.lock();
        let count = counts.entry(engine).or_insert_with(|| {
            self.registry.reset(
                &format!("secret.{engine}.count"),
                "Entries that the mounts of an engine hold.",
                &["cluster", "namespace", "mount_point"],
                self.telemetry.max_gauge_cardinality,
            )
        });
        Arc::clone(count)
    }

    /// A token was made.
    pub(crate) fn token_created(&self, made: &TokenCreated<'_>) {
        if made.root {
            self.tokens.create_root.one();
        }
        let cluster = self.cluster();
        let values = [
            made.auth_method,
            &cluster,
            lifetimes::class(made.ttl),
            made.mount_point,
            made.namespace,
            made.token_type,
        ];
        self.tokens.creation.of(&values).one();
    }

    /// A lease or token is being ended because its time, `end`, is over.
    pub(crate) fn ended(&self, end: Timestamp, now: Timestamp) {
        self.leases.expiration.one();
        self.leases.time_in_queue.observe(now.since(end));
    }

    /// A lease of a mount, named by its accessor, came, went, or is in another place of its life.
    pub(crate) fn lease_moved(
        &self,
        mount: &str,
        from: Option<LeaseState>,
        to: Option<LeaseState>,
    ) {
        let is_known = |state: Option<LeaseState>| state.is_some_and(|s| s != LeaseState::Intent);
        let leases = &self.leases;
        match (is_known(from), is_known(to)) {
            (false, true) => {
                leases.known.more();
                leases.of_mounts.more(mount);
            }
            (true, false) => {
                leases.known.fewer();
                leases.of_mounts.fewer(mount);
            }
            _ => {}
        }
        let is_stuck = |state| state == Some(LeaseState::Irrevocable);
        match (is_stuck(from), is_stuck(to)) {
            (false, true) => leases.irrevocable.more(),
            (true, false) => leases.irrevocable.fewer(),
            _ => {}
        }
    }

    /// A request was refused by a rate limit.
    pub(crate) fn rate_limited(&self, quota: &str) {
        self.core.rate_limited.of(&[quota]).one();
    }

    /// A lease was issued.
    pub(crate) fn lease_created(&self, made: &LeaseCreated<'_>) {
        let cluster = self.cluster();
        let values = [
            &*cluster,
            lifetimes::class(made.ttl),
            made.mount_point,
            made.namespace,
            made.secret_engine,
        ];
        self.leases.creation.of(&values).one();
    }
}

/// What is counted about a token that was made.
pub(crate) struct TokenCreated<'a> {
    pub(crate) auth_method: &'a str,
    pub(crate) mount_point: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) token_type: &'a str,
    pub(crate) ttl: Duration,
    pub(crate) root: bool,
}

/// What is counted about a lease that was issued.
pub(crate) struct LeaseCreated<'a> {
    pub(crate) secret_engine: &'a str,
    pub(crate) mount_point: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) ttl: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(meters: &Meters, name: &str) -> String {
        let (_, families) = meters.gather(Timestamp::from_secs(1_000));
        let text = coffer_metrics::prometheus::text(&meters.telemetry.prefix, &families);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines: Vec<&str> = lines.filter(|line| line.starts_with(name)).collect();
        lines.join("\n")
    }

    #[test]
    fn the_seal_is_shown_with_the_cluster() {
        let meters = Meters::default();
        assert_eq!(
            value(&meters, "vault_core_unsealed"),
            "vault_core_unsealed{cluster=\"\"} 0"
        );
        meters.unsealed("one");
        let unsealed = "vault_core_unsealed{cluster=\"one\"} 1";
        assert_eq!(value(&meters, "vault_core_unsealed"), unsealed);
        meters.leases.known.counted(3);
        meters.sealed();
        let sealed = "vault_core_unsealed{cluster=\"one\"} 0";
        assert_eq!(value(&meters, "vault_core_unsealed"), sealed);
        assert_eq!(meters.leases.known.get(), None);
    }

    #[test]
    fn a_made_token_is_counted_by_its_lifetime() {
        let meters = Meters::new(Telemetry {
            prefix: "acme".into(),
            ..Telemetry::default()
        });
        meters.token_created(&TokenCreated {
            auth_method: "token",
            mount_point: "auth/token/",
            namespace: "root",
            token_type: "service",
            ttl: Duration::from_secs(1_200),
            root: false,
        });
        assert_eq!(
            value(&meters, "acme_token_creation"),
            "acme_token_creation{auth_method=\"token\",cluster=\"\",creation_ttl=\"20m\",mount_point=\"auth/token/\",namespace=\"root\",token_type=\"service\"} 1"
        );
        assert_eq!(
            value(&meters, "acme_token_create_root"),
            "acme_token_create_root 0"
        );
    }
}
