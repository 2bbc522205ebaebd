//! An issuer that applications sign people in with.

use crate::identity::edit::Noun;
use coffer_barrier::Stored;
use serde::{Deserialize, Serialize};

use super::admits;

/// The provider that is there from the start.
pub const DEFAULT: &str = "default";

/// A provider, as stored under `provider/<name>`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Provider {
    /// Scheme, host and port of its issuer; empty for this server's own.
    pub issuer: String,
    /// Ids of the clients that may use it; `*` for all.
    pub allowed_client_ids: Vec<String>,
    /// The scopes that may be asked for.
    pub scopes_supported: Vec<String>,
}

impl Stored for Provider {}

impl Noun for Provider {
    const FOLDER: &'static str = "provider/";
}

impl Provider {
    /// The provider of a name that is there without being stored.
    pub fn built_in(name: &str) -> Option<Self> {
        (name == DEFAULT).then(|| Self {
            allowed_client_ids: vec!["*".to_owned()],
            ..Self::default()
        })
    }

    /// Whether a client may use it.
    pub fn admits(&self, client_id: &str) -> bool {
        admits(&self.allowed_client_ids, client_id)
    }
}
