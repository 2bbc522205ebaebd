use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Sys, is_false};
use crate::{Error, Method, nullable};

impl Sys<'_> {
    /// The audit devices by their paths.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn audit_devices(&self) -> Result<BTreeMap<String, AuditDevice>, Error> {
        self.get_data("sys/audit").await
    }

    /// Enables an audit device at `path`.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn enable_audit(&self, path: &str, what: &AuditEnable) -> Result<(), Error> {
        self.done(
            Method::Put,
            &format!("sys/audit/{}", path.trim_matches('/')),
            what,
        )
        .await
    }

    /// The last line of the chain of the audit device at `path`.
    ///
    /// # Errors
    /// Any [`Error`]; with status 400 where the device has no chain.
    pub async fn audit_chain(&self, path: &str) -> Result<AuditChain, Error> {
        self.get_data(&format!("sys/audit-chain/{}", path.trim_matches('/')))
            .await
    }

    /// The key that proves the lines of the audit device at `path`.
    ///
    /// # Errors
    /// Any [`Error`]; with status 400 where the device has no chain.
    pub async fn audit_chain_key(&self, path: &str) -> Result<AuditChainKey, Error> {
        self.get_data(&format!("sys/audit-chain-key/{}", path.trim_matches('/')))
            .await
    }

    /// Disables the audit device at `path`.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn disable_audit(&self, path: &str) -> Result<(), Error> {
        self.delete(&format!("sys/audit/{}", path.trim_matches('/')))
            .await
    }
}

/// One audit device.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditDevice {
    /// `file`, `socket`, `syslog` …
    pub r#type: String,
    /// What it is for.
    pub description: String,
    /// Settings of its kind (`file_path` …).
    #[serde(with = "nullable")]
    pub options: BTreeMap<String, String>,
    /// Whether it is not replicated.
    pub local: bool,
    /// Its path, with its slash.
    pub path: String,
    /// How it is doing; none from servers that do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<AuditState>,
}

/// How an audit device is doing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditState {
    /// Whether the last line it was given is recorded.
    pub healthy: bool,
    /// Since when it is not.
    pub failing_since: Option<String>,
    /// Why it last failed.
    pub last_error: String,
    /// Lines that wait to be recorded.
    pub queue_lines: u64,
    /// Lines recorded since the server was unsealed.
    pub recorded_lines: u64,
    /// Lines that it could not record since then.
    pub dropped_lines: u64,
    /// The last line of its chain.
    pub chain_head: Option<String>,
}

/// The chain of an audit device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditChain {
    /// What its lines call it.
    pub id: String,
    /// Its last line; none before the first one.
    pub head: Option<String>,
}

/// The key of an audit device's chain.
#[derive(Clone, Serialize, Deserialize)]
pub struct AuditChainKey {
    /// The key, in the form that `audit verify` takes.
    pub key: String,
}

impl fmt::Debug for AuditChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditChainKey(redacted)")
    }
}

/// The audit device to enable.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AuditEnable {
    /// `file`, `socket`, `syslog` …
    pub r#type: String,
    /// What it is for.
    pub description: String,
    /// Settings of its kind (`file_path` …).
    pub options: BTreeMap<String, String>,
    /// Whether it is not replicated.
    #[serde(skip_serializing_if = "is_false")]
    pub local: bool,
}
