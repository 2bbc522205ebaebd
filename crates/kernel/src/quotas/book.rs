//! Where quotas are kept, and how they change.
//!
//! A change is decided on what is stored, and stored only if nobody else changed a quota meanwhile; then all of them
//! are read again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use coffer_barrier::{Barrier, Changes, Seen, Stored, View};
use coffer_crypto::Random;
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::clients::Clients;
use super::config::Config;
use super::counts::Counts;
use super::place::Place;
use super::quota::{Kind, Limit, Quota};
use super::rules::Rules;
use crate::core::Core;

/// Most quotas of one kind.
const MAX_QUOTAS_PER_KIND: usize = 10_000;
/// Most exempt paths of one list.
const MAX_EXEMPT_PATHS: usize = 1_000;
/// How many records are read at once.
const PAGE: usize = 1_000;
/// How long to wait between two looks at who still uses old quotas.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// All quotas of the server.
pub struct Quotas {
    view: View,
    random: Random,
    rules: ArcSwap<Rules>,
    /// Rules that were replaced, while somebody still uses them.
    replaced: Mutex<Vec<Weak<Rules>>>,
    /// What is counted.
    pub counts: Arc<Counts>,
    pub(super) clients: Clients,
    /// Rings when something is to be counted anew.
    pub(super) bell: Notify,
}

/// A quota to be made or changed.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Its name.
    pub name: String,
    /// The path of the place, from the root.
    pub path: String,
    /// The role of logins; empty for none.
    pub role: String,
    /// As the place has it where it is not said: everything is inherited, a part is not.
    pub inheritable: Option<bool>,
    /// What it allows.
    pub limit: Limit,
}

/// A quota as it is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What is stored.
    pub quota: Quota,
    /// Its place, as operators name it.
    pub path: String,
    /// The role, else empty.
    pub role: String,
    /// How many leases it counts.
    pub leases: u64,
}

/// A place where leases and tokens are to be counted anew, as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Recount {
    pub place: Place,
    /// The quota that counted there and is no more; empty for none.
    pub gone: String,
}

impl Stored for Recount {}

/// Counts the changes.
#[derive(Default, Serialize, Deserialize)]
struct Edition(u64);

impl Stored for Edition {}

const EDITION: &str = "edition";
const CONFIG: &str = "config";

impl Quotas {
    /// Reads all quotas of this barrier.
    pub async fn load(barrier: &Arc<Barrier>) -> Result<Self, Fault> {
        let view = barrier.view("sys/quotas/");
        let rules = stored(&view).await?;
        let counting = rules.leases.all().map(|rule| rule.quota.id.as_str());
        let counts = Arc::new(Counts::load(view.clone(), counting).await?);
        Ok(Self {
            view,
            random: barrier.random().clone(),
            rules: ArcSwap::from_pointee(rules),
            replaced: Mutex::default(),
            counts,
            clients: Clients::default(),
            bell: Notify::new(),
        })
    }

    /// Makes or replaces a quota; it holds when this returns.
    ///
    /// # Errors
    /// If the place is not there, has another quota of the kind, or there are too many.
    pub async fn put(&self, core: &Arc<Core>, wish: Wish) -> Result<(), Fault> {
        let place = Place::named(core, &wish.path, &wish.role).await?;
        let whole = place == Place::default();
        let wanted = Quota {
            id: self.random.uuid_v4(),
            name: wish.name,
            place,
            inheritable: wish.inheritable.unwrap_or(whole),
            limit: wish.limit,
        };
        self.change(|changes, rules| self.putting(changes, rules, wanted.clone()))
            .await
    }

    /// Removes a quota, if it is there.
    pub async fn delete(&self, kind: Kind, name: &str) -> Result<(), Fault> {
        self.change(|changes, rules| match rules.of(kind).named(name) {
            Some(old) => self.removing(changes, &old.quota),
            None => Ok(changes),
        })
        .await
    }

    /// Removes the quotas of a mount that is gone.
    pub async fn forget_mount(&self, accessor: &str) -> Result<(), Fault> {
        self.forget(|place| place.mount == accessor).await
    }

    /// Removes the quotas of a namespace that is gone.
    pub async fn forget_namespace(&self, id: &str) -> Result<(), Fault> {
        self.forget(|place| place.namespace == id).await
    }

