//! Someone, whatever they log in with.

use std::collections::BTreeMap;

use coffer_barrier::Stored;
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

use super::alias::{self, Alias};
use super::metadata::Metadata;
use super::name;
use super::work::Indexed;

/// The most groups that an entity is a member of itself.
pub const MAX_GROUPS: usize = 1_000;
/// The most entities that are merged into one.
pub const MAX_MERGED: usize = 1_000;

/// One entity, as stored under `entity/<id>`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entity {
    /// Names it for ever.
    pub id: String,
    /// Its name, as it was given; compared in normal form.
    pub name: String,
    /// What clients note; none until somebody did.
    pub metadata: Option<Metadata>,
    /// Its policies, in normal form.
    pub policies: Vec<String>,
    /// Its tokens are refused, and it can not log in.
    pub disabled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// Its aliases, at most one for each mount.
    pub aliases: Vec<Alias>,
    /// The groups it is a member of itself. One that is gone may still be named here.
    pub groups: Vec<String>,
    /// The entities that were merged into it.
    pub merged: Vec<String>,
}

impl Stored for Entity {
    const MAX_BYTES: usize = 256 * 1024;
}

impl Entity {
    /// Its alias in a mount.
    pub fn alias_in(&self, mount: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.mount == mount)
    }

    /// Adds it to a group, if it is not in there.
    pub(super) fn join(&mut self, group: String) -> Result<(), Fault> {
        if self.groups.contains(&group) {
            return Ok(());
        }
        if self.groups.len() >= MAX_GROUPS {
            return Err(Fault::Invalid(format!(
                "the entity {} is in {MAX_GROUPS} groups, more than which none can be in; put groups into groups",
                self.id
            )));
        }
        self.groups.push(group);
        Ok(())
    }

    /// Its alias with this id.
    pub fn alias(&self, id: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.id == id)
    }
}

impl Indexed for Entity {
    const FOLDER: &str = "entity/";

    fn id(&self) -> &str {
        &self.id
    }

    fn index(&self) -> BTreeMap<String, String> {
        let mut index = BTreeMap::from([(by_name(&self.name), self.id.clone())]);
        for alias in &self.aliases {
            index.insert(by_alias(&alias.mount, &alias.name), self.id.clone());
            index.insert(by_alias_id(&alias.id), self.id.clone());
        }
        for group in &self.groups {
            index.insert(member(group, &self.id), self.id.clone());
        }
        for merged in &self.merged {
            index.insert(by_merged(merged), self.id.clone());
        }
        index
    }
}

pub(super) fn by_name(name: &str) -> String {
    format!("entity-name/{}", name::key(name))
}

pub(super) fn by_alias(mount: &str, name: &str) -> String {
    format!("alias/{}", alias::factors(mount, name))
}

pub(super) fn by_alias_id(id: &str) -> String {
    format!("alias-id/{id}")
}

pub(super) fn by_merged(id: &str) -> String {
    format!("merged/{id}")
}

/// The folder of a group's members.
pub(super) fn members(group: &str) -> String {
    format!("member/{group}/")
}

fn member(group: &str, entity: &str) -> String {
    format!("{}{entity}", members(group))
}
