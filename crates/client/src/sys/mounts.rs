use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Sys, is_false};
use crate::{Error, Method, Request, nullable};

impl Sys<'_> {
    /// The secrets engines by their paths.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn mounts(&self) -> Result<BTreeMap<String, Mount>, Error> {
        self.get_data("sys/mounts").await
    }

    /// The auth methods by their paths (relative to `auth/`).
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn auths(&self) -> Result<BTreeMap<String, Mount>, Error> {
        self.get_data("sys/auth").await
    }

    /// Enables a secrets engine at `path`.
    ///
    /// # Errors
    /// Any [`Error`]; 400 where the path is taken or the type unknown.
    pub async fn enable_mount(&self, path: &str, what: &MountEnable) -> Result<(), Error> {
        self.done(Method::Post, &format!("sys/mounts/{}", bare(path)), what)
            .await
    }

    /// Enables an auth method at `auth/path`.
    ///
    /// # Errors
    /// As [`Sys::enable_mount`].
    pub async fn enable_auth(&self, path: &str, what: &MountEnable) -> Result<(), Error> {
        self.done(Method::Post, &format!("sys/auth/{}", bare(path)), what)
            .await
    }

    /// Disables the secrets engine at `path`: its leases are revoked, its data deleted.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn disable_mount(&self, path: &str) -> Result<(), Error> {
        self.delete(&format!("sys/mounts/{}", bare(path))).await
    }

    /// Disables the auth method at `auth/path`: its tokens are revoked.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn disable_auth(&self, path: &str) -> Result<(), Error> {
        self.delete(&format!("sys/auth/{}", bare(path))).await
    }

    /// Changes settings of a mount (`auth/…` for an auth method); only those named change.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn tune_mount(&self, path: &str, settings: &Map<String, Value>) -> Result<(), Error> {
        self.done(
            Method::Post,
            &format!("sys/mounts/{}/tune", bare(path)),
            settings,
        )
        .await
    }

    /// Begins to move a mount. Follow it with [`Sys::remount_status`].
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn remount(&self, from: &str, to: &str) -> Result<Remount, Error> {
        let request =
            Request::new(Method::Post, "sys/remount").json(&json!({ "from": from, "to": to }))?;
        self.client.send(request).await?.ok()?.data()
    }

    /// How a move of a mount is getting on: `in-progress`, `success` or `failure`.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn remount_status(&self, migration_id: &str) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Answer {
            migration_info: Info,
        }
        #[derive(Deserialize)]
        struct Info {
            status: String,
        }
        let answer: Answer = self
            .get_data(&format!("sys/remount/status/{migration_id}"))
            .await?;
        Ok(answer.migration_info.status)
    }

    /// Which mount serves `path`, and in which version: what a client must know before it can address a key-value secret.
    ///
    /// # Errors
    /// Any [`Error`]; 403 where the token may not do anything there.
    pub async fn mount_of(&self, path: &str) -> Result<MountPreflight, Error> {
        let question = Request::new(Method::Get, format!("sys/internal/ui/mounts/{path}"));
        self.client.send(question.question()).await?.ok()?.data()
    }
}

fn bare(path: &str) -> &str {
    path.trim_matches('/')
}

/// A mounted secrets engine or auth method, in the order the reference prints it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mount {
    /// Its identity across moves.
    pub uuid: String,
    /// The engine's name.
    pub r#type: String,
    /// What its operator wrote about it.
    pub description: String,
    /// Names it in identity and audit.
    pub accessor: String,
    /// Its settings.
    pub config: MountConfig,
    /// Options of the engine itself (`version` of `kv`).
    #[serde(with = "nullable")]
    pub options: BTreeMap<String, String>,
    /// Whether it is not replicated.
    pub local: bool,
    /// Whether its storage is wrapped by the seal too.
    pub seal_wrap: bool,
    /// Whether it may take randomness from the seal.
    pub external_entropy_access: bool,
    /// The version asked for.
    pub plugin_version: String,
    /// The version that runs.
    pub running_plugin_version: String,
    /// The digest of an external plugin.
    pub running_sha256: String,
    /// `supported`, `deprecated` …
    pub deprecation_status: String,
}

/// Settings of a mount.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MountConfig {
    /// Lease time in seconds where nobody asks for another; 0 for the server's.
    pub default_lease_ttl: u64,
    /// The longest lease time in seconds; 0 for the server's.
    pub max_lease_ttl: u64,
    /// Whether caching is off.
    pub force_no_cache: bool,
    /// The kind of tokens it issues; empty for secrets engines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_type: String,
    /// Request fields the audit log shows in the clear.
    #[serde(
        deserialize_with = "nullable::deserialize",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub audit_non_hmac_request_keys: Vec<String>,
    /// Answer fields the audit log shows in the clear.
    #[serde(
        deserialize_with = "nullable::deserialize",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub audit_non_hmac_response_keys: Vec<String>,
    /// `unauth` where it is listed before login.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub listing_visibility: String,
    /// Headers handed to the engine.
    #[serde(
        deserialize_with = "nullable::deserialize",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub passthrough_request_headers: Vec<String>,
    /// Headers the engine may set.
    #[serde(
        deserialize_with = "nullable::deserialize",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub allowed_response_headers: Vec<String>,
}

/// What to mount.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MountEnable {
    /// The engine's name.
    pub r#type: String,
    /// What it is for.
    pub description: String,
    /// Settings, only those given.
    pub config: Map<String, Value>,
    /// Options of the engine itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Whether it is not replicated.
    #[serde(skip_serializing_if = "is_false")]
    pub local: bool,
    /// Whether its storage is wrapped by the seal too.
    #[serde(skip_serializing_if = "is_false")]
    pub seal_wrap: bool,
    /// Whether it may take randomness from the seal.
    #[serde(skip_serializing_if = "is_false")]
    pub external_entropy_access: bool,
}

/// A move of a mount that has begun.
#[derive(Clone, Debug, Deserialize)]
pub struct Remount {
    /// Names the move.
    pub migration_id: String,
}

/// Which mount serves a path.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MountPreflight {
    /// The mount's path, with its slash.
    pub path: String,
    /// The engine's name.
    pub r#type: String,
    /// Options of the engine itself.
    #[serde(with = "nullable")]
    pub options: BTreeMap<String, String>,
}

impl MountPreflight {
    /// Whether it is a key-value mount that keeps versions.
    #[must_use]
    pub fn keeps_versions(&self) -> bool {
        self.options
            .get("version")
            .is_some_and(|version| version == "2")
    }
}
