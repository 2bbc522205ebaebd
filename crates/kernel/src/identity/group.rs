//! Several entities, and groups of them, that share policies.

use std::collections::BTreeMap;

use coffer_barrier::Stored;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

use super::alias::{self, Alias};
use super::metadata::Metadata;
use super::name;
use super::work::Indexed;

/// One group, as stored under `group/<id>`. Who its members are is in the members' records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// Names it for ever.
    pub id: String,
    /// Its name, as it was given; compared in normal form.
    pub name: String,
    /// Who says who is in it.
    pub kind: GroupKind,
    /// What clients note; none until somebody did.
    pub metadata: Option<Metadata>,
    /// What its members may do, in normal form.
    pub policies: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// Counts the changes.
    pub modify_index: u64,
    /// Under which name an auth method knows it; external groups alone have one.
    pub alias: Option<Alias>,
    /// The groups it is a member of. One that is gone may still be named here.
    pub parents: Vec<String>,
}

/// Who says who is in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// Operators.
    #[default]
    Internal,
    /// An auth method, at each login.
    External,
}

impl Stored for Group {
    const MAX_BYTES: usize = 256 * 1024;
}

impl GroupKind {
    /// The kind of that name; an empty name is the default.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "" | "internal" => Some(Self::Internal),
            "external" => Some(Self::External),
            _ => None,
        }
    }
}

impl Indexed for Group {
    const FOLDER: &str = "group/";

    fn id(&self) -> &str {
        &self.id
    }

    fn index(&self) -> BTreeMap<String, String> {
        let mut index = BTreeMap::from([(by_name(&self.name), self.id.clone())]);
        if let Some(alias) = &self.alias {
            index.insert(by_alias(&alias.mount, &alias.name), self.id.clone());
            index.insert(by_alias_id(&alias.id), self.id.clone());
        }
        for parent in &self.parents {
            index.insert(format!("{}{}", children(parent), self.id), self.id.clone());
        }
        index
    }
}

pub(super) fn by_name(name: &str) -> String {
    format!("group-name/{}", name::key(name))
}

pub(super) fn by_alias(mount: &str, name: &str) -> String {
    format!("group-alias/{}", alias::factors(mount, name))
}

pub(super) fn by_alias_id(id: &str) -> String {
    format!("group-alias-id/{id}")
}

/// The folder of the groups that are members of a group.
pub(super) fn children(parent: &str) -> String {
    format!("child/{parent}/")
}
