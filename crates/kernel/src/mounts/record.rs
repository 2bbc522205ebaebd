//! What is stored about a mount.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_barrier::Stored;
use coffer_engine::{Class, TokenKind};
use serde::{Deserialize, Serialize};

/// One mount, as stored under `core/mount/<uuid>`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MountRecord {
    /// Where it is mounted: `secret/`, `auth/token/`.
    pub path: String,
    /// The engine's type name.
    pub kind: String,
    /// The operator's words about it.
    pub description: String,
    /// Names it for ever; part of its storage prefix.
    pub uuid: String,
    /// Names it for clients.
    pub accessor: String,
    /// The type's own options, for example `version`.
    pub options: BTreeMap<String, String>,
    /// What `tune` sets.
    pub tuning: Tuning,
    /// Kept on this cluster only.
    pub local: bool,
    /// Asked for an extra wrapping by the seal; recorded, without effect on a Shamir seal.
    pub seal_wrap: bool,
    /// Asked for randomness from the seal; recorded, without effect on a Shamir seal.
    pub external_entropy_access: bool,
    /// It is being disabled: it answers nothing, its leases are being revoked, its data deleted.
    pub tainted: bool,
}

impl Stored for MountRecord {
    const MAX_BYTES: usize = 64 * 1024;
}

/// The tunable part of a mount. Zero and empty mean "as the server's default".
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tuning {
    /// TTL of leases that ask for none.
    pub default_lease_ttl: Duration,
    /// Longest TTL.
    pub max_lease_ttl: Duration,
    /// Asked for uncached reads; recorded (nothing is cached here).
    pub force_no_cache: bool,
    /// `unauth`, `hidden` or empty.
    pub listing_visibility: String,
    /// Request fields that audit writes in the clear.
    pub audit_non_hmac_request_keys: Vec<String>,
    /// Answer fields that audit writes in the clear.
    pub audit_non_hmac_response_keys: Vec<String>,
    /// Request headers handed to the engine.
    pub passthrough_request_headers: Vec<String>,
    /// Headers the engine may answer.
    pub allowed_response_headers: Vec<String>,
    /// `default-service`, `default-batch`, `service`, `batch` or empty; auth mounts only.
    pub token_type: String,
    /// When names are locked out after wrong passwords, where that was tuned; else as the server does by default.
    pub user_lockout: Option<UserLockout>,
}

impl Tuning {
    /// How the token of a login is kept, where the role wishes for this.
    pub fn kind_of_login(&self, wished: Option<TokenKind>) -> TokenKind {
        match self.token_type.as_str() {
            "service" => TokenKind::Service,
            "batch" => TokenKind::Batch,
            "default-batch" => wished.unwrap_or(TokenKind::Batch),
            _ => wished.unwrap_or(TokenKind::Service),
        }
    }
}

/// When a name is locked out after wrong passwords. Zero means "as the server does by default".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserLockout {
    /// After how many wrong passwords.
    pub threshold: u64,
    /// For how long.
    pub duration: Duration,
    /// After how long without a wrong password the count begins anew.
    pub counter_reset: Duration,
    /// Nobody is locked out.
    pub disabled: bool,
}

/// What types of built-in mounts have in front, below the root namespace.
pub(crate) const NESTED: &str = "ns_";

impl MountRecord {
    /// Secrets engine or auth method.
    pub fn class(&self) -> Class {
        if self.path.starts_with("auth/") {
            Class::Auth
        } else {
            Class::Secret
        }
    }

    /// The name of the engine's type: what the kernel mounts itself has `ns_` before it in a namespace.
    pub fn engine(&self) -> &str {
        self.kind.strip_prefix(NESTED).unwrap_or(&self.kind)
    }

    /// The path as `sys/mounts` and `sys/auth` show it.
    pub fn shown_path(&self) -> &str {
        self.path.strip_prefix("auth/").unwrap_or(&self.path)
    }
}
