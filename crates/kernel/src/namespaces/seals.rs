//! Namespaces with a seal of their own: their keys are in memory only while they are unsealed, whatever the server is.
//!
//! What is in such a namespace, and in those below it, is encrypted by its own key ring alone. Its record is its parent's.
//! See `docs/decisions/0015-namespace-seals.md`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coffer_barrier::{Barrier, Stored, View};
use coffer_engine::Fault;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::name::ID_CHARS;
use super::record::NamespaceRecord;
use crate::lifecycle::{Ceremonies, Progress};
use crate::{events, leases, tokens};

/// Where it is written down which namespaces have a seal, below `core/namespace/`.
const FOLDER: &str = "sealed/";

/// The seals of all namespaces that have one. Each costs a few hundred bytes of memory; namespaces without one cost nothing.
pub struct Seals {
    view: View,
    barrier: Arc<Barrier>,
    /// By the ids of their namespaces.
    all: RwLock<BTreeMap<String, Arc<Seal>>>,
}

/// The seal of one namespace.
pub struct Seal {
    /// The id of the namespace.
    pub id: String,
    /// Its path.
    pub path: String,
    /// Its keys.
    pub keys: Arc<Barrier>,
    /// Shares handed in so far.
    pub(crate) attempt: Mutex<Progress>,
    /// Its operators' attempts to change the unseal keys and to make a root token.
    pub(crate) ceremonies: Arc<Ceremonies>,
    /// Whether requests may come in. The keys may be there before, for what has to happen first.
    pub(super) entered: AtomicBool,
    /// Its keys are destroyed, and what they encrypted is being removed.
    pub(super) gone: AtomicBool,
    /// The turn to open it, to close it or to take it away, which one has at a time.
    door: Arc<Semaphore>,
}

/// What is stored about a namespace with a seal of its own, readable while that is sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SealRecord {
    /// Its path.
    path: String,
    /// What all paths of its part of the storage begin with.
    prefix: String,
    /// Its keys are destroyed, and what they encrypted is being removed.
    #[serde(default)]
    gone: bool,
}

impl Stored for SealRecord {}

impl SealRecord {
    pub(super) fn of(record: &NamespaceRecord) -> Self {
        Self {
            path: record.path.clone(),
            prefix: record.prefix(),
            gone: false,
        }
    }

    pub(super) fn gone(record: &NamespaceRecord) -> Self {
        Self {
            gone: true,
            ..Self::of(record)
        }
    }

    /// What the paths begin with that hold something of the namespace: its own part, what the stores that all
    /// namespaces share keep for it, and the records of the namespaces below. Ids of those begin with its own.
    pub(super) fn prefixes(&self, id: &str) -> Vec<String> {
        let mut all = vec![
            self.prefix.clone(),
            format!("core/namespace/path/{}", self.path),
        ];
        all.extend(tokens::kept_for(id));
        all.push(leases::kept_for(id));
        all.push(events::kept_for(id));
        all
    }
}

impl Seals {
    /// Reads which there are, and tells the barrier before anything else is read: all of them are sealed.
    pub(super) async fn load(barrier: &Arc<Barrier>) -> Result<Self, Fault> {
        let view = barrier.view("core/namespace/");
        let mut found = Vec::new();
        for id in view.list_all(FOLDER).await? {
            if let Some(record) = view.get::<SealRecord>(&sealed(&id)).await? {
                found.push((id, record));
            }
        }
        let parts: Vec<_> = found
            .iter()
            .map(|(id, record)| (keys_at(id), record.prefixes(id)))
            .collect();
        let keys = barrier.divide(&parts);
        let seals = found.into_iter().zip(keys).map(|((id, record), keys)| {
            keys.seal();
            let seal = Seal::new(id.clone(), record.path, keys);
            seal.gone.store(record.gone, Ordering::SeqCst);
            (id, Arc::new(seal))
        });
        Ok(Self {
            all: RwLock::new(seals.collect()),
            view,
            barrier: Arc::clone(barrier),
        })
    }

    /// The seal of the namespace with this id, if it has one of its own.
    pub fn own(&self, id: &str) -> Option<Arc<Seal>> {
        self.all.read().get(id).cloned()
    }

    /// The innermost namespace with a seal that this one is, or lies in.
    pub fn around(&self, id: &str) -> Option<Arc<Seal>> {
        let all = self.all.read();
        line(id).rev().find_map(|id| all.get(id)).cloned()
    }

    /// The outermost sealed namespace that this one is, or lies in; none if its records can be read. An id that no namespace
    /// has is not sealed.
    pub fn closed(&self, id: &str) -> Option<Arc<Seal>> {
        let all = self.all.read();
        let mut seals = line(id).filter_map(|id| all.get(id));
        seals.find(|seal| !seal.is_open()).cloned()
    }

