//! `sys/plugins`: the engines that can be mounted. All are built in, so the catalogue can be read and not be changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_engine::{Class, Ctx, Empty, Fault, Handle, Kind, MountInfo, Reply, Routes, path};
use coffer_wire::{CommaList, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::mounts::slashed;
use crate::mounts::{self, Mount};
use crate::open::Open;
use crate::settings::BUILT_IN_VERSION;

/// The database plugins that are part of the database engine.
const DATABASE_PLUGINS: [&str; 1] = ["postgresql-database-plugin"];
/// The engine that they are part of.
const DATABASE: &str = "database";
/// The types of plugins that clients know.
const TYPES: [&str; 3] = ["auth", "database", "secret"];
/// What a plugin's file must have, in hexadecimal digits.
const SHA256_DIGITS: usize = 64;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("plugins/catalog", "All engines that can be mounted.").read::<ReadCatalog>(),
        path("plugins/catalog/{type}", "Engines of one type.")
            .sudo()
            .list::<ListPlugins>()
            .read::<WithoutType>()
            .write::<RegisterOfAnyType>()
            .delete::<WithoutType>(),
        path("plugins/catalog/{type}/{name}", "One engine.")
            .sudo()
            .read::<ReadPlugin>()
            .write::<Register>()
            .delete::<Deregister>(),
        path(
            "plugins/pins",
            "Versions that plugins are held at; none are.",
        )
        .read::<ListPins>()
        .list::<ListPins>(),
        path(
            "plugins/pins/{type}/{name}",
            "The version that a plugin is held at.",
        )
        .sudo()
        .read::<ReadPin>()
        .write::<Pin>()
        .delete::<Unpin>(),
        path(
            "plugins/runtimes/catalog",
            "What could run programs of others; nothing does.",
        )
        .sudo()
        .read::<ListRuntimes>()
        .list::<ListRuntimes>(),
        path(
            "plugins/reload/backend",
            "Makes engines anew: by their type, or by where they are mounted.",
        )
        .write::<Reload>(),
        path(
            "plugins/reload/{type}/{name}",
            "Makes all engines of one kind anew.",
        )
        .write::<ReloadOfType>(),
    ])
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
        all.entry(word(kind.class)).or_default().push(kind.name);
    }
    let has_databases = all
        .get("secret")
        .is_some_and(|names| names.contains(&DATABASE));
    if has_databases {
        all.insert("database", DATABASE_PLUGINS.to_vec());
    }
    all.values_mut().for_each(|names| names.sort_unstable());
    all
}

/// The catalogue's word for a class.
fn word(class: Class) -> &'static str {
    match class {
        Class::Secret => "secret",
        Class::Auth => "auth",
    }
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
        if !TYPES.contains(&self.r#type.as_str()) {
            return Err(Fault::UnsupportedVerb);
        }
        let names = catalogue(open).remove(self.r#type.as_str());
        let names = names.unwrap_or_default();
        super::keys(names.iter().map(ToString::to_string).collect())
    }
}

/// Is refused: one plugin is named by its type and its name.
#[derive(Deserialize, JsonSchema)]
struct WithoutType {
    /// Its name.
    r#type: String,
}

impl Handle<Open> for WithoutType {
    type Reply = Empty;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Empty, Fault> {
        match TYPES.contains(&self.r#type.as_str()) {
            true => Err(Fault::UnsupportedVerb),
            false => Err(Fault::Missing(format!(
                "name the plugin's type, too: sys/plugins/catalog/TYPE/{} with one of {}",
                self.r#type,
                TYPES.join(", ")
            ))),
        }
    }
}

/// Shows one engine.
#[derive(Deserialize, JsonSchema)]
struct ReadPlugin {
    /// `secret`, `auth` or `database`.
    r#type: String,
    /// Its name.
    name: String,
    /// Its version.
    #[serde(default)]
    version: Text,
}

impl Handle<Open> for ReadPlugin {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let all = catalogue(open);
        let names = all.get(self.r#type.as_str()).ok_or(Fault::NotFound)?;
        let other = !matches!(self.version.0.as_str(), "" | BUILT_IN_VERSION);
        if !names.contains(&self.name.as_str()) || other {
            return Err(Fault::NotFound);
        }
        Reply::data(&json!({
            "args": null,
            "builtin": true,
            "command": "",
            "declarative": false,
            "deprecation_status": "supported",
            "name": self.name,
            "oci": false,
            "sha256": "",
            "version": BUILT_IN_VERSION,
        }))
    }
}

