//! How the server is, for probes and operators.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Text, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::init::Cluster;
use crate::kernel::{Kernel, State};
use crate::seals::{Keeping, Situation};

/// The word for key shares.
const SHAMIR: &str = "shamir";

pub(super) fn routes() -> Routes<Kernel> {
    Routes::new([
        path(
            "seal-status",
            "Whether the server is sealed, and how far unsealing is.",
        )
        .unauthenticated()
        .read::<ReadSealStatus>(),
        path(
            "health",
            "How the server is; the status code tells load balancers.",
        )
        .unauthenticated()
        .root_only()
        .read::<ReadHealth>(),
        path("leader", "Which node is active.")
            .unauthenticated()
            .read::<ReadLeader>(),
        path(
            "seal-backend-status",
            "Whether the systems that the seal needs can be reached.",
        )
        .unauthenticated()
        .read::<ReadSealBackends>(),
    ])
}

/// Answers whether the server is sealed.
#[derive(Deserialize, JsonSchema)]
struct ReadSealStatus {}

impl Handle<Kernel> for ReadSealStatus {
    type Reply = Reply;

    async fn handle(self, kernel: &Kernel, _: &Ctx) -> Result<Reply, Fault> {
        seal_status(kernel).await
    }
}

/// Answers whether the systems that the seal needs can be reached. Shamir's shares need none.
#[derive(Deserialize, JsonSchema)]
struct ReadSealBackends {}

impl Handle<Kernel> for ReadSealBackends {
    type Reply = Reply;

    async fn handle(self, kernel: &Kernel, _: &Ctx) -> Result<Reply, Fault> {
        let book = &kernel.settings.seals;
        let stanzas = book.all();
        let situation = Keeping::of(kernel).situation().await?;
        let lost = match &situation {
            Situation::Lost { kept_by, .. } => kept_by.as_slice(),
            _ => &[],
        };
        if stanzas.is_empty() && lost.is_empty() {
            return Reply::bare(&json!({
                "healthy": true,
                "backends": [{ "name": "shamir", "healthy": true }],
            }));
        }
        let copies = Keeping::of(kernel).copies().await?;
        let configured = stanzas.iter().map(|stanza| {
            let health = book.health(&stanza.name);
            Backend {
                name: stanza.name.clone(),
                kind: stanza.kind().to_owned(),
                configured: true,
                disabled: stanza.disabled,
                wrapped: copies.iter().any(|copy| copy.name == stanza.name),
                healthy: health.is_healthy(),
                unhealthy_since: health.failing_since.map(Timestamp::whole_seconds),
            }
        });
        let gone = lost.iter().map(|(name, kind)| Backend {
            name: name.clone(),
            kind: kind.clone(),
            configured: false,
            disabled: false,
            wrapped: true,
            healthy: false,
            unhealthy_since: None,
        });
        let backends: Vec<_> = configured.chain(gone).collect();
        let used = || backends.iter().filter(|backend| !backend.disabled);
        let since = used().filter_map(|backend| backend.unhealthy_since).min();
        Reply::bare(&Backends {
            healthy: used().all(|backend| backend.healthy),
            unhealthy_since: since,
            fully_wrapped: lost.is_empty() && used().all(|backend| backend.wrapped),
            backends,
        })
    }
}

#[derive(Serialize)]
struct Backends {
    healthy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unhealthy_since: Option<Timestamp>,
    fully_wrapped: bool,
    backends: Vec<Backend>,
}

/// One seal, for probes that have no token: no reasons, no keys.
#[derive(Serialize)]
struct Backend {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    configured: bool,
    disabled: bool,
    /// Whether there is a copy of the root key by it.
    wrapped: bool,
    healthy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unhealthy_since: Option<Timestamp>,
}

#[derive(Serialize)]
struct SealStatus {
    #[serde(rename = "type")]
    kind: String,
    initialized: bool,
    sealed: bool,
    t: u8,
    n: u8,
    progress: usize,
    nonce: String,
    version: String,
    build_date: String,
    commit_date: String,
    migration: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    cluster_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    cluster_id: String,
    recovery_seal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_seal_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    break_glass: Option<BreakGlassStatus>,
    storage_type: String,
}

/// That there are break-glass shares, and how far unsealing by them is.
#[derive(Serialize)]
struct BreakGlassStatus {
    t: u8,
    n: u8,
    progress: usize,
}

/// The state of the seal, as `sys/seal-status` and `sys/unseal` answer it.
pub(super) async fn seal_status(kernel: &Kernel) -> Result<Reply, Fault> {
    let situation = Keeping::of(kernel).situation().await?;
    let config = situation.counts();
    let cluster = kernel.cluster().await;
    let (progress, nonce) = {
        let unseal = kernel.attempts.unseal.lock();
        (unseal.count(), unseal.nonce().to_owned())
    };
    let recovers = has_recovery_keys(kernel, &situation);
    Reply::bare(&SealStatus {
        kind: kind(kernel, &situation),
        initialized: config.is_some(),
        sealed: cluster.is_none(),
        t: config.map_or(0, |config| config.secret_threshold),
        n: config.map_or(0, |config| config.secret_shares),
        progress,
        nonce,
        version: kernel.settings.version.clone(),
        build_date: kernel.settings.build_date.clone(),
        commit_date: kernel.settings.build_date.clone(),
        migration: situation.is_migration(),
        cluster_name: cluster
            .as_ref()
            .map(|cluster| cluster.name.clone())
            .unwrap_or_default(),
        cluster_id: cluster.map(|cluster| cluster.id).unwrap_or_default(),
        recovery_seal: recovers,
        recovery_seal_type: recovers.then_some(SHAMIR),
        break_glass: break_glass(kernel).await?,
        storage_type: kernel.settings.storage_type.clone(),
    })
}

