//! Engines with their types erased: what the registry lists and the kernel mounts.

use std::sync::Arc;
use std::time::Duration;

use coffer_wire::{Timestamp, Verb};
use serde_json::{Map, Value};

use crate::lease::{NewLease, Renewal};
use crate::router::{Found, Miss};
use crate::{Answer, Ctx, Engine, MountInfo, Reply, Routes, Stay};

/// Secrets engine or auth method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Mounted anywhere.
    Secret,
    /// Mounted below `auth/`.
    Auth,
}

/// One entry of the registry: a type name, and the engine for each version of it.
pub struct Kind {
    /// The type name operators mount it by.
    pub name: &'static str,
    /// Where it may be mounted.
    pub class: Class,
    /// [`Engine::LOCKS_OUT`].
    pub locks_out: bool,
    versions: Vec<Version>,
}

struct Version {
    name: Option<&'static str>,
    make: Make,
    faults: Vec<String>,
}

type Make = Box<dyn Fn(&MountInfo) -> Box<dyn Mounted> + Send + Sync>;

impl Kind {
    /// A type with a single version.
    pub fn new<E: Engine>(class: Class) -> Self {
        Self {
            name: E::NAME,
            class,
            locks_out: E::LOCKS_OUT,
            versions: vec![version::<E>(None)],
        }
    }

    /// A type whose engine is chosen by the mount option `version`; the first is the default.
    pub fn versioned<E: Engine>(class: Class, name: &'static str) -> Self {
        Self {
            name: E::NAME,
            class,
            locks_out: E::LOCKS_OUT,
            versions: vec![version::<E>(Some(name))],
        }
    }

    /// One more version.
    pub fn or<E: Engine>(mut self, name: &'static str) -> Self {
        self.versions.push(version::<E>(Some(name)));
        self
    }

    /// The same under another name that operators know it by.
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The engine of one mount; none where the option `version` names none.
    pub fn make(&self, mount: &MountInfo) -> Option<Box<dyn Mounted>> {
        let asked = mount
            .options
            .get("version")
            .map(String::as_str)
            .filter(|text| !text.is_empty());
        let found = match asked {
            Some(asked) if self.versions.iter().any(|v| v.name.is_some()) => {
                self.versions.iter().find(|v| v.name == Some(asked))
            }
            _ => self.versions.first(),
        };
        found.map(|version| (version.make)(mount))
    }

    /// The names of its versions, if it has any.
    pub fn versions(&self) -> impl Iterator<Item = &'static str> {
        self.versions.iter().filter_map(|version| version.name)
    }

    /// Faults of its tables; a server with such a registry refuses to start.
    pub fn faults(&self) -> Vec<String> {
        self.versions
            .iter()
            .flat_map(|version| &version.faults)
            .map(|fault| format!("{}: {fault}", self.name))
            .collect()
    }
}

/// All mounts of a type share one table.
fn version<E: Engine>(name: Option<&'static str>) -> Version {
    let routes = Arc::new(E::routes());
    Version {
        name,
        faults: routes.faults().to_vec(),
        make: Box::new(move |mount| {
            let routes = Arc::clone(&routes);
            Box::new(Live {
                engine: E::new(mount),
                routes,
            })
        }),
    }
}