/// A program that shall be an engine.
#[derive(Deserialize, JsonSchema)]
struct Program {
    /// The file's hash.
    #[serde(default)]
    sha256: Text,
    /// The old name of `sha256`.
    #[serde(default)]
    sha_256: Text,
    /// The file.
    #[serde(default)]
    command: Text,
    /// Its arguments.
    #[serde(default, rename = "args")]
    _args: CommaList,
    /// Its environment.
    #[serde(default, rename = "env")]
    _env: CommaList,
    /// Its version.
    #[serde(default, rename = "version")]
    _version: Text,
}

impl Program {
    /// Says what is wrong with the request first, then that it is in vain.
    fn refused(&self) -> Fault {
        let sum = match self.sha256.0.as_str() {
            "" => &self.sha_256.0,
            sum => sum,
        };
        if sum.is_empty() {
            return Fault::invalid("missing SHA-256 value");
        }
        if self.command.0.is_empty() {
            return Fault::invalid("missing command value");
        }
        if sum.len() != SHA256_DIGITS || hex::decode(sum).is_err() {
            return Fault::invalid("could not decode SHA-256 value from hex; it has 64 digits");
        }
        Fault::invalid(
            "could not set plugin: this server runs no programs of others, its engines are built in (see sys/plugins/catalog)",
        )
    }
}

/// Is refused: this server runs no programs of others.
#[derive(Deserialize, JsonSchema)]
struct Register {
    /// Its type.
    #[serde(rename = "type")]
    _type: String,
    /// Its name.
    #[serde(rename = "name")]
    _name: String,
    /// What it is.
    #[serde(flatten)]
    program: Program,
}

/// Is refused: this server runs no programs of others.
#[derive(Deserialize, JsonSchema)]
struct RegisterOfAnyType {
    /// Its name.
    #[serde(rename = "type")]
    _name: String,
    /// What it is.
    #[serde(flatten)]
    program: Program,
}

impl Handle<Open> for Register {
    type Reply = Empty;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Empty, Fault> {
        Err(self.program.refused())
    }
}

impl Handle<Open> for RegisterOfAnyType {
    type Reply = Empty;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Empty, Fault> {
        Err(self.program.refused())
    }
}

/// Takes a registered program out of the catalogue; there are none, and what is built in stays.
#[derive(Deserialize, JsonSchema)]
struct Deregister {
    /// Its type.
    r#type: String,
    /// Its name.
    name: String,
}

impl Handle<Open> for Deregister {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        if !TYPES.contains(&self.r#type.as_str()) {
            return Err(Fault::Missing(format!(
                "{:?} is no type of plugin; use one of {}",
                self.r#type,
                TYPES.join(", ")
            )));
        }
        let all = catalogue(open);
        let of_type = all.get(self.r#type.as_str());
        match of_type.is_some_and(|names| names.contains(&self.name.as_str())) {
            true => Err(Fault::Invalid(format!(
                "{:?} is built in and cannot be taken out of the catalogue",
                self.name
            ))),
            false => Ok(Empty),
        }
    }
}

/// Lists the versions that plugins are held at: what is built in has the version of the server.
#[derive(Deserialize, JsonSchema)]
struct ListPins {}

impl Handle<Open> for ListPins {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&json!({ "pinned_versions": [] }))
    }
}

/// Shows the version that a plugin is held at; none is.
#[derive(Deserialize, JsonSchema)]
struct ReadPin {
    /// Its type.
    #[serde(rename = "type")]
    _type: String,
    /// Its name.
    #[serde(rename = "name")]
    _name: String,
}

impl Handle<Open> for ReadPin {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Err(Fault::NotFound)
    }
}

/// Is refused: what is built in has one version.
#[derive(Deserialize, JsonSchema)]
struct Pin {
    /// Its type.
    #[serde(rename = "type")]
    _type: String,
    /// Its name.
    #[serde(rename = "name")]
    _name: String,
    /// The version.
    #[serde(default)]
    version: Text,
}

impl Handle<Open> for Pin {
    type Reply = Empty;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Empty, Fault> {
        Err(Fault::Invalid(format!(
            "cannot hold a plugin at version {:?}: all engines are built in and have the version of the server",
            self.version.0
        )))
    }
}

/// Lets a plugin have any version; none is held at one.
#[derive(Deserialize, JsonSchema)]
struct Unpin {
    /// Its type.
    #[serde(rename = "type")]
    _type: String,
    /// Its name.
    #[serde(rename = "name")]
    _name: String,
}

