//! The configuration without anything secret, for `sys/config/state/sanitized`.

use serde_json::{Value, json};

use crate::config::{Binding, Config, Listener, LogFormat, LogLevel, Seal, Storage};

/// The word for the kind of storage.
pub(crate) fn storage_type(storage: &Storage) -> &'static str {
    match storage {
        Storage::Memory => "inmem",
        Storage::Embedded { .. } => "embedded",
    }
}

/// The word for a log level.
pub(crate) fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

/// The word for a format of log lines.
fn format(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Standard => "standard",
        LogFormat::Json => "json",
    }
}

/// What may be shown.
pub(crate) fn document(config: &Config) -> Value {
    let listeners: Vec<Value> = config.listeners.iter().map(listener).collect();
    json!({
        "api_addr": config.api_addr.as_deref().unwrap_or_default(),
        "cluster_addr": config.cluster_addr.as_deref().unwrap_or_default(),
        "cluster_name": config.cluster_name.as_deref().unwrap_or_default(),
        "default_lease_ttl": config.default_lease_ttl.as_secs(),
        "max_lease_ttl": config.max_lease_ttl.as_secs(),
        "disable_cache": false,
        "enable_response_header_hostname": config.enable_response_header_hostname,
        "enable_ui": config.ui,
        "introspection_endpoint": config.introspection_endpoint,
        "listeners": listeners,
        "log_format": config.log.format.map(format).unwrap_or_default(),
        "log_level": config.log.level.map(level).unwrap_or_default(),
        "pid_file": config.pid_file.as_deref().map(|path| path.display().to_string()).unwrap_or_default(),
        "raw_storage_endpoint": config.raw_storage_endpoint,
        "seals": seals(config),
        "storage": { "type": storage_type(&config.storage) },
        "unsafe_allow_api_audit_creation": config.unsafe_allow_api_audit_creation != Some(false),
    })
}

/// Which seals there are; nothing of what their keepers are told.
fn seals(config: &Config) -> Vec<Value> {
    if config.seals.is_empty() {
        return vec![json!({ "disabled": false, "type": "shamir" })];
    }
    let shown = |seal: &Seal| match seal.name == seal.kind {
        true => json!({ "disabled": seal.disabled, "type": seal.kind }),
        false => json!({ "disabled": seal.disabled, "type": seal.kind, "name": seal.name }),
    };
    config.seals.iter().map(shown).collect()
}

fn listener(listener: &Listener) -> Value {
    match &listener.binding {
        Binding::Tcp { address, tls, .. } => {
            json!({ "type": "tcp", "config": { "address": address, "tls_disable": tls.is_none() } })
        }
        Binding::Unix(socket) => {
            json!({ "type": "unix", "config": { "address": socket.path.display().to_string() } })
        }
    }
}
