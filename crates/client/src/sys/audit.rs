use std::collections::BTreeMap;

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