impl Handle<Open> for Unpin {
    type Reply = Empty;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Empty, Fault> {
        Ok(Empty)
    }
}

/// Lists what could run programs of others: nothing does, as all engines are built in.
#[derive(Deserialize, JsonSchema)]
struct ListRuntimes {}

impl Handle<Open> for ListRuntimes {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&json!({ "runtimes": [] }))
    }
}

/// Makes engines anew: what they hold in memory (connections, caches) is let go, what is stored stays.
#[derive(Deserialize, JsonSchema)]
struct Reload {
    /// The kind of engines.
    #[serde(default)]
    plugin: Text,
    /// Where they are mounted.
    #[serde(default)]
    mounts: CommaList,
    /// Empty or `global`, which mean the same on a single node.
    #[serde(default)]
    scope: Text,
}

impl Handle<Open> for Reload {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        refuse_scope(&self.scope)?;
        let found = match (self.plugin.0.as_str(), self.mounts.0.as_slice()) {
            ("", []) => return Err(Fault::invalid("plugin or mounts must be provided")),
            ("", paths) => at(open, paths)?,
            (plugin, []) => {
                let known = catalogue(open);
                let mut names = known.values().flatten();
                if !names.any(|name| *name == plugin) {
                    return Err(Fault::Invalid(format!(
                        "plugin not found in the catalog: {plugin:?}"
                    )));
                }
                running(open, plugin, None)
            }
            _ => {
                return Err(Fault::invalid(
                    "plugin and mounts cannot be set at the same time",
                ));
            }
        };
        reload(open, cx, &found)
    }
}

/// Makes all engines of one kind anew: what they hold in memory (connections, caches) is let go.
#[derive(Deserialize, JsonSchema)]
struct ReloadOfType {
    /// `secret`, `auth` or `database`.
    r#type: String,
    /// The kind of engines.
    name: String,
    /// Empty or `global`, which mean the same on a single node.
    #[serde(default)]
    scope: Text,
}

impl Handle<Open> for ReloadOfType {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        refuse_scope(&self.scope)?;
        let known = catalogue(open);
        let of_type = known.get(self.r#type.as_str());
        if !of_type.is_some_and(|names| names.contains(&self.name.as_str())) {
            return Err(Fault::Invalid(format!(
                "plugin not found in the catalog: {:?} of type {:?}",
                self.name, self.r#type
            )));
        }
        reload(open, cx, &running(open, &self.name, Some(&self.r#type)))
    }
}

fn refuse_scope(scope: &Text) -> Result<(), Fault> {
    match scope.0.as_str() {
        "" | "global" => Ok(()),
        _ => Err(Fault::invalid("scope must be unset or \"global\"")),
    }
}

/// The mounts at these paths; refused unless all are there and can be made anew.
fn at(open: &Open, paths: &[String]) -> Result<Vec<Arc<Mount>>, Fault> {
    let found = paths.iter().map(|path| {
        let path = slashed(path);
        let mount = open.space.mounts.exactly(&path);
        let mount =
            mount.ok_or_else(|| Fault::Invalid(format!("cannot fetch mount entry on {path:?}")))?;
        match mount.is_kernels_own() || mount.per_token() {
            true => Err(Fault::Invalid(format!(
                "cannot reload plugin on {path:?}: it is a part of the server"
            ))),
            false => Ok(mount),
        }
    });
    found.collect()
}

/// The mounts of this namespace whose engine is of a kind. A database plugin is a part of the database engine.
fn running(open: &Open, plugin: &str, of_type: Option<&str>) -> Vec<Arc<Mount>> {
    let (plugin, of_type) = match DATABASE_PLUGINS.contains(&plugin) {
        true => (DATABASE, Some("secret")),
        false => (plugin, of_type),
    };
    let mut mounts = open.space.mounts.every();
    mounts.retain(|mount| {
        let of_type = of_type.is_none_or(|kind| kind == word(mount.record.class()));
        of_type && mount.record.kind == plugin && !mount.record.tainted
    });
    mounts
}

fn reload(open: &Open, cx: &Ctx, found: &[Arc<Mount>]) -> Result<Reply, Fault> {
    for mount in found {
        mounts::reload(open, mount);
        tracing::info!(mount = mount.record.path, "an engine was made anew");
    }
    Reply::data(&json!({ "reload_id": cx.random.uuid_v4() }))
}
