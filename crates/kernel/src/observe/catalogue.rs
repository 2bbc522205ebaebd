//! The catalogue of what is measured, by area. Names are Vault's, so that dashboards made for it work.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use coffer_metrics::{Counter, Gauge, Labelled, Registry, Reset, Summary, Timed};

use super::by_mount::ByMount;
use super::tally::Tally;

/// How many clusters a process can show; it sees one, and none before it is unsealed.
const CLUSTERS_MAX: usize = 4;
/// How many devices have timings of their own; as many as can be enabled.
const DEVICES_MAX: usize = 32;
/// How many reasons there are to end a subscription.
const CUTS_MAX: usize = 16;
/// What stands for the devices that came later.
const OTHER: &str = "other";

/// Requests, the seal, mounts.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "each is said where it is made, in the words that a scrape shows"
)]
pub struct CoreMeters {
    pub handle_request: Arc<Summary>,
    pub handle_login_request: Arc<Summary>,
    pub check_token: Arc<Summary>,
    pub fetch_acl_and_token: Arc<Summary>,
    pub unseal: Arc<Summary>,
    pub post_unseal: Arc<Summary>,
    pub(super) unsealed: Arc<Labelled<Gauge>>,
    pub(super) active: Arc<Labelled<Gauge>>,
    pub(super) in_flight_requests: Arc<Labelled<Gauge>>,
    pub(super) mounts: Arc<Reset>,
    pub(super) mounts_size: Arc<Reset>,
    pub(super) encryptions: Arc<Reset>,
    pub(super) entities: Arc<Reset>,
    pub(super) rate_limited: Arc<Labelled<Counter>>,
}

/// Tokens.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "each is said where it is made, in the words that a scrape shows"
)]
pub struct TokenMeters {
    pub create: Arc<Summary>,
    pub create_root: Arc<Counter>,
    pub lookup: Arc<Summary>,
    pub revoke: Arc<Summary>,
    pub revoke_tree: Arc<Summary>,
    pub(super) creation: Arc<Labelled<Counter>>,
    /// Stored tokens.
    pub(crate) stored: Tally,
    /// Stored tokens that end by themselves: these are leases, too.
    pub(crate) ending: Tally,
    pub(super) count: Arc<Reset>,
    pub(super) by_policy: Arc<Reset>,
    pub(super) by_auth: Arc<Reset>,
    pub(super) by_ttl: Arc<Reset>,
    pub(super) by_remaining_ttl: Arc<Reset>,
}

/// Leases.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "each is said where it is made, in the words that a scrape shows"
)]
pub struct LeaseMeters {
    pub register: Arc<Summary>,
    pub register_auth: Arc<Summary>,
    pub renew: Arc<Summary>,
    pub renew_token: Arc<Summary>,
    pub revoke: Arc<Summary>,
    pub revoke_force: Arc<Summary>,
    pub revoke_prefix: Arc<Summary>,
    pub revoke_by_token: Arc<Summary>,
    pub revoke_common: Arc<Summary>,
    pub expiration: Arc<Counter>,
    pub expiration_error: Arc<Counter>,
    pub time_in_queue: Arc<Summary>,
    pub(super) creation: Arc<Labelled<Counter>>,
    /// Leases that clients may know of.
    pub(crate) known: Tally,
    /// The same, each with its mount.
    pub(crate) of_mounts: ByMount,
    /// Leases that could not be revoked.
    pub(crate) irrevocable: Tally,
    pub(super) num_leases: Arc<Gauge>,
    pub(super) num_irrevocable_leases: Arc<Gauge>,
    pub(super) by_expiration: Arc<Reset>,
    pub(super) by_mount: Arc<Reset>,
}

/// Policies.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "each is said where it is made, in the words that a scrape shows"
)]
pub struct PolicyMeters {
    pub get_policy: Arc<Summary>,
    pub set_policy: Arc<Summary>,
    pub delete_policy: Arc<Summary>,
    pub list_policies: Arc<Summary>,
}

/// Audit devices together.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "each is said where it is made, in the words that a scrape shows"
)]
pub struct AuditMeters {
    pub log_request: Arc<Summary>,
    pub log_response: Arc<Summary>,
    pub log_request_failure: Arc<Counter>,
    pub log_response_failure: Arc<Counter>,
    registry: Arc<Registry>,
    devices: ArcSwap<HashMap<String, Arc<DeviceMeters>>>,
}

