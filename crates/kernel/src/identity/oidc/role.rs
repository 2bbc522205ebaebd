//! What an identity token says, and to whom.

use std::time::Duration;

use crate::identity::edit::Noun;
use coffer_barrier::Stored;
use serde::{Deserialize, Serialize};

/// How long a token holds where nobody says otherwise.
pub const DEFAULT_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// Characters of an id that is made up.
pub const ID_CHARS: usize = 26;

/// A role, as stored under `role/<name>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    /// The name of the key that signs.
    pub key: String,
    /// The template of the claims besides; empty for none.
    pub template: String,
    /// How long a token holds.
    pub ttl: Duration,
    /// Whom the tokens are for.
    pub client_id: String,
}

impl Stored for Role {}

impl Noun for Role {
    const FOLDER: &'static str = "role/";
}
