//! What operators ask about the server itself.

use coffer_barrier::Stored;
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use crate::open::Open;

/// How many versions are remembered.
const VERSIONS_MAX: usize = 1_000;
/// Where the versions that ran here are kept, below `core/`.
const VERSIONS: &str = "versions";

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("ha-status", "The nodes of this cluster.").read::<ReadNodes>(),
        path(
            "storage/raft/join",
            "Joins a cluster with integrated storage, which this server has none of.",
        )
        .unauthenticated()
        .root_only()
        .write::<JoinCluster>(),
        path("version-history", "The versions that ran here.").list::<ListVersions>(),
        path(
            "config/state/sanitized",
            "The configuration without anything secret.",
        )
        .root_only()
        .read::<ReadConfiguration>(),
        path(
            "config/reload/{subsystem}",
            "Parts of the configuration that can be read again.",
        )
        .root_only()
        .write::<ReloadConfiguration>(),
        path(
            "experiments",
            "Features that can be tried before they are finished.",
        )
        .read::<ReadExperiments>(),
        path(
            "replication/status",
            "The replication between clusters, which is off.",
        )
        .unauthenticated()
        .read::<ReadReplication>(),
        path(
            "replication/{sort}/status",
            "The replication between clusters, which is off.",
        )
        .unauthenticated()
        .read::<ReadReplicationSort>(),
    ])
}

/// Lists the nodes of this cluster.
#[derive(Deserialize, JsonSchema)]
struct ReadNodes {}

impl Handle<Open> for ReadNodes {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Reply::also_at_top(&json!({ "nodes": [{
            "hostname": hostname.trim(),
            "api_address": open.settings.api_addr,
            "cluster_address": "",
            "active_node": true,
            "last_echo": null,
            "version": open.settings.version,
        }] }))
    }
}

/// Is refused: the storage of this server is on one node.
#[derive(Deserialize, JsonSchema)]
struct JoinCluster {}

impl Handle<Open> for JoinCluster {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Err(Fault::invalid(
            "raft backend not in use: the storage of this server is on one node, which joins no cluster",
        ))
    }
}

/// When each version first ran here, as stored under `core/versions`.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Versions {
    seen: Vec<Seen>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Seen {
    version: String,
    build_date: String,
    installed: Timestamp,
}

impl Stored for Versions {}

/// Writes down that this version runs here, the first time it does.
pub(crate) async fn note_version(open: &Open) -> Result<(), Fault> {
    let version = &open.settings.version;
    let core = open.barrier.view("core/");
    let known = core.get::<Versions>(VERSIONS).await?.unwrap_or_default();
    if known.seen.iter().any(|seen| &seen.version == version) {
        return Ok(());
    }
    let note = |old: Option<Versions>| {
        let mut versions = old.unwrap_or_default();
        versions.seen.push(Seen {
            version: version.clone(),
            build_date: open.settings.build_date.clone(),
            installed: open.clock.now(),
        });
        let excess = versions.seen.len().saturating_sub(VERSIONS_MAX);
        versions.seen.drain(..excess);
        Ok::<_, Fault>((Some(versions), ()))
    };
    core.update(VERSIONS, note).await
}

/// Lists the versions that ran here, with the time each first did.
#[derive(Deserialize, JsonSchema)]
struct ListVersions {}

impl Handle<Open> for ListVersions {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let versions: Versions = open
            .barrier
            .view("core/")
            .get(VERSIONS)
            .await?
            .unwrap_or_default();
        let mut keys = Vec::new();
        let mut key_info = Map::new();
        let mut previous: Option<String> = None;
        for Seen {
            version,
            build_date,
            installed,
        } in versions.seen
        {
            let about = json!({
                "build_date": build_date,
                "previous_version": previous,
                "timestamp_installed": installed.whole_seconds(),
            });
            key_info.insert(version.clone(), about);
            keys.push(version.clone());
            previous = Some(version);
        }
        if keys.is_empty() {
            return Err(Fault::NotFound);
        }
        Reply::data(&json!({ "keys": keys, "key_info": key_info }))
    }
}

/// Shows the configuration that this server runs with, without anything secret.
#[derive(Deserialize, JsonSchema)]
struct ReadConfiguration {}

impl Handle<Open> for ReadConfiguration {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&open.settings.sanitized)
    }
}

/// Reads a part of the configuration again; none can be. Certificates, log level and audit files are read again on SIGHUP.
#[derive(Deserialize, JsonSchema)]
struct ReloadConfiguration {
    /// The part.
    #[serde(rename = "subsystem")]
    _subsystem: String,
}

impl Handle<Open> for ReloadConfiguration {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Err(Fault::UnsupportedPath)
    }
}

/// Shows the features that can be tried before they are finished; there are none.
#[derive(Deserialize, JsonSchema)]
struct ReadExperiments {}

impl Handle<Open> for ReadExperiments {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&json!({ "available_experiments": [], "enabled": [] }))
    }
}

/// Shows that clusters are not replicated.
#[derive(Deserialize, JsonSchema)]
struct ReadReplication {}

impl Handle<Open> for ReadReplication {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let off = json!({ "mode": "disabled" });
        Reply::data(&json!({ "mode": "disabled", "dr": off, "performance": off }))
    }
}

/// Shows that clusters are not replicated in one way.
#[derive(Deserialize, JsonSchema)]
struct ReadReplicationSort {
    /// `dr` or `performance`.
    sort: String,
}

impl Handle<Open> for ReadReplicationSort {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        match self.sort.as_str() {
            "dr" | "performance" => Reply::data(&json!({ "mode": "disabled" })),
            _ => Err(Fault::UnsupportedPath),
        }
    }
}