/// What the kernel asks of a mounted engine, whatever its type.
pub trait Mounted: Send + Sync {
    /// Names, help and documents.
    fn table(&self) -> Table<'_>;
    /// See [`Routes::find`].
    fn find(&self, verb: Verb, tail: &str) -> Result<Found, Miss>;
    /// See [`Routes::exists`].
    fn exists<'a>(&'a self, found: &Found, cx: &'a Ctx) -> Option<Answer<'a, bool>>;
    /// See [`Routes::has_roles`].
    fn has_roles(&self) -> bool;
    /// See [`Routes::role`].
    fn role<'a>(
        &'a self,
        found: &Found,
        cx: &'a Ctx,
        input: Map<String, Value>,
    ) -> Option<Answer<'a, Option<String>>>;
    /// See [`Routes::call`].
    fn call<'a>(
        &'a self,
        found: &Found,
        cx: &'a Ctx,
        input: Map<String, Value>,
    ) -> Answer<'a, Reply>;
    /// See [`Routes::renew`].
    fn renew<'a>(&'a self, cx: &'a Ctx, lease: NewLease, ask: &'a Renewal)
    -> Answer<'a, Timestamp>;
    /// See [`Routes::stay`].
    fn stay<'a>(&'a self, cx: &'a Ctx, payload: Value) -> Option<Answer<'a, Stay>>;
    /// See [`Routes::revoke`].
    fn revoke<'a>(&'a self, cx: &'a Ctx, lease: NewLease) -> Answer<'a, ()>;
    /// See [`Engine::begin`].
    fn begin<'a>(&'a self, cx: &'a Ctx, from: Option<&'a str>) -> Answer<'a, ()>;
    /// See [`Engine::count`].
    fn count<'a>(&'a self, cx: &'a Ctx) -> Answer<'a, Option<u64>>;
    /// See [`Engine::tick`].
    fn tick<'a>(&'a self, cx: &'a Ctx) -> Answer<'a, ()>;
}

/// The facts about an engine that documents and the kernel's clockwork need.
pub struct Table<'a> {
    /// [`Engine::NAME`].
    pub name: &'static str,
    /// [`Engine::HELP`].
    pub help: &'static str,
    /// [`Engine::PER_TOKEN`].
    pub per_token: bool,
    /// [`Engine::TICK`].
    pub tick: Option<Duration>,
    /// One description per path and verb.
    pub operations: Box<dyn Fn() -> Vec<crate::openapi::Operation> + 'a>,
}

/// An engine with its table.
pub struct Live<E> {
    engine: E,
    routes: Arc<Routes<E>>,
}

impl<E: Engine> Live<E> {
    /// Puts an engine beside its table.
    pub fn new(engine: E) -> Self {
        Self {
            engine,
            routes: Arc::new(E::routes()),
        }
    }
}

impl<E: Engine> Mounted for Live<E> {
    fn table(&self) -> Table<'_> {
        Table {
            name: E::NAME,
            help: E::HELP,
            per_token: E::PER_TOKEN,
            tick: crate::routes::tick_of::<E>(),
            operations: Box::new(|| crate::openapi::operations(&self.routes)),
        }
    }

    fn find(&self, verb: Verb, tail: &str) -> Result<Found, Miss> {
        self.routes.find(verb, tail)
    }

    fn exists<'a>(&'a self, found: &Found, cx: &'a Ctx) -> Option<Answer<'a, bool>> {
        self.routes.exists(&self.engine, found, cx)
    }

    fn has_roles(&self) -> bool {
        self.routes.has_roles()
    }

    fn role<'a>(
        &'a self,
        found: &Found,
        cx: &'a Ctx,
        input: Map<String, Value>,
    ) -> Option<Answer<'a, Option<String>>> {
        self.routes.role(&self.engine, found, cx, input)
    }

    fn call<'a>(
        &'a self,
        found: &Found,
        cx: &'a Ctx,
        input: Map<String, Value>,
    ) -> Answer<'a, Reply> {
        self.routes.call(&self.engine, found, cx, input)
    }

    fn renew<'a>(
        &'a self,
        cx: &'a Ctx,
        lease: NewLease,
        ask: &'a Renewal,
    ) -> Answer<'a, Timestamp> {
        self.routes.renew(&self.engine, cx, lease, ask)
    }

    fn stay<'a>(&'a self, cx: &'a Ctx, payload: Value) -> Option<Answer<'a, Stay>> {
        self.routes.stay(&self.engine, cx, payload)
    }

    fn revoke<'a>(&'a self, cx: &'a Ctx, lease: NewLease) -> Answer<'a, ()> {
        self.routes.revoke(&self.engine, cx, lease)
    }

    fn begin<'a>(&'a self, cx: &'a Ctx, from: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(self.engine.begin(cx, from))
    }

    fn count<'a>(&'a self, cx: &'a Ctx) -> Answer<'a, Option<u64>> {
        Box::pin(self.engine.count(cx))
    }

    fn tick<'a>(&'a self, cx: &'a Ctx) -> Answer<'a, ()> {
        Box::pin(self.engine.tick(cx))
    }
}
