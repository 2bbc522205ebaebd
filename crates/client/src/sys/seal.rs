use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Sys;
use crate::{Error, Method, Request, Token};

impl Sys<'_> {
    /// Whether the server has been initialised.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn is_initialized(&self) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Answer {
            initialized: bool,
        }
        Ok(self.get::<Answer>("sys/init").await?.initialized)
    }

    /// Initialises the server: makes its keys and the first root token, once in its life.
    ///
    /// # Errors
    /// Any [`Error`]; 400 where it is initialised already.
    pub async fn init(&self, how: &Init) -> Result<InitAnswer, Error> {
        self.put("sys/init", how).await
    }

    /// The state of the seal; answered by sealed and uninitialised servers too.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn seal_status(&self) -> Result<SealStatus, Error> {
        self.get("sys/seal-status").await
    }

    /// Gives one unseal key (hexadecimal or base64).
    ///
    /// # Errors
    /// Any [`Error`]; 400 for a key that is none of this server's.
    pub async fn unseal(&self, key: &Token, migrate: bool) -> Result<SealStatus, Error> {
        self.put("sys/unseal", &json!({ "key": key, "migrate": migrate }))
            .await
    }

    /// Gives one break-glass share, which opens the server without its seals.
    ///
    /// # Errors
    /// Any [`Error`]; 400 for a share that is none of this server's.
    pub async fn break_glass(&self, share: &Token) -> Result<SealStatus, Error> {
        let body = json!({ "key": share, "break_glass": true });
        self.put("sys/unseal", &body).await
    }

    /// Forgets the unseal keys given so far.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn reset_unseal(&self) -> Result<SealStatus, Error> {
        self.put("sys/unseal", &json!({ "reset": true })).await
    }

    /// Seals the server.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn seal(&self) -> Result<(), Error> {
        self.done(Method::Put, "sys/seal", &json!({})).await
    }

    /// Makes the active node of a cluster give up leadership.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn step_down(&self) -> Result<(), Error> {
        self.done(Method::Put, "sys/step-down", &json!({})).await
    }

    /// Health in the server's words; a standby, sealed or uninitialised server is no error here.
    ///
    /// # Errors
    /// Transport errors, and [`Error::Decode`] where no server of this API answers.
    pub async fn health(&self) -> Result<Health, Error> {
        self.client
            .send(Request::new(Method::Get, "sys/health").once())
            .await?
            .json()
    }

    /// Who leads.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn leader(&self) -> Result<Leader, Error> {
        self.get("sys/leader").await
    }

    /// The nodes of the cluster.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn members(&self) -> Result<Vec<Member>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            nodes: Vec<Member>,
        }
        Ok(self.get::<Answer>("sys/ha-status").await?.nodes)
    }
}

/// How the root key is to be split. Fields left `None` take the server's defaults.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Init {
    /// Into how many unseal keys.
    pub secret_shares: u32,
    /// How many of them unseal.
    pub secret_threshold: u32,
    /// PGP keys (base64) that the unseal keys are encrypted to, one each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pgp_keys: Vec<String>,
    /// The PGP key (base64) that the root token is encrypted to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root_token_pgp_key: String,
    /// Into how many recovery keys, where another system unseals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_shares: Option<u32>,
    /// How many recovery keys suffice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_threshold: Option<u32>,
    /// PGP keys (base64) that the recovery keys are encrypted to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recovery_pgp_keys: Vec<String>,
    /// Into how many break-glass shares, which open the server without its seals; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass_shares: Option<u32>,
    /// How many break-glass shares suffice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass_threshold: Option<u32>,
    /// PGP keys (base64) that the break-glass shares are encrypted to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub break_glass_pgp_keys: Vec<String>,
}

/// What initialisation answers: the only time these keys are seen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct InitAnswer {
    /// The unseal keys, hexadecimal.
    #[serde(with = "crate::nullable")]
    pub keys: Vec<Token>,
    /// The unseal keys, base64.
    #[serde(with = "crate::nullable")]
    pub keys_base64: Vec<Token>,
    /// The recovery keys, hexadecimal.
    #[serde(with = "crate::nullable")]
    pub recovery_keys: Vec<Token>,
    /// The recovery keys, base64.
    #[serde(with = "crate::nullable")]
    pub recovery_keys_base64: Vec<Token>,
    /// The break-glass shares, hexadecimal.
    #[serde(with = "crate::nullable")]
    pub break_glass_keys: Vec<Token>,
    /// The break-glass shares, base64.
    #[serde(with = "crate::nullable")]
    pub break_glass_keys_base64: Vec<Token>,
    /// The first root token.
    pub root_token: Token,
}

/// The state of the seal, in the order the reference prints it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SealStatus {
    /// The kind of seal: `shamir`, `transit`, `awskms` …
    pub r#type: String,
    /// Whether the server has been initialised.
    pub initialized: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// How many keys unseal.
    pub t: u32,
    /// How many keys there are.
    pub n: u32,
    /// How many keys have been given.
    pub progress: u32,
    /// Identifies the unseal attempt under way, else empty.
    pub nonce: String,
    /// The server's version.
    pub version: String,
    /// When it was built, RFC 3339, if it says.
    pub build_date: String,
    /// When its sources were committed, RFC 3339, if it says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub commit_date: String,
    /// Whether it is moving to another seal.
    pub migration: bool,
    /// The cluster's name; absent while sealed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster_name: String,
    /// The cluster's identifier; absent while sealed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster_id: String,
    /// Whether another system unseals, so that there are recovery keys.
    pub recovery_seal: bool,
    /// The kind of the recovery keys, where there are any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub recovery_seal_type: String,
    /// The break-glass shares, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BreakGlass>,
    /// The kind of storage.
    pub storage_type: String,
}

/// Shares that open the server without its seals.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BreakGlass {
    /// How many open it.
    pub t: u32,
    /// How many there are.
    pub n: u32,
    /// How many have been given.
    pub progress: u32,
}

/// Health as `sys/health` says it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Whether the server has been initialised.
    pub initialized: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Whether it is a standby.
    pub standby: bool,
    /// The server's clock, in seconds since 1970.
    pub server_time_utc: u64,
    /// The server's version.
    pub version: String,
    /// The cluster's name.
    pub cluster_name: String,
    /// The cluster's identifier.
    pub cluster_id: String,
}

/// Who leads, as `sys/leader` says it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Leader {
    /// Whether there can be several nodes at all.
    pub ha_enabled: bool,
    /// Whether the node that answers leads.
    pub is_self: bool,
    /// Since when, RFC 3339.
    pub active_time: String,
    /// The leader's API address.
    pub leader_address: String,
    /// The leader's cluster address.
    pub leader_cluster_address: String,
    /// The last log entry known to be committed, where there is a log.
    pub raft_committed_index: u64,
    /// The last log entry applied, where there is a log.
    pub raft_applied_index: u64,
}

/// One node of the cluster, as `sys/ha-status` says it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    /// Its host's name.
    pub hostname: String,
    /// Where clients reach it.
    pub api_address: String,
    /// Where other nodes reach it.
    pub cluster_address: String,
    /// Whether it leads.
    pub active_node: bool,
    /// When a standby was last heard of, RFC 3339.
    pub last_echo: Option<String>,
    /// Its version.
    pub version: String,
    /// The version an automatic upgrade takes it for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub upgrade_version: String,
}