    /// Refuses what is about a namespace that is sealed, or lies in a sealed one.
    pub fn refuse_closed(&self, id: &str) -> Result<(), Fault> {
        match self.closed(id) {
            None => Ok(()),
            Some(_) => Err(is_sealed()),
        }
    }

    /// Those that are open.
    pub fn open(&self) -> Vec<Arc<Seal>> {
        let all = self.all.read();
        all.values()
            .filter(|seal| seal.is_open())
            .cloned()
            .collect()
    }

    /// Those whose keys are destroyed.
    pub(super) fn gone(&self) -> Vec<Arc<Seal>> {
        let all = self.all.read();
        let gone = all.values().filter(|seal| seal.gone.load(Ordering::SeqCst));
        gone.cloned().collect()
    }

    /// The seal of this id and those of namespaces below.
    pub(super) fn with_inner(&self, id: &str) -> Vec<Arc<Seal>> {
        let all = self.all.read();
        let inner = all.values().filter(|seal| seal.id.starts_with(id));
        inner.cloned().collect()
    }

    /// A seal for a new namespace, with keys that are not stored yet.
    pub(super) fn prepare(&self, record: &NamespaceRecord) -> Arc<Seal> {
        let keys = Arc::new(self.barrier.part(&keys_at(&record.id)));
        Arc::new(Seal::new(record.id.clone(), record.path.clone(), keys))
    }

    /// Tells of the seal of a namespace that is stored: from here on it can be opened. The barrier knows the part before
    /// anything can be written there. Answers false, and does nothing, while another seal has its place.
    pub(super) fn announce(&self, seal: &Arc<Seal>, record: &NamespaceRecord) -> bool {
        let prefixes = SealRecord::of(record).prefixes(&seal.id);
        let added = self.barrier.add_part(&seal.keys, &prefixes);
        if added {
            self.all.write().insert(seal.id.clone(), Arc::clone(seal));
        }
        added
    }

    /// The outermost sealed namespace that a path leads into.
    pub fn closed_at(&self, path: &str) -> Option<Arc<Seal>> {
        let all = self.all.read();
        let closed = all.values().filter(|seal| !seal.is_open());
        let around = closed.filter(|seal| path.starts_with(&seal.path));
        around.min_by_key(|seal| seal.path.len()).cloned()
    }

    /// The outermost sealed namespace that this one is, or lies in, of those within `seal`.
    pub fn closed_within(&self, seal: &Seal, id: &str) -> Option<Arc<Seal>> {
        let all = self.all.read();
        let inner = line(id).filter(|id| id.len() > seal.id.len() && id.starts_with(&seal.id));
        let mut seals = inner.filter_map(|id| all.get(id));
        seals.find(|inner| !inner.is_open()).cloned()
    }

    /// The namespace is gone.
    pub(super) fn forget(&self, seal: &Seal) {
        self.all.write().remove(&seal.id);
        self.barrier.remove_part(&seal.keys);
    }

    /// Where it is written down, for changes.
    pub(super) fn view(&self) -> &View {
        &self.view
    }
}

impl Seal {
    fn new(id: String, path: String, keys: Arc<Barrier>) -> Self {
        Self {
            id,
            path,
            keys,
            attempt: Mutex::default(),
            ceremonies: Arc::default(),
            entered: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            door: Arc::new(Semaphore::new(1)),
        }
    }

    /// Whether it is unsealed. The namespaces around it may still be sealed.
    pub fn is_open(&self) -> bool {
        self.entered.load(Ordering::SeqCst)
    }

    /// What a namespace is called that is this one or lies in it, while it is sealed.
    pub fn shown(&self, id: &str) -> String {
        match self.id == id {
            true => self.path.clone(),
            false => format!("{}, in it namespace {id:?}", self.path),
        }
    }

    /// Waits for the turn to open it, to close it or to take it away; it ends with the value.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.door).acquire_owned().await.ok()
    }

    /// Lets no request in any more; whether it did before.
    pub(super) fn refuse(&self) -> bool {
        self.entered.swap(false, Ordering::SeqCst)
    }

    /// Forgets the keys and what operators have handed in.
    pub(super) fn close(&self) {
        self.refuse();
        self.keys.seal();
        self.attempt.lock().reset();
        self.ceremonies.clear();
    }
}

/// What everybody is told who asks something of a sealed namespace.
pub(crate) fn is_sealed() -> Fault {
    Fault::Unavailable("namespace is sealed".into())
}

/// Where the key material of a namespace is kept.
fn keys_at(id: &str) -> String {
    format!("core/namespace/keys/{id}/")
}

pub(super) fn sealed(id: &str) -> String {
    format!("{FOLDER}{id}")
}

/// The ids that an id begins with, itself the last.
fn line(id: &str) -> impl DoubleEndedIterator<Item = &str> {
    (1..=id.len() / ID_CHARS).filter_map(move |count| id.get(..count * ID_CHARS))
}
