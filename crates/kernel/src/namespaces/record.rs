//! What is stored about a namespace.

use std::collections::BTreeMap;

use coffer_barrier::Stored;
use serde::{Deserialize, Serialize};

/// The root namespace's id as clients are shown it.
pub const ROOT: &str = "root";

/// One namespace, as stored under `core/namespace/path/<path>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NamespaceRecord {
    /// Names it in tokens, accessors and lease ids; empty for the root.
    pub id: String,
    /// Names its part of the storage.
    pub uuid: String,
    /// Where it is, with a trailing slash; empty for the root.
    pub path: String,
    /// Notes of its operators.
    pub custom_metadata: BTreeMap<String, String>,
    /// The hash of the key that unlocks it, while it is locked.
    pub lock: Option<String>,
    /// It is being taken away: it answers nothing, and what it holds is being ended.
    pub tainted: bool,
    /// It has a seal of its own: what is in it is encrypted by keys of its own.
    pub own_seal: bool,
    /// Where its part of the storage is, with a trailing slash, if it lies in a namespace with a seal of its own.
    pub place: String,
}

impl Stored for NamespaceRecord {
    const MAX_BYTES: usize = 64 * 1024;
}

impl NamespaceRecord {
    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.path.is_empty()
    }

    /// What all paths of its part of the storage begin with; nothing for the root.
    pub fn prefix(&self) -> String {
        match self.place.as_str() {
            "" if self.is_root() => String::new(),
            "" => format!("ns/{}/", self.uuid),
            place => place.to_owned(),
        }
    }

    /// The id as clients are shown it.
    pub fn shown_id(&self) -> &str {
        if self.is_root() { ROOT } else { &self.id }
    }
}
