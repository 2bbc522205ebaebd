//! Token roles: templates for tokens that others may create.

use std::time::Duration;

use coffer_barrier::Stored;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// One token role, as stored under `sys/token/role/<name>`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenRole {
    /// Policies that may be asked for; empty for no restriction by name.
    pub allowed_policies: Vec<String>,
    /// As `allowed_policies`, with `*` as wildcard.
    pub allowed_policies_glob: Vec<String>,
    /// Policies that may not be asked for.
    pub disallowed_policies: Vec<String>,
    /// As `disallowed_policies`, with `*` as wildcard.
    pub disallowed_policies_glob: Vec<String>,
    /// Entity aliases that may be asked for.
    pub allowed_entity_aliases: Vec<String>,
    /// Tokens have no parent.
    pub orphan: bool,
    /// Tokens can be renewed.
    pub renewable: bool,
    /// Appended to the path that is recorded with the token.
    pub path_suffix: String,
    /// Renewals set the lifetime to this; zero for none.
    pub token_period: Duration,
    /// A bound that renewals never pass; zero for none.
    pub token_explicit_max_ttl: Duration,
    /// Addresses tokens may come from.
    pub token_bound_cidrs: Vec<IpNet>,
    /// Leaves out the `default` policy.
    pub token_no_default_policy: bool,
    /// How many requests a token may make; 0 for no limit.
    pub token_num_uses: u64,
    /// `default-service`, `default-batch`, `service` or `batch`.
    pub token_type: String,
}

impl Stored for TokenRole {}