/// Events, and who subscribes to them.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "each is said where it is made, in the words that a scrape shows"
)]
pub struct EventMeters {
    pub published: Arc<Counter>,
    pub lost: Arc<Counter>,
    pub waiting: Arc<Gauge>,
    pub log_bytes: Arc<Gauge>,
    pub log_records: Arc<Gauge>,
    pub subscribers: Arc<Gauge>,
    cut: Arc<Labelled<Counter>>,
}

/// Keepers of the root key.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "each is said where it is made, in the words that a scrape shows"
)]
pub struct SealMeters {
    pub encrypt: Arc<Summary>,
    pub decrypt: Arc<Summary>,
    pub encrypt_error: Arc<Counter>,
    pub decrypt_error: Arc<Counter>,
    pub(super) healthy: Arc<Reset>,
}

/// What an audit device records.
#[derive(Clone, Copy, Debug)]
pub enum Recorded {
    /// A request.
    Request,
    /// An answer.
    Response,
}

/// One audit device.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "each is said where it is made, in the words that a scrape shows"
)]
pub struct DeviceMeters {
    pub log_request: Arc<Summary>,
    pub log_response: Arc<Summary>,
    pub log_request_failure: Arc<Counter>,
    pub log_response_failure: Arc<Counter>,
}

impl SealMeters {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            encrypt: registry.summary(
                "seal.encrypt.time",
                "Time that a seal's keeper takes to wrap, in milliseconds.",
            ),
            decrypt: registry.summary(
                "seal.decrypt.time",
                "Time that a seal's keeper takes to unwrap, in milliseconds.",
            ),
            encrypt_error: registry.counter(
                "seal.encrypt.error",
                "How often a seal's keeper did not wrap.",
            ),
            decrypt_error: registry.counter(
                "seal.decrypt.error",
                "How often a seal's keeper did not unwrap.",
            ),
            healthy: registry.reset(
                "seal.healthy",
                "1 while a seal's keeper answers as it should, else 0.",
                &["name", "kind"],
                coffer_barrier::auto::COPIES_MAX,
            ),
        }
    }
}

impl CoreMeters {
    pub(super) fn new(registry: &Registry, most: usize) -> Self {
        let by_cluster = |name, help| registry.gauges(name, help, &["cluster"], CLUSTERS_MAX);
        let by_table = |name, help| {
            registry.reset(
                name,
                help,
                &["cluster", "local", "type"],
                2 * 2 * CLUSTERS_MAX,
            )
        };
        let took = |name, help| registry.summary(name, help);
        Self {
            handle_request: took(
                "core.handle_request",
                "Time to answer a request that needs a token, in milliseconds.",
            ),
            handle_login_request: took(
                "core.handle_login_request",
                "Time to answer a request that needs no token, in milliseconds.",
            ),
            check_token: took(
                "core.check_token",
                "Time to decide whether a request is allowed, in milliseconds.",
            ),
            fetch_acl_and_token: took(
                "core.fetch_acl_and_token",
                "Time to find the policies of a token, in milliseconds.",
            ),
            unseal: took("core.unseal", "Time to unseal, in milliseconds."),
            post_unseal: took(
                "core.post_unseal",
                "Time from the root key to the first request, in milliseconds.",
            ),
            unsealed: by_cluster("core.unsealed", "1 while the server is unsealed, else 0."),
            active: by_cluster("core.active", "1 while this node answers requests, else 0."),
            in_flight_requests: by_cluster(
                "core.in_flight_requests",
                "Requests that are being answered.",
            ),
            mounts: by_table(
                "core.mount_table.num_entries",
                "Mounts of the namespaces in memory.",
            ),
            mounts_size: by_table(
                "core.mount_table.size",
                "Size of the mounts' records, in bytes.",
            ),
            encryptions: registry.reset(
                "barrier.estimated_encryptions",
                "Records that the active key has encrypted.",
                &["term"],
                1,
            ),
            rate_limited: registry.counters(
                "quota.rate_limit.violation",
                "Requests that a rate limit refused.",
                &["name"],
                most,
            ),
            entities: registry.reset(
                "identity.entity.count",
                "Entities.",
                &["cluster", "namespace"],
                most,
            ),
        }
    }
}

impl CoreMeters {
    /// Times a request until the answer is dropped; one that needs no token is a login.
    pub fn request(&self, is_login: bool) -> Timed<'_> {
        match is_login {
            true => self.handle_login_request.timed(),
            false => self.handle_request.timed(),
        }
    }
}

