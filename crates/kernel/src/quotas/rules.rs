//! All quotas in memory, and the one that holds for something.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::config::Config;
use super::place::Below;
use super::quota::{Kind, Quota};
use crate::namespaces::Space;

/// The quotas as they were at one moment.
#[derive(Debug, Default)]
pub struct Rules {
    /// How often quotas had changed.
    pub(super) edition: u64,
    pub(super) config: Config,
    pub(super) rates: Index,
    pub(super) leases: Index,
    pub(super) tokens: Index,
}

/// The quotas of one kind, by their places.
#[derive(Debug, Default)]
pub(super) struct Index {
    named: BTreeMap<String, Arc<Rule>>,
    namespaces: HashMap<String, Arc<Rule>>,
    mounts: HashMap<String, OfMount>,
}

/// A quota that holds.
#[derive(Debug)]
pub(super) struct Rule {
    pub quota: Quota,
    /// Stands for its id where that would be too long.
    pub number: u64,
}

/// Where something happens within a namespace.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spot<'a> {
    /// The accessor of the mount; empty for none.
    pub mount: &'a str,
    /// The path below it.
    pub tail: &'a str,
    /// The role of a login, if it is one.
    pub role: Option<&'a str>,
}

#[derive(Debug, Default)]
struct OfMount {
    everything: Option<Arc<Rule>>,
    paths: HashMap<String, Arc<Rule>>,
    /// By their length in bytes, the longest first.
    prefixes: BTreeMap<Reverse<usize>, HashMap<String, Arc<Rule>>>,
    roles: HashMap<String, Arc<Rule>>,
}

impl Rules {
    pub(super) fn new(edition: u64, config: Config, quotas: Vec<Quota>) -> Self {
        let mut rules = Self {
            edition,
            config,
            ..Self::default()
        };
        for quota in quotas {
            let index = match quota.kind() {
                Kind::Rate => &mut rules.rates,
                Kind::Leases => &mut rules.leases,
                Kind::Tokens => &mut rules.tokens,
            };
            index.add(quota);
        }
        rules
    }

    pub(super) fn of(&self, kind: Kind) -> &Index {
        match kind {
            Kind::Rate => &self.rates,
            Kind::Leases => &self.leases,
            Kind::Tokens => &self.tokens,
        }
    }

    /// Whether it matters here by which role somebody logs in.
    pub(super) fn ask_for_roles(&self, mount: &str) -> bool {
        let all = [&self.rates, &self.leases, &self.tokens];
        all.iter().any(|index| {
            let of_mount = index.mounts.get(mount);
            of_mount.is_some_and(|of_mount| !of_mount.roles.is_empty())
        })
    }
}

impl Index {
    fn add(&mut self, quota: Quota) {
        let rule = Arc::new(Rule::new(quota));
        let (name, place) = (rule.quota.name.clone(), rule.quota.place.clone());
        self.named.insert(name, Arc::clone(&rule));
        if place.mount.is_empty() {
            self.namespaces.insert(place.namespace, rule);
            return;
        }
        let mount = self.mounts.entry(place.mount).or_default();
        match place.below {
            Below::Everything => mount.everything = Some(rule),
            Below::Path(tail) => drop(mount.paths.insert(tail, rule)),
            Below::Role(role) => drop(mount.roles.insert(role, rule)),
            Below::Prefix(tail) => {
                let same_length = mount.prefixes.entry(Reverse(tail.len())).or_default();
                same_length.insert(tail, rule);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// The quota of a name.
    pub fn named(&self, name: &str) -> Option<&Arc<Rule>> {
        self.named.get(name)
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.named.keys()
    }

    /// All quotas.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.named.values()
    }

    /// The quota that holds at a spot of a namespace: the nearest.
    pub fn find(&self, space: &Arc<Space>, spot: &Spot<'_>) -> Option<&Arc<Rule>> {
        if self.is_empty() {
            return None;
        }
        let of_mount = self.mounts.get(spot.mount);
        of_mount
            .and_then(|mount| mount.find(spot))
            .or_else(|| self.of_namespace(space))
    }

    fn of_namespace(&self, space: &Arc<Space>) -> Option<&Arc<Rule>> {
        if self.namespaces.is_empty() {
            return None;
        }
        space.line().find_map(|around| {
            let rule = self.namespaces.get(&around.id)?;
            (around.id == space.id || rule.quota.inheritable).then_some(rule)
        })
    }
}

impl OfMount {
    fn find(&self, spot: &Spot<'_>) -> Option<&Arc<Rule>> {
        let tail = spot.tail.strip_suffix('/').unwrap_or(spot.tail);
        let of_role = spot.role.and_then(|role| self.roles.get(role));
        of_role
            .or_else(|| self.paths.get(tail))
            .or_else(|| {
                let mut lengths = self.prefixes.iter();
                lengths.find_map(|(Reverse(length), prefixes)| prefixes.get(tail.get(..*length)?))
            })
            .or(self.everything.as_ref())
    }
}

impl Rule {
    fn new(quota: Quota) -> Self {
        // The id is random: its first digits are as good a name as the whole.
        let digits: String = quota.id.chars().filter(|c| *c != '-').take(16).collect();
        let number = u64::from_str_radix(&digits, 16).unwrap_or_default();
        Self { quota, number }
    }
}