    /// The changes of a step that moves a mount to another namespace, with those that let its quotas follow it;
    /// [`Quotas::reload`] is to be called when they are stored.
    pub async fn following(
        &self,
        mut changes: Changes,
        accessor: &str,
        namespace: &str,
    ) -> Result<Changes, Fault> {
        let (next, seen) = self.next_edition().await?;
        let rules = stored(&self.view).await?;
        let mut follows = false;
        for rule in Kind::ALL.iter().flat_map(|kind| rules.of(*kind).all()) {
            let mut quota = rule.quota.clone();
            if quota.place.mount == accessor {
                namespace.clone_into(&mut quota.place.namespace);
                let path = rule_path(quota.kind(), &quota.name);
                changes = changes.put(&self.view, &path, &quota)?;
                follows = true;
            }
        }
        match follows {
            false => Ok(changes),
            true => Ok(changes
                .put(&self.view, EDITION, &next)?
                .expect(&self.view, EDITION, seen)),
        }
    }

    /// A quota as it is shown; none if there is no such, or its place is just going.
    pub async fn read(&self, core: &Core, kind: Kind, name: &str) -> Result<Option<Shown>, Fault> {
        let rules = self.rules();
        let Some(rule) = rules.of(kind).named(name) else {
            return Ok(None);
        };
        let quota = rule.quota.clone();
        let Some((path, role)) = quota.place.shown(core).await? else {
            return Ok(None);
        };
        let leases = self.counts.leases(&quota.id);
        Ok(Some(Shown {
            quota,
            path,
            role,
            leases,
        }))
    }

    /// The names of all quotas of a kind, in order.
    pub fn names(&self, kind: Kind) -> Vec<String> {
        self.rules().of(kind).names().cloned().collect()
    }

    /// The configuration of rate limits.
    pub fn config(&self) -> Config {
        self.rules.load().config.clone()
    }

    /// Replaces the configuration of rate limits.
    ///
    /// # Errors
    /// If it exempts too many paths.
    pub async fn configure(&self, config: Config) -> Result<(), Fault> {
        if config.exempt.len().max(config.absolutely_exempt.len()) > MAX_EXEMPT_PATHS {
            return Err(Fault::Invalid(format!(
                "too many exempt paths: at most {MAX_EXEMPT_PATHS} in each list; exempt their common beginnings"
            )));
        }
        self.change(|changes, _| Ok(changes.put(&self.view, CONFIG, &config)?))
            .await
    }

    /// Forgets clients whose interval is over.
    pub fn purge(&self, now: Timestamp) {
        self.clients.purge(now);
    }

    /// All quotas as they are now.
    pub(super) fn rules(&self) -> Arc<Rules> {
        self.rules.load_full()
    }

    /// Whether there is a rate limit at all; the only thing that requests pay for where there is none.
    pub(super) fn has_rates(&self) -> bool {
        !self.rules.load().rates.is_empty()
    }

    /// Places that are to be counted anew, with their names.
    pub(super) async fn recounts(&self) -> Result<Vec<(String, Recount)>, Fault> {
        Ok(self.view.scan("recount/", None, PAGE).await?)
    }

    /// A place was counted anew.
    pub(super) async fn recounted(&self, name: &str) -> Result<(), Fault> {
        Ok(self.view.delete(name).await?)
    }

