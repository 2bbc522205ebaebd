//! The table of mounts and the search in it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;
use coffer_barrier::View;
use coffer_engine::{Answer, Class, Ctx, Fault, Miss, MountInfo, Mounted, Operation, Reply};
use coffer_wire::Verb;
use serde_json::{Map, Value};

use super::record::MountRecord;
use crate::lifecycle::doorstep;
use crate::observe::RouteMeters;
use crate::open::Open;
use crate::settings::Settings;
use crate::{identity, sys, tokens};

/// All mounts.
pub struct Mounts {
    pub(super) view: View,
    snapshot: ArcSwap<Snapshot>,
}

#[derive(Default)]
struct Snapshot {
    by_path: BTreeMap<String, Arc<Mount>>,
    /// By their paths without the trailing slash.
    by_prefix: HashMap<String, Arc<Mount>>,
    by_accessor: HashMap<String, Arc<Mount>>,
}

/// One mount.
pub struct Mount {
    /// What is stored about it.
    pub record: MountRecord,
    /// What its engine is told about it.
    pub info: Arc<MountInfo>,
    /// Its part of the storage.
    pub view: View,
    /// What answers.
    pub backend: Backend,
    /// It is being moved to another namespace and answers nothing meanwhile. Not stored: a crash leaves it where it was.
    pub moving: bool,
    /// How long it takes for requests.
    pub meters: Arc<RouteMeters>,
    /// Whether each token has a storage of its own here; every request asks.
    per_token: bool,
    /// Whether somebody can log in here by a role; every request asks.
    has_roles: bool,
}

/// What answers behind a mount.
pub enum Backend {
    /// An engine of the registry.
    Engine(Box<dyn Mounted>),
    /// The kernel's own paths below `sys/`.
    System,
    /// The kernel's own paths below `auth/token/`.
    Tokens,
    /// The kernel's own paths below `identity/`.
    Identity,
    /// The registry has no such engine (any more): the data is kept, requests are refused.
    Missing,
}

/// A path that was found in a mount.
pub use coffer_engine::Found;

impl Mounts {
    /// Reads all mounts of a namespace from its part of the storage.
    pub async fn load(space: &View, settings: &Settings) -> Result<Self, Fault> {
        let mounts = Self {
            view: space.sub("core/mount/"),
            snapshot: ArcSwap::default(),
        };
        let records = mounts.stored().await?.into_iter();
        let found: Vec<_> = records
            .map(|record| Arc::new(Mount::new(record, space, settings)))
            .collect();
        mounts.change(|all| {
            all.extend(
                found
                    .iter()
                    .map(|mount| (mount.record.path.clone(), Arc::clone(mount))),
            )
        });
        Ok(mounts)
    }

    /// The mount that a path belongs to: the longest prefix of whole segments.
    pub fn at(&self, path: &str) -> Option<Arc<Mount>> {
        let snapshot = self.snapshot.load();
        let slashes = path.match_indices('/').map(|(at, _)| at).rev();
        let mut ends = std::iter::once(path.len()).chain(slashes);
        ends.find_map(|end| snapshot.by_prefix.get(path.get(..end)?).cloned())
    }

    /// The mount with an accessor.
    pub fn by_accessor(&self, accessor: &str) -> Option<Arc<Mount>> {
        self.snapshot.load().by_accessor.get(accessor).cloned()
    }

    /// The mount exactly at a path with a trailing slash.
    pub fn exactly(&self, path: &str) -> Option<Arc<Mount>> {
        self.snapshot.load().by_path.get(path).cloned()
    }

    /// The mounts whose paths begin so, in order of their paths.
    pub fn below(&self, prefix: &str) -> Vec<Arc<Mount>> {
        let snapshot = self.snapshot.load();
        let from = snapshot.by_path.range(prefix.to_owned()..);
        from.take_while(|(path, _)| path.starts_with(prefix))
            .map(|(_, mount)| Arc::clone(mount))
            .collect()
    }

