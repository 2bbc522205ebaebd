//! What engines may ask of the kernel while they answer one request.

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::{Random, Secret};
use coffer_engine::{Answer, Ctx, Event, Fault, Intent, MountInfo, NewLease, Services, outbound};
use coffer_wire::Timestamp;
use parking_lot::Mutex;

use super::book::Leases;
use super::record::{LeaseRecord, LeaseState};
use crate::core::Core;
use crate::events::Origin;
use crate::lockout::{Attempt, Rules};
use crate::namespaces::Space;
use crate::open::Open;
use crate::quotas::{Placed, Quotas};
use crate::settings::Settings;

/// How many events one request may have.
const EVENTS_MAX: usize = 4_096;
/// How long an intent waits before the worker undoes it. Longer than any request may take: a request
/// that fails in order has its intents undone at once.
const INTENT_GRACE: Duration = Duration::from_secs(600);

/// One request's desk: keeps the list of its intents, so that those it leaves behind are undone.
pub struct Desk {
    leases: Arc<Leases>,
    random: Random,
    quotas: Arc<Quotas>,
    namespace: Arc<Space>,
    token: String,
    open: Mutex<Vec<String>>,
    settings: Arc<Settings>,
    attempt: Mutex<Option<Attempt>>,
    core: Arc<Core>,
    /// What happened, until it is known whether the request succeeds.
    happened: Mutex<Vec<(Arc<MountInfo>, Event)>>,
    /// Whether no request is waited for.
    at_once: bool,
}

impl Desk {
    /// The desk of a request in the namespace at hand, whose leases belong to the token with this accessor.
    pub fn new(open: &Open, token: String) -> Self {
        Self {
            leases: Arc::clone(&open.leases),
            random: open.random.clone(),
            quotas: Arc::clone(&open.quotas),
            namespace: Arc::clone(&open.space),
            token,
            open: Mutex::new(Vec::new()),
            settings: Arc::clone(&open.settings),
            attempt: Mutex::new(None),
            core: Arc::clone(open),
            happened: Mutex::default(),
            at_once: false,
        }
    }

    /// The desk of work in the background in the namespace at hand: what happens is told at once.
    pub fn of_background(open: &Open) -> Self {
        let mut desk = Self::new(open, String::new());
        desk.at_once = true;
        desk
    }

    /// Tells what happened, since the request has succeeded.
    pub fn tell(&self) {
        for (mount, event) in std::mem::take(&mut *self.happened.lock()) {
            self.publish(&mount, event);
        }
    }

    /// A mount that is gone has nobody left who could read what happened in it.
    fn publish(&self, mount: &MountInfo, event: Event) {
        if let Some(mount) = self.namespace.mounts.by_accessor(&mount.accessor) {
            let origin = Origin {
                space: &self.namespace,
                mount: Some(&mount),
            };
            self.core.events.publish(origin, event);
        }
    }

    /// The login that is under way, if the handler announced one. The desk forgets it.
    pub fn attempt(&self) -> Option<Attempt> {
        self.attempt.lock().take()
    }

    /// The intents that no lease comes of: all but the granted one. The desk forgets them.
    pub fn left_behind(&self, granted: Option<&str>) -> Vec<String> {
        let left: Vec<String> = {
            let mut open = self.open.lock();
            let (keep, left) = std::mem::take(&mut *open)
                .into_iter()
                .partition(|id| Some(id.as_str()) == granted);
            *open = keep;
            left
        };
        left.iter().for_each(|id| self.leases.lands(id));
        left
    }
}

/// A request that panics has ended, too: what it announced is undone after the grace time.
impl Drop for Desk {
    fn drop(&mut self) {
        self.left_behind(None);
    }
}

impl Services for Desk {
    fn intend<'a>(&'a self, cx: &'a Ctx, lease: NewLease) -> Answer<'a, Intent> {
        Box::pin(async move {
            let lease_id = format!("{}/{}", cx.request.path, self.random.base62(24));
            let lease_id = self.namespace.named(lease_id);
            let until = cx.now.plus(INTENT_GRACE);
            let path = &cx.request.path;
            let tail = path.strip_prefix(&cx.mount.path).unwrap_or_default();
            let mount = &cx.mount.accessor;
            let placed = self.quotas.place_lease(&self.namespace, mount, tail);
            let record = LeaseRecord {
                mount: cx.mount.accessor.clone(),
                lease,
                token: self.token.clone(),
                issued: cx.now,
                expires: until,
                ends_by: None,
                due: until,
                last_renewal: None,
                renewable: false,
                state: LeaseState::Intent,
                parked: false,
                attempts: 0,
                last_error: String::new(),
                quota: placed.quota().to_owned(),
            };
            self.leases.takes_off(&lease_id);
            self.open.lock().push(lease_id.clone());
            let most = placed.most_leases();
            match self.leases.announce(&lease_id, &record, most).await? {
                true => Ok(Intent { lease_id }),
                false => Err(Placed::no_more_leases(path)),
            }
        })
    }

    fn attempt<'a>(&'a self, cx: &'a Ctx, name: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let Some(mount) = self.namespace.mounts.by_accessor(&cx.mount.accessor) else {
                return Err(Fault::Denied);
            };
            let tuned = mount.record.tuning.user_lockout.as_ref();
            let configured = &self.settings.user_lockout;
            let rules = Rules::of(tuned, configured, mount.record.engine());
            if rules.enabled {
                let lockout = &self.namespace.lockout;
                let attempt = lockout.begin(&cx.mount.accessor, name, rules, cx.now);
                *self.attempt.lock() = Some(attempt.await?);
            }
            Ok(())
        })
    }

    fn password<'a>(&'a self, policy: &'a str) -> Answer<'a, Secret<String>> {
        Box::pin(self.namespace.passwords.generate(policy, &self.random))
    }

    fn emit(&self, cx: &Ctx, event: Event) {
        if self.at_once || event.regardless {
            return self.publish(&cx.mount, event);
        }
        let mut happened = self.happened.lock();
        if happened.len() < EVENTS_MAX {
            happened.push((Arc::clone(&cx.mount), event));
        }
    }

    fn fetch<'a>(
        &'a self,
        cx: &'a Ctx,
        request: outbound::Request,
    ) -> Answer<'a, outbound::Response> {
        self.settings.outbound.fetch(&cx.mount.accessor, request)
    }
}

/// When a lease of these terms ends: `ttl` (or the mount's default) from `now`, within `max_ttl` and
/// the mount's maximum, and within `bound` where there is one.
pub(crate) fn ends(
    now: Timestamp,
    ttl: Duration,
    max_ttl: Duration,
    mount: (Duration, Duration),
    bound: Option<Timestamp>,
) -> Timestamp {
    let (default, most) = mount;
    let ttl = if ttl.is_zero() { default } else { ttl };
    let most = if max_ttl.is_zero() {
        most
    } else {
        most.min(max_ttl)
    };
    let end = now.plus(ttl.min(most));
    bound.map_or(end, |bound| end.min(bound))
}
