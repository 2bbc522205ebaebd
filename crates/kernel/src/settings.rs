//! What the operator's configuration decides for the kernel.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use coffer_engine::Kind;
use coffer_engine::outbound::{Nowhere, Outbound};

use crate::audit::{Allow, NewDevice};
use crate::events::EventSettings;
use crate::mounts::UserLockout;
use crate::observe::{InFlight, Logs, Meters, NoLogs};
use crate::script::Script;
use crate::seals::SealBook;

/// The API level that clients are told; they choose their behaviour by it.
pub const API_VERSION: &str = "1.21.0";

/// The version that engines compiled in say they have.
pub(crate) const BUILT_IN_VERSION: &str =
    concat!("v", env!("CARGO_PKG_VERSION"), "+builtin.coffer");

/// What the kernel is started with.
pub struct Settings {
    /// The registry: every engine this binary holds.
    pub kinds: Vec<Kind>,
    /// The TTL of leases where neither request, role nor mount says one.
    pub default_lease_ttl: Duration,
    /// The longest TTL where the mount says none.
    pub max_lease_ttl: Duration,
    /// The cluster's name, shown by `sys/health`; made up at initialisation when empty.
    pub cluster_name: String,
    /// The address clients reach this node by.
    pub api_addr: String,
    /// The version answered by `sys/health` and `sys/seal-status`; valid semver.
    pub version: String,
    /// When this binary was made, RFC 3339; empty if unknown.
    pub build_date: String,
    /// The word `sys/seal-status` answers as `storage_type`.
    pub storage_type: String,
    /// Whether `sys/raw` is there.
    pub raw_storage_endpoint: bool,
    /// Whether `sys/internal/inspect` is there.
    pub introspection_endpoint: bool,
    /// What audit devices may do: where they write, and whether with a prefix.
    pub audit_allow: Allow,
    /// Audit devices that the configuration declares, with their paths: enabled when the server opens.
    pub declared_audit: Vec<(String, NewDevice)>,
    /// Whether audit devices can be enabled and disabled over the API.
    pub unsafe_allow_api_audit_creation: bool,
    /// Whether `sys/rekey/*` answers without a token; `sys/rotate/root/*` does with one.
    pub unauthed_rekey: bool,
    /// Whether `sys/generate-root/*` answers without a token; `sys/generate-root-token/*` does with one.
    pub unauthed_generate_root: bool,
    /// What a new server does while it is initialised.
    pub self_init: SelfInit,
    /// Whether workflows that say so run without a token.
    pub allow_unauthenticated_workflows: bool,
    /// When names are locked out after wrong passwords, by the type of the auth method or for `all`.
    pub user_lockout: BTreeMap<String, UserLockout>,
    /// The sanitized configuration for `sys/config/state/sanitized`.
    pub sanitized: serde_json::Value,
    /// Everything that is measured.
    pub meters: Arc<Meters>,
    /// The requests that are being answered.
    pub in_flight: Arc<InFlight>,
    /// The log of the process.
    pub logs: Arc<dyn Logs>,
    /// The seals that the configuration names.
    pub seals: SealBook,
    /// How long events are kept, and how many may read them.
    pub events: EventSettings,
    /// What brings the requests of engines to other servers.
    pub outbound: Arc<dyn Outbound>,
}

/// What a new server does while it is initialised, see `docs/decisions/0014-self-initialisation.md`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelfInit {
    /// The requests.
    pub script: Script,
    /// Whether the root token that they are made with is handed out. Otherwise it is revoked.
    pub keep_root_token: bool,
}

impl Settings {
    /// Vault's defaults with these engines.
    pub fn new(kinds: Vec<Kind>) -> Self {
        let hours = Duration::from_secs(768 * 3600);
        Self {
            kinds,
            default_lease_ttl: hours,
            max_lease_ttl: hours,
            cluster_name: String::new(),
            api_addr: String::new(),
            version: format!("{API_VERSION}+coffer.{}", env!("CARGO_PKG_VERSION")),
            build_date: String::new(),
            storage_type: "inmem".into(),
            raw_storage_endpoint: false,
            introspection_endpoint: false,
            audit_allow: Allow::paths(|_| true),
            declared_audit: Vec::new(),
            unsafe_allow_api_audit_creation: true,
            unauthed_rekey: true,
            unauthed_generate_root: true,
            self_init: SelfInit::default(),
            allow_unauthenticated_workflows: false,
            user_lockout: BTreeMap::new(),
            sanitized: serde_json::Value::Null,
            meters: Arc::default(),
            in_flight: Arc::default(),
            logs: Arc::new(NoLogs),
            seals: SealBook::default(),
            events: EventSettings::default(),
            outbound: Arc::new(Nowhere),
        }
    }

    /// The registry entry for a type name.
    pub fn kind(&self, class: coffer_engine::Class, name: &str) -> Option<&Kind> {
        self.kinds
            .iter()
            .find(|kind| kind.class == class && kind.name == name)
    }
}
