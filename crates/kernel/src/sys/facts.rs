//! What operators ask about the server itself.

use std::collections::BTreeMap;

use coffer_barrier::Stored;
use coffer_engine::{Class, Ctx, Fault, Handle, Kind, MountInfo, Reply, Routes, path};
use coffer_wire::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::open::Open;
use crate::settings::BUILT_IN_VERSION;

/// How many versions are remembered.
const VERSIONS_MAX: usize = 1_000;
/// Where the versions that ran here are kept, below `core/`.
const VERSIONS: &str = "versions";
/// The database plugins that are part of the database engine.
const DATABASE_PLUGINS: [&str; 1] = ["postgresql-database-plugin"];

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("ha-status", "The nodes of this cluster.").read::<ReadNodes>(),
        path("version-history", "The versions that ran here.").list::<ListVersions>(),
        path(
            "config/state/sanitized",
            "The configuration without anything secret.",
        )
        .root_only()
        .read::<ReadConfiguration>(),
        path("config/cors", "Requests from pages of other origins.")
            .root_only()
            .sudo()
            .read::<ReadCors>(),
        path("plugins/catalog", "All engines that can be mounted.").read::<ReadCatalog>(),
        path("plugins/catalog/{type}", "Engines of one type.")
            .sudo()
            .list::<ListPlugins>(),
        path("plugins/catalog/{type}/{name}", "One engine.")
            .sudo()
            .read::<ReadPlugin>(),
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

/// Shows whether pages of other origins may use this server from a browser. They may not.
#[derive(Deserialize, JsonSchema)]
struct ReadCors {}

impl Handle<Open> for ReadCors {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::also_at_top(&json!({ "enabled": false }))
    }
}

/// The names of all engines, by the catalogue's word for their type.
fn catalogue(open: &Open) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut all: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    // An engine whose storage belongs to tokens is there once, from the start.
    let mountable = |kind: &&Kind| {
        let engine = kind.make(&MountInfo::default());
        engine.is_none_or(|engine| !engine.table().per_token)
    };
    for kind in open.settings.kinds.iter().filter(mountable) {
        let word = match kind.class {
            Class::Secret => "secret",
            Class::Auth => "auth",
        };
        all.entry(word).or_default().push(kind.name);
    }
    let has_databases = all
        .get("secret")
        .is_some_and(|names| names.contains(&"database"));
    if has_databases {
        all.insert("database", DATABASE_PLUGINS.to_vec());
    }
    all.values_mut().for_each(|names| names.sort_unstable());
    all
}

/// Lists all engines that can be mounted. Every one is built in.
#[derive(Deserialize, JsonSchema)]
struct ReadCatalog {}

impl Handle<Open> for ReadCatalog {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let all = catalogue(open);
        let detailed: Vec<Value> = all
            .iter()
            .flat_map(|(kind, names)| names.iter().map(move |name| (kind, name)))
            .map(|(kind, name)| {
                json!({
                    "builtin": true,
                    "deprecation_status": "supported",
                    "name": name,
                    "type": kind,
                    "version": BUILT_IN_VERSION,
                })
            })
            .collect();
        let mut shown = json!(all);
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("detailed".into(), detailed.into());
        }
        Reply::data(&shown)
    }
}

/// Lists the engines of one type.
#[derive(Deserialize, JsonSchema)]
struct ListPlugins {
    /// `secret`, `auth` or `database`.
    r#type: String,
}

impl Handle<Open> for ListPlugins {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let all = catalogue(open);
        let names = all.get(self.r#type.as_str()).ok_or(Fault::NotFound)?;
        super::keys(names.iter().map(ToString::to_string).collect())
    }
}

/// Shows one engine.
#[derive(Deserialize, JsonSchema)]
struct ReadPlugin {
    /// `secret`, `auth` or `database`.
    r#type: String,
    /// Its name.
    name: String,
}

impl Handle<Open> for ReadPlugin {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let all = catalogue(open);
        let names = all.get(self.r#type.as_str()).ok_or(Fault::NotFound)?;
        if !names.contains(&self.name.as_str()) {
            return Err(Fault::NotFound);
        }
        Reply::data(&json!({
            "args": null,
            "builtin": true,
            "command": "",
            "deprecation_status": "supported",
            "name": self.name,
            "sha256": "",
            "version": BUILT_IN_VERSION,
        }))
    }
}
