//! The server's configuration: Vault's stanzas in HCL or JSON, read into strict types.
//!
//! What Vault or OpenBao knows is accepted, so their configurations start unchanged. What has no effect here is a
//! [`Warning`] with its place; what nobody knows is an [`Error`] with its place and the nearest known key.

mod address;
mod audit;
mod error;
mod events;
mod files;
mod forwarded;
mod headers;
mod ignored;
mod initialize;
mod listener;
mod log;
mod place;
mod seal;
mod stanza;
mod storage;
mod telemetry;
mod tls;
mod traces;
mod user_lockout;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use coffer_kernel::events::EventSettings;
use coffer_kernel::mounts::UserLockout;
use coffer_kernel::script::Script;

pub use audit::AuditDevice;
pub use error::Error;
pub use forwarded::{Decoder, ForwardedCertificate, ForwardedFor};
pub use headers::ResponseHeaders;
pub use listener::{Binding, Listener, Socket, Timeouts};
pub use log::{Log, LogFormat, LogLevel};
pub use place::{Place, Warning};
pub use seal::Seal;
pub use storage::Storage;
pub use telemetry::Telemetry;
pub use tls::{ClientCertificates, Tls, TlsVersion};
pub use traces::Traces;

use stanza::Stanza;

/// Everything the configuration files say, defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where data is kept.
    pub storage: Storage,
    /// Where requests are accepted; at least one, except in dev mode.
    pub listeners: Vec<Listener>,
    /// Who keeps the root key while the server is sealed; nobody where key shares do.
    pub seals: Vec<Seal>,
    /// Audit devices that are declared here instead of through the API.
    pub audit: Vec<AuditDevice>,
    /// What a new server does while it is initialised.
    pub initialize: Script,
    /// Whether workflows that say so run without a token.
    pub allow_unauthenticated_workflows: bool,
    /// The URL under which clients reach this node.
    pub api_addr: Option<String>,
    /// The URL under which other nodes reach this node.
    pub cluster_addr: Option<String>,
    /// The cluster's name; one is made up at initialisation if there is none.
    pub cluster_name: Option<String>,
    /// Whether the dashboard is served; it is unless the files say `false`.
    pub ui: bool,
    /// The lifetime of leases and tokens that ask for none.
    pub default_lease_ttl: Duration,
    /// The longest lifetime of leases and tokens.
    pub max_lease_ttl: Duration,
    /// What is logged, how and where.
    pub log: Log,
    /// Where the process id is written.
    pub pid_file: Option<PathBuf>,
    /// Metrics.
    pub telemetry: Telemetry,
    /// Where requests are traced to. Our own stanza.
    pub traces: Traces,
    /// How long events are kept, and how many may subscribe to them. Our own stanza.
    pub events: EventSettings,
    /// Whether `sys/raw` exists.
    pub raw_storage_endpoint: bool,
    /// Whether `sys/internal/inspect` exists.
    pub introspection_endpoint: bool,
    /// Whether answers carry `X-Vault-Hostname`.
    pub enable_response_header_hostname: bool,
    /// Whether audit devices can be made through the API; `None` if the files do not say.
    pub unsafe_allow_api_audit_creation: Option<bool>,
    /// When names are locked out after wrong passwords, by the type of the auth method or for `all`.
    pub user_lockout: BTreeMap<String, UserLockout>,
    /// Whether audit devices may have a prefix before each line.
    pub allow_audit_log_prefixing: bool,
    /// The version that `sys/health` reports instead of our own (semver). Our own key.
    pub version_override: Option<String>,
}

/// Lifetime of leases when none is asked for, and the longest: 768 hours, as Vault.
pub const DEFAULT_LEASE_TTL_SECS: u64 = 768 * 3600;

/// Time for one request: 90 seconds, as Vault.
pub const DEFAULT_MAX_REQUEST_DURATION_SECS: u64 = 90;

impl Config {
    /// Reads files and directories (their `*.hcl` and `*.json` in lexical order). A later file's value replaces an
    /// earlier one's; listeners and audit devices add up.
    ///
    /// # Errors
    /// The first thing wrong, with file, line and column; also if no storage or no listener is configured.
    pub fn load(paths: &[PathBuf]) -> Result<(Self, Vec<Warning>), Error> {
        let (config, warnings) = read(files::open(paths)?)?;
        let storage = config.storage.ok_or(Error::NoStorage)?;
        if config.rest.listeners.is_empty() {
            return Err(Error::NoListener);
        }
        Ok((
            Self {
                storage,
                ..config.rest
            },
            warnings,
        ))
    }

