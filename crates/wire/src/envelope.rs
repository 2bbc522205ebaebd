//! The shapes of answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{RawJson, Timestamp};

/// A successful answer as clients read it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// Identifies the request in the audit log.
    pub request_id: String,
    /// The lease of a dynamic secret, else empty.
    pub lease_id: String,
    /// Whether that lease can be renewed.
    pub renewable: bool,
    /// Remaining time of the lease in seconds.
    pub lease_duration: u64,
    /// What the endpoint answers; absent where it answers nothing.
    pub data: Option<RawJson>,
    /// Set instead of `data` when the answer was wrapped.
    pub wrap_info: Option<WrapInfo>,
    /// Remarks that did not stop the request.
    pub warnings: Option<Vec<String>>,
    /// A token that was issued or renewed.
    pub auth: Option<Auth>,
    /// The type of the mount that answered.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mount_type: String,
}

/// A token as login, creation and renewal answer it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Auth {
    /// The token itself.
    pub client_token: String,
    /// Its accessor; empty for batch tokens.
    pub accessor: String,
    /// All policies, those from the identity included.
    pub policies: Vec<String>,
    /// The policies attached to the token itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_policies: Vec<String>,
    /// The policies that come from the entity and its groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identity_policies: Vec<String>,
    /// What the auth method noted about the login.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Seconds until the token ends; 0 for one that does not.
    pub lease_duration: u64,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// The entity behind it, else empty.
    pub entity_id: String,
    /// `service` or `batch`.
    pub token_type: String,
    /// Whether it has no parent.
    pub orphan: bool,
    /// Requirements of a second factor, when the login is not complete.
    pub mfa_requirement: Option<RawJson>,
    /// How many requests it may still make; 0 for no limit.
    pub num_uses: u64,
}

/// Where a wrapped answer waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WrapInfo {
    /// The single-use token that unwraps it.
    pub token: String,
    /// That token's accessor.
    pub accessor: String,
    /// Seconds it waits.
    pub ttl: u64,
    /// When it was wrapped.
    pub creation_time: Timestamp,
    /// The path that made the answer.
    pub creation_path: String,
    /// The accessor of the token inside, when the answer is a login.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wrapped_accessor: String,
}

/// An answer that is an error.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong, for people; empty where a thing merely does not exist.
    pub errors: Vec<String>,
    /// Remarks beside the errors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