    /// The mount where each token has a storage of its own.
    pub fn per_token(&self) -> Option<Arc<Mount>> {
        let snapshot = self.snapshot.load();
        snapshot
            .by_path
            .values()
            .find(|mount| mount.per_token())
            .cloned()
    }

    /// All mounts of a class, in order of their paths.
    pub fn all(&self, class: Class) -> Vec<Arc<Mount>> {
        self.snapshot
            .load()
            .by_path
            .values()
            .filter(|mount| mount.record.class() == class)
            .cloned()
            .collect()
    }

    /// All mounts there are, in order of their paths.
    pub fn every(&self) -> Vec<Arc<Mount>> {
        self.snapshot.load().by_path.values().cloned().collect()
    }

    /// Puts a mount into the table, in the place of the one that it is another state of.
    pub(super) fn replace(&self, mount: &Arc<Mount>) {
        self.change(|all| {
            all.retain(|_, old| old.record.uuid != mount.record.uuid);
            all.insert(mount.record.path.clone(), Arc::clone(mount));
        });
    }

    /// Takes a mount out of the table.
    pub(super) fn remove(&self, uuid: &str) {
        self.change(|all| all.retain(|_, old| old.record.uuid != uuid));
    }

    /// The records in storage, which changes are decided on.
    pub(super) async fn stored(&self) -> Result<Vec<MountRecord>, Fault> {
        let mut records = Vec::new();
        let mut pages = self.view.pages::<MountRecord>("");
        while let Some(page) = pages.next().await? {
            records.extend(page.into_iter().map(|(_, record)| record));
        }
        Ok(records)
    }

    /// Swaps in a changed table.
    pub(super) fn change(&self, change: impl Fn(&mut BTreeMap<String, Arc<Mount>>)) {
        self.snapshot.rcu(|old| {
            let mut by_path = old.by_path.clone();
            change(&mut by_path);
            let by_accessor = by_path
                .values()
                .map(|mount| (mount.record.accessor.clone(), Arc::clone(mount)))
                .collect();
            let by_prefix = by_path
                .values()
                .map(|mount| {
                    let prefix = mount.record.path.trim_end_matches('/').to_owned();
                    (prefix, Arc::clone(mount))
                })
                .collect();
            Snapshot {
                by_path,
                by_prefix,
                by_accessor,
            }
        });
    }
}

impl Mount {
    /// Brings a mount to life; its data is in its namespace's part of the storage.
    pub fn new(record: MountRecord, space: &View, settings: &Settings) -> Self {
        let or = |ours: std::time::Duration, default| if ours.is_zero() { default } else { ours };
        let info = MountInfo {
            path: record.path.clone(),
            accessor: record.accessor.clone(),
            default_lease_ttl: or(record.tuning.default_lease_ttl, settings.default_lease_ttl),
            max_lease_ttl: or(record.tuning.max_lease_ttl, settings.max_lease_ttl),
            options: record.options.clone(),
        };
        let backend = match record.engine() {
            "system" => Backend::System,
            "token" => Backend::Tokens,
            "identity" => Backend::Identity,
            name => settings
                .kind(record.class(), name)
                .and_then(|kind| kind.make(&info))
                .map_or(Backend::Missing, Backend::Engine),
        };
        let view = space.sub(&format!("logical/{}/", record.uuid));
        Self {
            meters: settings.meters.route(&record.path),
            record,
            info: Arc::new(info),
            moving: false,
            view,
            per_token: matches!(&backend, Backend::Engine(engine) if engine.table().per_token),
            has_roles: matches!(&backend, Backend::Engine(engine) if engine.has_roles()),
            backend,
        }
    }

