//! What is stored about a lease.

use coffer_barrier::Stored;
use coffer_engine::NewLease;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// One lease, as stored under `sys/lease/id/<lease id>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeaseRecord {
    /// The mount that undoes it, by accessor, so that remounts change nothing.
    pub mount: String,
    /// What to do, in the engine's terms.
    pub lease: NewLease,
    /// The accessor of the token that asked, or of the parent of a batch token; empty for none.
    pub token: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// What renewals never pass: the end of the batch token that asked.
    #[serde(default)]
    pub ends_by: Option<Timestamp>,
    /// Where its entry in the due index stands: its end, or earlier.
    pub due: Timestamp,
    /// When it was renewed last.
    pub last_renewal: Option<Timestamp>,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// Where it is in its life.
    pub state: LeaseState,
    /// Whether it waits in the queue of its target instead of the due index.
    #[serde(default)]
    pub parked: bool,
    /// How many revocations failed.
    #[serde(default)]
    pub attempts: u32,
    /// Why the last revocation failed.
    #[serde(default)]
    pub last_error: String,
    /// The id of the quota that counts it; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub quota: String,
}

impl Stored for LeaseRecord {}

/// Where a lease is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeaseState {
    /// Announced before the secret is made; undone unless the request completes.
    Intent,
    /// Issued.
    Live,
    /// Its end has begun; it can not be renewed any more.
    Revoking,
    /// Revocation failed too often; retried slowly, shown to operators.
    Irrevocable,
}
