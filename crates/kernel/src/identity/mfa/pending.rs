//! Logins that wait for their second factor.

use std::time::Duration;

use coffer_barrier::Stored;
use serde::{Deserialize, Serialize};

use crate::tokens::NewToken;

/// How long a login waits.
pub const LIFE: Duration = Duration::from_secs(5 * 60);
/// How many logins of one entity wait at a time.
pub const MAX_PENDING_EACH: usize = 20;

/// A login that an auth method accepted: everything about the token but that it may be made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The accessor of the auth mount.
    pub mount: String,
    /// The token.
    pub token: NewToken,
}

impl Stored for Pending {
    const MAX_BYTES: usize = 128 * 1024;
}