    /// Waits until nobody stores anything by quotas that were replaced before.
    pub(super) async fn until_replaced_are_unused(&self) {
        loop {
            {
                let mut replaced = self.replaced.lock();
                replaced.retain(|rules| rules.strong_count() > 0);
                if replaced.is_empty() {
                    return;
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn putting(
        &self,
        changes: Changes,
        rules: &Rules,
        mut wanted: Quota,
    ) -> Result<Changes, Fault> {
        let kind = wanted.kind();
        let index = rules.of(kind);
        let same = |other: &Quota| other.name != wanted.name && other.place == wanted.place;
        if let Some(other) = index.all().find(|rule| same(&rule.quota)) {
            return Err(Fault::Invalid(format!(
                "quota rule with similar properties exists under the name {:?}",
                other.quota.name
            )));
        }
        let old = index.named(&wanted.name).map(|rule| &rule.quota);
        if old.is_none() && index.all().count() >= MAX_QUOTAS_PER_KIND {
            return Err(Fault::Invalid(format!(
                "there are {MAX_QUOTAS_PER_KIND} quotas of this kind already, the most there can be; delete one or use prefixes"
            )));
        }
        let mut changes = changes;
        match old {
            _ if kind == Kind::Rate => {} // Every write begins new intervals.
            Some(old) if old.counts_as(&wanted) => wanted.id.clone_from(&old.id),
            Some(old) => {
                changes = self.counting_anew(changes, &old.place, &old.id)?;
                changes = self.counting_anew(changes, &wanted.place, "")?;
            }
            None => changes = self.counting_anew(changes, &wanted.place, "")?,
        }
        Ok(changes.put(&self.view, &rule_path(kind, &wanted.name), &wanted)?)
    }

    fn removing(&self, changes: Changes, old: &Quota) -> Result<Changes, Fault> {
        let changes = changes.delete(&self.view, &rule_path(old.kind(), &old.name));
        match old.kind() {
            Kind::Rate => Ok(changes),
            Kind::Leases | Kind::Tokens => self.counting_anew(changes, &old.place, &old.id),
        }
    }

    /// A quota that counts leases or tokens of the whole of one of these namespaces and of those within, if there is one.
    pub fn counting_all_of(&self, namespaces: &[String]) -> Option<String> {
        let rules = self.rules();
        let mut counting = [Kind::Leases, Kind::Tokens]
            .into_iter()
            .flat_map(|kind| rules.of(kind).all());
        let found = counting.find(|rule| {
            let place = &rule.quota.place;
            let whole = place.mount.is_empty() && rule.quota.inheritable;
            whole && namespaces.contains(&place.namespace)
        });
        found.map(|rule| rule.quota.name.clone())
    }

    /// Counts anew what is in a namespace, because quotas may have changed while it was sealed.
    pub async fn count_anew(&self, namespace: &str) -> Result<(), Fault> {
        let rules = self.rules();
        let counts = |kind: &Kind| rules.of(*kind).all().next().is_some();
        if ![Kind::Leases, Kind::Tokens].iter().any(counts) {
            return Ok(());
        }
        let place = Place {
            namespace: namespace.to_owned(),
            ..Place::default()
        };
        self.counting_anew(self.view.changes(), &place, "")?
            .commit()
            .await?;
        self.bell.notify_one();
        Ok(())
    }

    async fn forget(&self, is_gone: impl Fn(&Place) -> bool + Send + Sync) -> Result<(), Fault> {
        let rules = self.rules();
        let concerned = Kind::ALL.iter().any(|kind| {
            let mut all = rules.of(*kind).all();
            all.any(|rule| is_gone(&rule.quota.place))
        });
        drop(rules);
        if !concerned {
            return Ok(());
        }
        self.change(|mut changes, rules| {
            for rule in Kind::ALL.iter().flat_map(|kind| rules.of(*kind).all()) {
                if is_gone(&rule.quota.place) {
                    changes = self.removing(changes, &rule.quota)?;
                }
            }
            Ok(changes)
        })
        .await
    }

    fn counting_anew(&self, changes: Changes, place: &Place, gone: &str) -> Result<Changes, Fault> {
        let recount = Recount {
            place: place.clone(),
            gone: gone.to_owned(),
        };
        let name = format!("recount/{}", self.random.uuid_v4());
        Ok(changes.put(&self.view, &name, &recount)?)
    }

    async fn change(
        &self,
        decide: impl Fn(Changes, &Rules) -> Result<Changes, Fault> + Send + Sync,
    ) -> Result<(), Fault> {
        loop {
            let (next, seen) = self.next_edition().await?;
            let changes = decide(self.view.changes(), &stored(&self.view).await?)?;
            if changes.is_empty() {
                return Ok(());
            }
            let changes = changes.put(&self.view, EDITION, &next)?;
            match changes.expect(&self.view, EDITION, seen).commit().await {
                Ok(()) => break,
                Err(coffer_barrier::Error::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        self.reload().await?;
        self.bell.notify_one();
        Ok(())
    }

    async fn next_edition(&self) -> Result<(Edition, Seen), Fault> {
        let (edition, seen) = self.view.get_seen::<Edition>(EDITION).await?;
        let next = edition.map_or(1, |old| old.0.saturating_add(1));
        Ok((Edition(next), seen))
    }

    /// Lets what is stored hold.
    pub async fn reload(&self) -> Result<(), Fault> {
        let fresh = Arc::new(stored(&self.view).await?);
        for rule in fresh.leases.all() {
            self.counts.open(&rule.quota.id).await?;
        }
        let mut replaced = self.replaced.lock();
        if self.rules.load().edition < fresh.edition {
            let old = self.rules.swap(fresh);
            replaced.push(Arc::downgrade(&old));
        }
        Ok(())
    }
}

/// Everything that is stored, as it was at one moment.
async fn stored(view: &View) -> Result<Rules, Fault> {
    loop {
        let edition: Option<Edition> = view.get(EDITION).await?;
        let edition = edition.unwrap_or_default().0;
        let config: Option<Config> = view.get(CONFIG).await?;
        let mut quotas = Vec::new();
        let mut pages = view.pages::<Quota>("rule/");
        while let Some(page) = pages.next().await? {
            quotas.extend(page.into_iter().map(|(_, quota)| quota));
        }
        let now: Option<Edition> = view.get(EDITION).await?;
        if now.unwrap_or_default().0 == edition {
            return Ok(Rules::new(edition, config.unwrap_or_default(), quotas));
        }
    }
}

fn rule_path(kind: Kind, name: &str) -> String {
    format!("rule/{}/{name}", kind.word())
}
