//! Under which name an auth method knows an entity, or a directory a group.

use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

use super::metadata::Metadata;
use super::name;

/// One alias, stored in the record of its entity or group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alias {
    /// Names it for ever.
    pub id: String,
    /// The name, as it was given; compared in normal form.
    pub name: String,
    /// The accessor of the mount that knows the name.
    pub mount: String,
    /// What the auth method knows; it writes this at each login.
    pub metadata: Metadata,
    /// What clients note; none until somebody could.
    pub custom_metadata: Option<Metadata>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// The entities it belonged to before they were merged into this one.
    pub merged_from: Vec<String>,
    /// Whether its mount is kept on this cluster only.
    pub local: bool,
}

impl Alias {
    /// Whether the mount knows this alias by that name.
    pub fn is(&self, mount: &str, name: &str) -> bool {
        self.mount == mount && name::normal(&self.name) == name::normal(name)
    }
}

/// `<mount accessor>/<name>`, as an index has it.
pub(super) fn factors(mount: &str, name: &str) -> String {
    format!("{}/{}", name::escaped(mount), name::key(name))
}
