//! What an entity brings to a decision: its policies with those of its groups, and the values of templates.
//!
//! It is gathered when somebody asks and kept in memory, bounded. A change of the entity makes memory forget it, a
//! change of any group all of it: groups change seldom.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use coffer_engine::Fault;
use parking_lot::Mutex;

use super::entity::Entity;
use super::group::Group;
use super::metadata::Metadata;
use super::remembered::{REMEMBERED, Told};
use super::store::Identity;
use super::work::Touched;
use crate::policy;
use crate::recent::Recent;

/// The most memory that is kept of entities, by a rough count.
const MAX_ENTITY_BYTES: usize = 16 * 1024 * 1024;
/// The most memory that is kept of groups, by a rough count.
const MAX_GROUP_BYTES: usize = 8 * 1024 * 1024;

/// An entity as it is at one moment, with the groups that it is in.
#[derive(Debug)]
pub struct Standing {
    /// The entity.
    pub entity: Entity,
    /// The groups it is a member of itself.
    pub direct: Vec<Arc<Group>>,
    /// The groups that those are members of, and so on.
    pub inherited: Vec<Arc<Group>>,
    /// The policies of all of them, sorted.
    pub policies: Vec<String>,
    /// No other standing has this number, also not one of the same entity.
    stamp: u64,
}

/// What is kept in memory.
pub(super) struct Known(Mutex<Cache>);

struct Cache {
    /// Counts the changes. What was gathered while it changed is used once and never kept.
    generation: u64,
    /// By the id that was asked for: the entity's own, or one that was merged into it.
    standings: Recent<String, Option<Arc<Standing>>>,
    groups: Recent<String, Option<Arc<Group>>>,
    /// By what was told: the entity, and the standing it had then.
    logins: Recent<Told, (String, u64)>,
}

impl Default for Known {
    fn default() -> Self {
        Self(Mutex::new(Cache {
            generation: 0,
            standings: Recent::new(MAX_ENTITY_BYTES),
            groups: Recent::new(MAX_GROUP_BYTES),
            logins: Recent::new(REMEMBERED),
        }))
    }
}

impl Known {
    pub(super) fn forget(&self, touched: &Touched) {
        let mut cache = self.0.lock();
        cache.generation += 1;
        if touched.groups {
            cache.groups.clear();
            cache.standings.clear();
        } else {
            for id in &touched.entities {
                cache.standings.remove(id);
            }
        }
    }
}

impl Known {
    /// The standing of whose login told the same, if nothing has changed since; else how many changes there were so far.
    pub(super) fn remembered(&self, told: &Told) -> Result<Arc<Standing>, u64> {
        let mut cache = self.0.lock();
        let known = cache.logins.get(told).and_then(|(id, stamp)| {
            let standing = cache.standings.get(&id).flatten();
            standing.filter(|standing| standing.stamp == stamp)
        });
        known.ok_or(cache.generation)
    }

    /// Keeps that a login told nothing new, unless something has changed since `generation`.
    pub(super) fn remember(&self, told: Told, id: &str, standing: &Standing, generation: u64) {
        let mut cache = self.0.lock();
        if cache.generation == generation {
            let kept = (id.to_owned(), standing.stamp);
            cache.logins.insert(told, kept, 1);
        }
    }
}

impl Standing {
    /// All groups it is in.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.direct.iter().chain(&self.inherited)
    }

    pub(super) fn of(entity: Entity, direct: Vec<Arc<Group>>, inherited: Vec<Arc<Group>>) -> Self {
        static STAMPS: AtomicU64 = AtomicU64::new(1);
        let groups = direct.iter().chain(&inherited);
        let policies: BTreeSet<&String> = groups
            .flat_map(|group| &group.policies)
            .chain(&entity.policies)
            .collect();
        Self {
            policies: policies.into_iter().cloned().collect(),
            stamp: STAMPS.fetch_add(1, Ordering::Relaxed),
            entity,
            direct,
            inherited,
        }
    }

    fn cost(&self) -> usize {
        let texts = self.entity.policies.iter().chain(&self.policies);
        let texts: usize = texts.map(|text| 32 + text.len()).sum();
        let aliases = self.entity.aliases.iter();
        let aliases: usize = aliases
            .map(|alias| 512 + pairs(Some(&alias.metadata)) + pairs(alias.custom_metadata.as_ref()))
            .sum();
        let metadata = pairs(self.entity.metadata.as_ref());
        512 + texts + aliases + metadata + 64 * (self.groups().count() + self.entity.merged.len())
    }
}