    /// As [`Config::load`], for dev mode: without paths or with files that only add to it. No storage means memory,
    /// and there may be no listener, since dev mode brings its own.
    ///
    /// # Errors
    /// The first thing wrong, with file, line and column.
    pub fn load_for_dev(paths: &[PathBuf]) -> Result<(Self, Vec<Warning>), Error> {
        let (config, warnings) = read(files::open(paths)?)?;
        Ok((
            Self {
                storage: config.storage.unwrap_or(Storage::Memory),
                ..config.rest
            },
            warnings,
        ))
    }
}

/// A configuration whose storage may be missing; `rest.storage` means nothing.
struct Read {
    storage: Option<Storage>,
    rest: Config,
}

fn read(mut root: Stanza) -> Result<(Read, Vec<Warning>), Error> {
    let mut warnings = Vec::new();
    let storage = storage::read(&mut root, &mut warnings)?;
    let request_duration = Duration::from_secs(DEFAULT_MAX_REQUEST_DURATION_SECS);
    let request_duration = root
        .nonzero_duration("default_max_request_duration")?
        .unwrap_or(request_duration);
    let (default_lease_ttl, max_lease_ttl) = lease_ttls(&mut root)?;
    let mut rest = Config {
        storage: Storage::Memory,
        listeners: listener::read(&mut root, request_duration, &mut warnings)?,
        seals: seal::read(&mut root)?,
        audit: audit::read(&mut root)?,
        initialize: initialize::read(&mut root)?,
        allow_unauthenticated_workflows: root
            .flag("allow_unauthenticated_workflows")?
            .unwrap_or(false),
        api_addr: root.plain_text("api_addr")?,
        cluster_addr: root.plain_text("cluster_addr")?,
        cluster_name: root.plain_text("cluster_name")?,
        ui: root.flag("ui")?.unwrap_or(true),
        default_lease_ttl,
        max_lease_ttl,
        log: log::read(&mut root)?,
        pid_file: root.path("pid_file")?,
        telemetry: telemetry::read(&mut root, &mut warnings)?,
        traces: traces::read(&mut root)?,
        events: events::read(&mut root)?,
        raw_storage_endpoint: root.flag("raw_storage_endpoint")?.unwrap_or(false),
        introspection_endpoint: root.flag("introspection_endpoint")?.unwrap_or(false),
        enable_response_header_hostname: root
            .flag("enable_response_header_hostname")?
            .unwrap_or(false),
        unsafe_allow_api_audit_creation: root.flag("unsafe_allow_api_audit_creation")?,
        user_lockout: user_lockout::read(&mut root)?,
        allow_audit_log_prefixing: root.flag("allow_audit_log_prefixing")?.unwrap_or(false),
        version_override: root.version("version_override")?,
    };
    listener::close(&mut rest.listeners, &mut root)?;
    root.ignore(ignored::AT_TOP, &mut warnings);
    root.finish()?;
    warnings.sort_by(|a, b| a.place.cmp(&b.place));
    Ok((Read { storage, rest }, warnings))
}

/// The default and the longest lifetime. A default that is not written never exceeds the maximum.
fn lease_ttls(root: &mut Stanza) -> Result<(Duration, Duration), Error> {
    let usual = Duration::from_secs(DEFAULT_LEASE_TTL_SECS);
    let place = root.place_of("default_lease_ttl");
    let default = root.nonzero_duration("default_lease_ttl")?;
    let max = root.nonzero_duration("max_lease_ttl")?.unwrap_or(usual);
    match (default, place) {
        (Some(default), Some(place)) if default > max => Err(Error::At {
            place,
            found: "`default_lease_ttl` is longer than `max_lease_ttl`".to_owned(),
            expected: format!("at most {}", coffer_wire::format_duration(max)),
            advice: "lower it, or raise `max_lease_ttl` (768h if it is not set)".to_owned(),
        }),
        (default, _) => Ok((default.unwrap_or(usual.min(max)), max)),
    }
}

#[cfg(test)]
mod tests;