impl TokenMeters {
    pub(super) fn new(registry: &Registry, most: usize) -> Self {
        let took = |name, help| registry.summary(name, help);
        let counted = |name, help, labels| registry.reset(name, help, labels, most);
        Self {
            create: took("token.create", "Time to make a token, in milliseconds."),
            create_root: registry.counter("token.create_root", "Root tokens made."),
            lookup: took(
                "token.lookup",
                "Time to find a token's record, in milliseconds.",
            ),
            revoke: took("token.revoke", "Time to end one token, in milliseconds."),
            revoke_tree: took(
                "token.revoke-tree",
                "Time to end a token and its descendants, in milliseconds.",
            ),
            creation: registry.counters(
                "token.creation",
                "Tokens made.",
                &[
                    "auth_method",
                    "cluster",
                    "creation_ttl",
                    "mount_point",
                    "namespace",
                    "token_type",
                ],
                most,
            ),
            stored: Tally::default(),
            ending: Tally::default(),
            count: counted("token.count", "Stored tokens.", &["cluster", "namespace"]),
            by_policy: counted(
                "token.count.by_policy",
                "Stored tokens by their policies.",
                &["cluster", "namespace", "policy"],
            ),
            by_auth: counted(
                "token.count.by_auth",
                "Stored tokens by the auth method that made them.",
                &["auth_method", "cluster", "namespace"],
            ),
            by_ttl: counted(
                "token.count.by_ttl",
                "Stored tokens by the lifetime they were made with.",
                &["cluster", "creation_ttl", "namespace"],
            ),
            by_remaining_ttl: counted(
                "token.count.by_remaining_ttl",
                "Stored tokens by the lifetime that is left.",
                &["cluster", "namespace", "remaining_ttl"],
            ),
        }
    }

    /// A record was stored.
    pub(crate) fn added(&self, ends: bool) {
        self.stored.more();
        if ends {
            self.ending.more();
        }
    }

    /// A record is gone.
    pub(crate) fn removed(&self, ends: bool) {
        self.stored.fewer();
        if ends {
            self.ending.fewer();
        }
    }

    pub(super) fn forget(&self) {
        self.stored.forget();
        self.ending.forget();
        for counted in [
            &self.count,
            &self.by_policy,
            &self.by_auth,
            &self.by_ttl,
            &self.by_remaining_ttl,
        ] {
            counted.set([]);
        }
    }
}

impl LeaseMeters {
    pub(super) fn new(registry: &Registry, most: usize) -> Self {
        let took = |name, help| registry.summary(name, help);
        Self {
            register: took("expire.register", "Time to issue a lease, in milliseconds."),
            register_auth: took(
                "expire.register-auth",
                "Time to issue a token's lease, in milliseconds.",
            ),
            renew: took("expire.renew", "Time to renew a lease, in milliseconds."),
            renew_token: took(
                "expire.renew-token",
                "Time to renew a token, in milliseconds.",
            ),
            revoke: took(
                "expire.revoke",
                "Time to revoke one lease, in milliseconds.",
            ),
            revoke_force: took(
                "expire.revoke-force",
                "Time to forget leases whatever their targets say, in milliseconds.",
            ),
            revoke_prefix: took(
                "expire.revoke-prefix",
                "Time to revoke all leases below a path, in milliseconds.",
            ),
            revoke_by_token: took(
                "expire.revoke-by-token",
                "Time to revoke all leases of a token, in milliseconds.",
            ),
            revoke_common: took(
                "expire.revoke-common",
                "Time that the engine takes to undo a secret, in milliseconds.",
            ),
            expiration: registry.counter(
                "expire.lease_expiration",
                "Leases and tokens that ended because their time was over.",
            ),
            expiration_error: registry.counter(
                "expire.lease_expiration.error",
                "Attempts to undo a secret that failed.",
            ),
            time_in_queue: took(
                "expire.lease_expiration.time_in_queue",
                "Time between the end of a lease or token and the attempt to end it, in milliseconds.",
            ),
            creation: registry.counters(
                "secret.lease.creation",
                "Leases issued.",
                &[
                    "cluster",
                    "creation_ttl",
                    "mount_point",
                    "namespace",
                    "secret_engine",
                ],
                most,
            ),
            known: Tally::default(),
            of_mounts: ByMount::default(),
            irrevocable: Tally::default(),
            num_leases: registry.gauge("expire.num_leases", "Leases, those of tokens among them."),
            num_irrevocable_leases: registry.gauge(
                "expire.num_irrevocable_leases",
                "Leases whose secrets could not be undone after several attempts.",
            ),
            by_expiration: registry.reset(
                "expire.leases.by_expiration",
                "Leases, those of tokens among them, by the hour of their end.",
                &["cluster", "expiring"],
                most,
            ),
            by_mount: registry.reset(
                "expire.leases.by_mount",
                "Leases by the mount that issued them; those of tokens are not among them.",
                &["cluster", "namespace", "mount_point"],
                most,
            ),
        }
    }