impl Identity {
    /// What the entity with an id brings to a decision, or the one that it was merged into; none if it is gone.
    pub async fn standing(&self, id: &str) -> Result<Option<Arc<Standing>>, Fault> {
        let generation = {
            let mut cache = self.known.0.lock();
            if let Some(found) = cache.standings.get(id) {
                return Ok(found);
            }
            cache.generation
        };
        let standing = match self.entity_or_heir(id).await? {
            Some(entity) => Some(Arc::new(self.gathered(entity).await?)),
            None => None,
        };
        let mut cache = self.known.0.lock();
        if cache.generation == generation {
            let cost = standing.as_ref().map_or(128, |standing| standing.cost());
            cache
                .standings
                .insert(id.to_owned(), standing.clone(), cost);
        }
        Ok(standing)
    }

    /// An entity with all its groups.
    pub async fn gathered(&self, entity: Entity) -> Result<Standing, Fault> {
        let mut met = BTreeSet::new();
        let direct = self.living(&entity.groups, &mut met).await?;
        let mut inherited: Vec<Arc<Group>> = Vec::new();
        let mut generation = direct.clone();
        while !generation.is_empty() {
            let mut next = Vec::new();
            for group in &generation {
                next.extend(self.living(&group.parents, &mut met).await?);
            }
            inherited.extend(next.iter().cloned());
            generation = next;
        }
        Ok(Standing::of(entity, direct, inherited))
    }

    /// Those of the groups that are there and were not met before.
    async fn living(
        &self,
        ids: &[String],
        met: &mut BTreeSet<String>,
    ) -> Result<Vec<Arc<Group>>, Fault> {
        let mut living = Vec::new();
        for id in ids {
            if met.insert(id.clone()) {
                living.extend(self.known_group(id).await?);
            }
        }
        Ok(living)
    }

    pub(super) async fn known_group(&self, id: &str) -> Result<Option<Arc<Group>>, Fault> {
        let generation = {
            let mut cache = self.known.0.lock();
            if let Some(found) = cache.groups.get(id) {
                return Ok(found);
            }
            cache.generation
        };
        let group = self.group(id).await?.map(Arc::new);
        let mut cache = self.known.0.lock();
        if cache.generation == generation {
            let cost = group.as_ref().map_or(128, |group| {
                let texts = group.policies.iter().chain(&group.parents);
                512 + texts.map(|text| 32 + text.len()).sum::<usize>()
                    + pairs(group.metadata.as_ref())
            });
            cache.groups.insert(id.to_owned(), group.clone(), cost);
        }
        Ok(group)
    }
}

fn pairs(metadata: Option<&Metadata>) -> usize {
    let pairs = metadata.into_iter().flatten();
    pairs.map(|(key, value)| 96 + key.len() + value.len()).sum()
}

impl policy::Identity for Standing {
    fn stamp(&self) -> u64 {
        self.stamp
    }

    fn value(&self, selector: &str) -> Option<String> {
        if let Some(field) = selector.strip_prefix("identity.entity.") {
            return of_entity(&self.entity, field);
        }
        if let Some(rest) = selector.strip_prefix("identity.groups.ids.") {
            // An id may hold a dot, and a name several, so every group is tried.
            return self.groups().find_map(|group| {
                let field = rest.strip_prefix(group.id.as_str())?.strip_prefix('.')?;
                of_group(group, field)
            });
        }
        let rest = selector.strip_prefix("identity.groups.names.")?;
        self.groups().find_map(|group| {
            let field = rest.strip_prefix(group.name.as_str())?.strip_prefix('.')?;
            of_group(group, field)
        })
    }
}

fn of_entity(entity: &Entity, field: &str) -> Option<String> {
    if let Some(key) = field.strip_prefix("metadata.") {
        return entity.metadata.as_ref()?.get(key).cloned();
    }
    if let Some(rest) = field.strip_prefix("aliases.") {
        let (mount, field) = rest.split_once('.')?;
        let alias = entity.alias_in(mount)?;
        if let Some(key) = field.strip_prefix("metadata.") {
            return alias.metadata.get(key).cloned();
        }
        if let Some(key) = field.strip_prefix("custom_metadata.") {
            return alias.custom_metadata.as_ref()?.get(key).cloned();
        }
        return match field {
            "id" => Some(alias.id.clone()),
            "name" => Some(alias.name.clone()),
            _ => None,
        };
    }
    match field {
        "id" => Some(entity.id.clone()),
        "name" => Some(entity.name.clone()),
        _ => None,
    }
}

fn of_group(group: &Group, field: &str) -> Option<String> {
    if let Some(key) = field.strip_prefix("metadata.") {
        return group.metadata.as_ref()?.get(key).cloned();
    }
    match field {
        "id" => Some(group.id.clone()),
        "name" => Some(group.name.clone()),
        _ => None,
    }
}