    /// The engine, where the registry still has one.
    pub fn engine(&self) -> Result<&dyn Mounted, Fault> {
        match &self.backend {
            Backend::Engine(engine) => Ok(engine.as_ref()),
            Backend::System | Backend::Tokens | Backend::Identity | Backend::Missing => {
                Err(Fault::UnsupportedPath)
            }
        }
    }

    /// The part of a path below this mount.
    pub fn tail<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(&self.record.path).unwrap_or_default()
    }

    /// The endpoint for a verb and the part of the path below this mount.
    pub fn find(&self, verb: Verb, tail: &str) -> Result<Found, Miss> {
        match &self.backend {
            Backend::Engine(engine) => engine.find(verb, tail),
            Backend::System => sys::routes().find(verb, tail),
            Backend::Tokens => tokens::routes().find(verb, tail),
            Backend::Identity => identity::routes().find(verb, tail),
            Backend::Missing => Err(Miss::Path),
        }
    }

    /// Whether what a write is about is there, where the path can tell.
    pub async fn exists(&self, open: &Open, found: &Found, cx: &Ctx) -> Result<bool, Fault> {
        let answer = match &self.backend {
            Backend::Engine(engine) => engine.exists(found, cx),
            Backend::System => sys::routes().exists(open, found, cx),
            Backend::Tokens => tokens::routes().exists(open, found, cx),
            Backend::Identity => identity::routes().exists(open, found, cx),
            Backend::Missing => None,
        };
        match answer {
            Some(answer) => answer.await,
            None => Ok(true),
        }
    }

    /// Whether somebody can log in here by a role.
    pub fn has_roles(&self) -> bool {
        self.has_roles
    }

    /// The role that a login is for, where the path can tell.
    pub async fn role(
        &self,
        found: &Found,
        cx: &Ctx,
        input: Map<String, Value>,
    ) -> Result<Option<String>, Fault> {
        let role = match &self.backend {
            Backend::Engine(engine) => engine.role(found, cx, input),
            Backend::System | Backend::Tokens | Backend::Identity | Backend::Missing => None,
        };
        match role {
            Some(role) => role.await,
            None => Ok(None),
        }
    }

    /// Runs the endpoint. Only [`crate::grant::Recorded`] calls this.
    pub(crate) fn call<'a>(
        &'a self,
        open: &'a Open,
        found: &Found,
        cx: &'a Ctx,
        input: Map<String, Value>,
    ) -> Answer<'a, Reply> {
        match &self.backend {
            Backend::Engine(engine) => engine.call(found, cx, input),
            Backend::System => sys::routes().call(open, found, cx, input),
            Backend::Tokens => tokens::routes().call(open, found, cx, input),
            Backend::Identity => identity::routes().call(open, found, cx, input),
            Backend::Missing => Box::pin(std::future::ready(Err(Fault::UnsupportedPath))),
        }
    }

    /// The operations behind this mount and its engine's help.
    pub fn operations(&self) -> (&'static str, Vec<Operation>) {
        match &self.backend {
            Backend::Engine(engine) => {
                let table = engine.table();
                (table.help, (table.operations)())
            }
            Backend::System => {
                let mut all = coffer_engine::operations(sys::routes());
                all.extend(doorstep::operations());
                ("The server's own paths.", all)
            }
            Backend::Tokens => (
                "Tokens: creating, looking up, renewing and revoking them.",
                coffer_engine::operations(tokens::routes()),
            ),
            Backend::Identity => (
                "Entities, their aliases and groups: who is behind tokens.",
                coffer_engine::operations(identity::routes()),
            ),
            Backend::Missing => (
                "This server has no engine for the type of this mount.",
                Vec::new(),
            ),
        }
    }

    /// Whether the kernel itself answers.
    pub fn is_kernels_own(&self) -> bool {
        matches!(
            self.backend,
            Backend::System | Backend::Tokens | Backend::Identity
        )
    }

    /// Whether each token has a storage of its own here.
    pub fn per_token(&self) -> bool {
        self.per_token
    }
}