/// The word for the seal: that of the keeper which is asked first, and of a move that is wanted where it leads to.
fn kind(kernel: &Kernel, situation: &Situation) -> String {
    let first = kernel.settings.seals.enabled();
    let first = first.first().map_or(SHAMIR, |stanza| stanza.kind());
    let kind = match situation {
        Situation::Shares(_) | Situation::ToShares { .. } => SHAMIR,
        Situation::Kept { by, .. } => by.first().map_or(first, |(stanza, _)| stanza.kind()),
        Situation::Lost { kept_by, .. } => kept_by.first().map_or(first, |(_, kind)| kind),
        _ => first,
    };
    kind.to_owned()
}

/// Whether what people hold are recovery keys; of a new server, whether it will be.
fn has_recovery_keys(kernel: &Kernel, situation: &Situation) -> bool {
    match situation {
        Situation::New => !kernel.settings.seals.enabled().is_empty(),
        other => other.has_recovery_keys(),
    }
}

async fn break_glass(kernel: &Kernel) -> Result<Option<BreakGlassStatus>, Fault> {
    let found = kernel.barrier.break_glass().await?;
    Ok(found.map(|found| BreakGlassStatus {
        t: found.config.secret_threshold,
        n: found.config.secret_shares,
        progress: kernel.attempts.break_glass.lock().count(),
    }))
}

/// Answers how the server is. Each `…code` parameter replaces the status of that state.
#[derive(Deserialize, JsonSchema)]
struct ReadHealth {
    /// Status when active.
    #[serde(default)]
    activecode: Option<Text>,
    /// Status when on standby.
    #[serde(default, rename = "standbycode")]
    _standbycode: Option<Text>,
    /// Status of a performance standby.
    #[serde(default, rename = "performancestandbycode")]
    _performancestandbycode: Option<Text>,
    /// Status of a disaster recovery secondary.
    #[serde(default, rename = "drsecondarycode")]
    _drsecondarycode: Option<Text>,
    /// Status when sealed.
    #[serde(default)]
    sealedcode: Option<Text>,
    /// Status when not initialised.
    #[serde(default)]
    uninitcode: Option<Text>,
    /// Status when removed from the cluster.
    #[serde(default, rename = "removedcode")]
    _removedcode: Option<Text>,
    /// Status when a standby does not reach the active node.
    #[serde(default, rename = "haunhealthycode")]
    _haunhealthycode: Option<Text>,
    /// A standby answers as if active.
    #[serde(default, rename = "standbyok")]
    _standbyok: Flag,
    /// A performance standby answers as if active.
    #[serde(default, rename = "perfstandbyok")]
    _perfstandbyok: Flag,
}

impl Handle<Kernel> for ReadHealth {
    type Reply = Reply;

    async fn handle(self, kernel: &Kernel, cx: &Ctx) -> Result<Reply, Fault> {
        let state = kernel.state();
        let (usual, asked) = match &*state {
            State::Uninitialised => (501, self.uninitcode),
            State::Sealed | State::Unsealing => (503, self.sealedcode),
            State::Active(_) => (200, self.activecode),
        };
        let status = match asked {
            None => usual,
            Some(text) => status_code(&text.0)?,
        };
        let active = matches!(&*state, State::Active(_));
        let mut body = json!({
            "initialized": !matches!(&*state, State::Uninitialised),
            "sealed": !active,
            "standby": !active,
            "performance_standby": false,
            "replication_performance_mode": if active { "disabled" } else { "unknown" },
            "replication_dr_mode": if active { "disabled" } else { "unknown" },
            "server_time_utc": cx.now.secs(),
            "version": kernel.settings.version,
            "enterprise": false,
        });
        if let (Some(cluster), Some(body)) = (kernel.cluster().await, body.as_object_mut()) {
            body.insert("cluster_name".into(), cluster.name.into());
            body.insert("cluster_id".into(), cluster.id.into());
        }
        Ok(Reply::bare(&body)?.status(status))
    }
}

fn status_code(text: &str) -> Result<u16, Fault> {
    let number = text.parse().ok().filter(|code| (100..=999).contains(code));
    number.ok_or_else(|| {
        Fault::Invalid(format!(
            "{text:?} is not a status code; give a number like 200"
        ))
    })
}

/// Answers which node is active.
#[derive(Deserialize, JsonSchema)]
struct ReadLeader {}

impl Handle<Kernel> for ReadLeader {
    type Reply = Reply;

    async fn handle(self, kernel: &Kernel, _: &Ctx) -> Result<Reply, Fault> {
        kernel.core()?;
        Reply::bare(&json!({
            "ha_enabled": false,
            "is_self": false,
            "active_time": "0001-01-01T00:00:00Z",
            "leader_address": "",
            "leader_cluster_address": "",
            "performance_standby": false,
            "performance_standby_last_remote_wal": 0,
        }))
    }
}

impl Kernel {
    /// Who this cluster is; known only while open.
    pub(crate) async fn cluster(&self) -> Option<Cluster> {
        let open = self.core().ok()?;
        open.barrier
            .view("core/")
            .get::<Cluster>("cluster")
            .await
            .ok()
            .flatten()
    }
}
