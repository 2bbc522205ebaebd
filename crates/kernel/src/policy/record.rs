//! What is stored about a policy, and what becomes of it when it is written.

use coffer_barrier::Stored;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

use super::builtin;
use super::{Error, Latitude};

/// A policy as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name in normal form.
    pub name: String,
    /// Its text, byte for byte.
    pub text: String,
    /// How often it was written; the text that is built in counts as written once, `root` as never.
    pub version: u64,
    /// Whether writers must say which version they replace.
    pub cas_required: bool,
    /// When it was last written.
    pub modified: Option<Timestamp>,
    /// From when on it counts as deleted.
    pub expires: Option<Timestamp>,
    /// What values may hold that its templates are filled with.
    pub latitude: Latitude,
}

/// What is to be written in the place of whatever is there.
#[derive(Clone, Debug, Default)]
pub struct Put {
    /// The text, HCL or JSON.
    pub text: String,
    /// The version it replaces: -1 for none at all.
    pub cas: Option<i64>,
    /// Whether this and later writers must give `cas`.
    pub cas_required: bool,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// What values may hold that its templates are filled with.
    pub latitude: Latitude,
}

/// What is to be changed about a policy that is there; what is not given stays.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// The text, HCL or JSON.
    pub text: Option<String>,
    /// The version it changes.
    pub cas: Option<i64>,
    /// Whether later writers must give `cas`.
    pub cas_required: Option<bool>,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// Whether values may hold slashes that its templates are filled with.
    pub slashes: Option<bool>,
    /// Whether they may hold wildcards.
    pub wildcards: Option<bool>,
}

/// The stored form. Its text is no secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) text: String,
    version: u64,
    #[serde(default)]
    cas_required: bool,
    modified: Timestamp,
    #[serde(default)]
    expires: Option<Timestamp>,
    #[serde(default, flatten)]
    latitude: Latitude,
}

impl Stored for Record {}

impl Record {
    /// Whether it has not ended.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    pub(super) fn entry(self, name: String) -> Entry {
        Entry {
            name,
            text: self.text,
            version: self.version,
            cas_required: self.cas_required,
            modified: Some(self.modified),
            expires: self.expires,
            latitude: self.latitude,
        }
    }
}

/// The policy that is there without being stored.
pub(super) fn built_in(name: &str) -> Option<Entry> {
    builtin::text(name).map(|text| Entry {
        name: name.to_owned(),
        text: text.to_owned(),
        version: builtin::version(name),
        cas_required: false,
        modified: None,
        expires: None,
        latitude: Latitude::default(),
    })
}

/// The record that follows `old`, if its writer knows what it replaces.
pub(super) fn replaced(
    name: &str,
    old: Option<Record>,
    put: &Put,
    now: Timestamp,
) -> Result<Record, Error> {
    let required = put.cas_required || old.as_ref().is_some_and(|old| old.cas_required);
    let version = known(name, old.as_ref(), put.cas, required)?;
    Ok(Record {
        text: put.text.clone(),
        version: version + 1,
        cas_required: put.cas_required,
        modified: now,
        expires: put.expires,
        latitude: put.latitude,
    })
}

/// The record with changes, if their writer knows what is changed.
pub(super) fn patched(
    name: &str,
    old: Option<Record>,
    patch: &Patch,
    now: Timestamp,
) -> Result<Record, Error> {
    let before = match &old {
        Some(record) => record.clone().entry(name.to_owned()),
        None => built_in(name).ok_or(Error::Missing)?,
    };
    let version = known(name, old.as_ref(), patch.cas, before.cas_required)?;
    let old = before;
    Ok(Record {
        text: patch.text.clone().unwrap_or(old.text),
        version: version + 1,
        cas_required: patch.cas_required.unwrap_or(old.cas_required),
        modified: now,
        expires: patch.expires.or(old.expires),
        latitude: Latitude {
            slashes: patch.slashes.unwrap_or(old.latitude.slashes),
            wildcards: patch.wildcards.unwrap_or(old.latitude.wildcards),
        },
    })
}

/// The version that is to be replaced, if it is the one the writer speaks of.
fn known(name: &str, old: Option<&Record>, cas: Option<i64>, required: bool) -> Result<u64, Error> {
    let version = old.map_or(builtin::version(name), |old| old.version);
    let mismatch = match cas {
        None if required => "this policy needs the `cas` parameter; give its version".to_owned(),
        Some(-1) if version > 0 => {
            format!("`cas` of -1 means a new policy, but there is one of version {version}")
        }
        Some(cas) if cas != -1 && u64::try_from(cas) != Ok(version) => {
            format!("`cas` is {cas}, but the policy has version {version}; read it again")
        }
        _ => return Ok(version),
    };
    Err(Error::CheckAndSet(mismatch))
}