    pub(super) fn forget(&self) {
        self.known.forget();
        self.of_mounts.forget();
        self.irrevocable.forget();
        self.num_leases.forget();
        self.num_irrevocable_leases.forget();
        self.by_expiration.set([]);
        self.by_mount.set([]);
    }
}

impl PolicyMeters {
    pub(super) fn new(registry: &Registry) -> Self {
        let took = |name, help| registry.summary(name, help);
        Self {
            get_policy: took(
                "policy.get_policy",
                "Time to read a policy, in milliseconds.",
            ),
            set_policy: took(
                "policy.set_policy",
                "Time to write a policy, in milliseconds.",
            ),
            delete_policy: took(
                "policy.delete_policy",
                "Time to delete a policy, in milliseconds.",
            ),
            list_policies: took(
                "policy.list_policies",
                "Time to list policies, in milliseconds.",
            ),
        }
    }
}

impl EventMeters {
    pub(super) fn new(registry: &Registry) -> Self {
        let gauge = |name, help| registry.gauge(name, help);
        Self {
            published: registry.counter("events.published", "Events published."),
            lost: registry.counter(
                "events.lost",
                "Events that the storage did not take in time; they can not be read again.",
            ),
            waiting: gauge("events.waiting", "Events that are not stored yet."),
            log_bytes: gauge("events.log.bytes", "Bytes of the stored events."),
            log_records: gauge("events.log.records", "Records that events are stored in."),
            subscribers: gauge("events.subscribers", "Subscribers to events."),
            cut: registry.counters(
                "events.cut",
                "Subscriptions that the server ended.",
                &["reason"],
                CUTS_MAX,
            ),
        }
    }

    /// A subscription was ended.
    pub fn cut(&self, reason: &str) {
        self.cut.of(&[reason]).one();
    }
}

impl AuditMeters {
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        Self {
            log_request: registry.summary(
                "audit.log_request",
                "Time to record a request with all devices, in milliseconds.",
            ),
            log_response: registry.summary(
                "audit.log_response",
                "Time to record an answer with all devices, in milliseconds.",
            ),
            log_request_failure: registry.counter(
                "audit.log_request_failure",
                "Requests that no device could record, and that were refused therefore.",
            ),
            log_response_failure: registry.counter(
                "audit.log_response_failure",
                "Answers that no device could record, and that were withheld therefore.",
            ),
            registry: Arc::clone(registry),
            devices: ArcSwap::default(),
        }
    }

    /// Time and failures of all devices together.
    pub fn of(&self, what: Recorded) -> (&Summary, &Counter) {
        match what {
            Recorded::Request => (&self.log_request, &self.log_request_failure),
            Recorded::Response => (&self.log_response, &self.log_response_failure),
        }
    }

    /// The meters of the device at a path; shared ones where there were too many names.
    pub fn device(&self, path: &str) -> Arc<DeviceMeters> {
        let find = || {
            let devices = self.devices.load();
            // There are others only where there is no more room.
            devices.get(path).or_else(|| devices.get(OTHER)).cloned()
        };
        if let Some(known) = find() {
            return known;
        }
        self.devices.rcu(|devices| {
            let name = match devices.len() < DEVICES_MAX {
                true => path,
                false => OTHER,
            };
            let mut devices = HashMap::clone(devices);
            let new = || Arc::new(DeviceMeters::new(&self.registry, &name.replace('/', "-")));
            devices.entry(name.to_owned()).or_insert_with(new);
            devices
        });
        find().unwrap_or_else(|| Arc::new(DeviceMeters::new(&self.registry, OTHER)))
    }
}

impl DeviceMeters {
    /// Time and failures of this device.
    pub fn of(&self, what: Recorded) -> (&Summary, &Counter) {
        match what {
            Recorded::Request => (&self.log_request, &self.log_request_failure),
            Recorded::Response => (&self.log_response, &self.log_response_failure),
        }
    }

    fn new(registry: &Registry, device: &str) -> Self {
        let named = |what: &str| format!("audit.{device}.{what}");
        Self {
            log_request: registry.summary(
                &named("log_request"),
                "Time that one device takes to record a request, in milliseconds.",
            ),
            log_response: registry.summary(
                &named("log_response"),
                "Time that one device takes to record an answer, in milliseconds.",
            ),
            log_request_failure: registry.counter(
                &named("log_request_failure"),
                "Requests that one device could not record.",
            ),
            log_response_failure: registry.counter(
                &named("log_response_failure"),
                "Answers that one device could not record.",
            ),
        }
    }
}
