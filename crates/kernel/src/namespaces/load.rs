//! Finding a namespace, and keeping what was found in memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use coffer_barrier::{Barrier, Error, Stored, View};
use coffer_engine::Fault;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::name::{NamespacePath, is_id};
use super::record::NamespaceRecord;
use super::seals::{Seals, is_sealed};
use super::space::Space;
use crate::settings::Settings;

/// How many namespaces besides the root are in memory; those in use may be more.
const MAX_LOADED: usize = 10_000;
/// How many are forgotten at once when there are too many.
const FORGOTTEN_AT_ONCE: usize = 1_000;

/// All namespaces. In memory are the root and those that were asked for lately.
pub struct Namespaces {
    pub(super) view: View,
    /// The namespaces with a seal of their own.
    pub seals: Seals,
    barrier: Arc<Barrier>,
    settings: Arc<Settings>,
    root: Arc<Space>,
    loaded: Mutex<Loaded>,
    /// Ids of namespaces with periodic work, or with something being taken away.
    care: Mutex<BTreeSet<String>>,
}

/// Several who ask at once get one and the same value: changes are made on it.
type Slot = Arc<OnceCell<Arc<Space>>>;

#[derive(Default)]
struct Loaded {
    by_path: HashMap<String, Slot>,
    /// The paths of those that have been read.
    paths: HashMap<String, String>,
}

/// What is stored under an id.
#[derive(Serialize, Deserialize)]
pub(super) struct Place {
    pub path: String,
}

impl Stored for Place {}

impl Namespaces {
    /// Reads the root and the list of those with a seal of their own, and nothing else, however many there are.
    pub async fn load(barrier: &Arc<Barrier>, settings: &Arc<Settings>) -> Result<Self, Fault> {
        let seals = Seals::load(barrier).await?;
        let view = barrier.view("core/namespace/");
        let root = NamespaceRecord::default();
        let care = view.list_all("care/").await?;
        Ok(Self {
            root: Space::load(root, None, barrier, settings).await?,
            view,
            seals,
            barrier: Arc::clone(barrier),
            settings: Arc::clone(settings),
            loaded: Mutex::default(),
            care: Mutex::new(care.into_iter().collect()),
        })
    }

    /// The root.
    pub fn root(&self) -> Arc<Space> {
        Arc::clone(&self.root)
    }

    /// The namespace at a path, also one that is being taken away.
    pub async fn at(&self, path: &NamespacePath) -> Result<Option<Arc<Space>>, Fault> {
        if let Some(known) = self.known(path.as_str()) {
            return Ok(Some(known));
        }
        let mut space = self.root();
        for name in path.segments() {
            match self.child(&space, name).await? {
                Some(child) => space = child,
                None => return Ok(None),
            }
        }
        Ok(Some(space))
    }

    /// The namespace of a name directly below another.
    pub async fn child(&self, of: &Arc<Space>, name: &str) -> Result<Option<Arc<Space>>, Fault> {
        let path = format!("{}{name}/", of.path);
        if let Some(known) = self.known(&path) {
            return Ok(Some(known));
        }
        if NamespacePath::parse(&path).is_none_or(|clean| clean.as_str() != path) {
            return Ok(None);
        }
        match self.record(&path).await? {
            None => return Ok(None),
            Some(record) => self.refuse_closed(&record)?,
        }
        let slot = self.slot(&path);
        // Read once more: whoever takes the namespace away takes the slot away after the record.
        let load = || async {
            self.refuse_stale(of)?;
            let record = self.record(&path).await?.ok_or(Fault::NotFound)?;
            Space::load(record, Some(Arc::clone(of)), &self.barrier, &self.settings).await
        };
        match slot.get_or_try_init(load).await {
            Ok(space) => {
                let mut loaded = self.loaded.lock();
                if loaded.by_path.contains_key(&path) {
                    loaded.paths.insert(space.id.clone(), path);
                }
                Ok(Some(Arc::clone(space)))
            }
            Err(Fault::NotFound) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Refuses a namespace that is no longer the one in memory, because it was sealed since or is gone: what is loaded into
    /// it would see its rights as they were.
    fn refuse_stale(&self, space: &Arc<Space>) -> Result<(), Fault> {
        match self.known(&space.path) {
            Some(known) if Arc::ptr_eq(&known, space) => Ok(()),
            _ => Err(is_sealed()),
        }
    }

    /// Whether no namespace has this id any more, sealed or not.
    pub async fn is_gone(&self, id: &str) -> Result<bool, Fault> {
        if id.is_empty() || self.seals.around(id).is_some() {
            return Ok(false);
        }
        Ok(self.view.get::<Place>(&by_id(id)).await?.is_none())
    }

    /// The record of the namespace of a name directly below another, which may be sealed.
    pub async fn child_record(
        &self,
        of: &Space,
        name: &str,
    ) -> Result<Option<NamespaceRecord>, Fault> {
        let path = format!("{}{name}/", of.path);
        match NamespacePath::parse(&path).is_some_and(|clean| clean.as_str() == path) {
            true => self.record(&path).await,
            false => Ok(None),
        }
    }

    /// Whether a namespace, or one that it lies in, is sealed.
    pub fn is_closed(&self, record: &NamespaceRecord) -> bool {
        self.refuse_closed(record).is_err()
    }

    /// One whose seal nobody has told of yet is just being made.
    fn refuse_closed(&self, record: &NamespaceRecord) -> Result<(), Fault> {
        match record.own_seal && self.seals.own(&record.id).is_none() {
            true => Err(is_sealed()),
            false => self.seals.refuse_closed(&record.id),
        }
    }

    /// The record of the namespace at a path.
    async fn record(&self, path: &str) -> Result<Option<NamespaceRecord>, Fault> {
        Ok(self.view.get(&by_path(path)).await?)
    }

    /// The namespace that a path leads to, and the rest of the path there: it goes on in a namespace where no mount
    /// is in the way.
    pub async fn descend<'a>(
        &self,
        from: Arc<Space>,
        path: &'a str,
    ) -> Result<(Arc<Space>, &'a str), Fault> {
        let (mut space, mut path) = (from, path);
        while space.mounts.at(path).is_none() {
            let (name, rest) = path.split_once('/').unwrap_or((path, ""));
            match self.child(&space, name).await? {
                Some(child) => (space, path) = (child, rest),
                None => break,
            }
        }
        Ok((space, path))
    }

    /// The namespace with an id; the empty one is the root's.
    pub async fn by_id(&self, id: &str) -> Result<Option<Arc<Space>>, Fault> {
        if id.is_empty() {
            return Ok(Some(self.root()));
        }
        if let Some(known) = self.known_by_id(id) {
            return Ok(Some(known));
        }
        if !is_id(id) {
            return Ok(None);
        }
        let Some(place) = self.view.get::<Place>(&by_id(id)).await? else {
            return Ok(None);
        };
        match NamespacePath::parse(&place.path) {
            Some(path) => self.at(&path).await,
            None => Ok(None),
        }
    }

    /// As [`Namespaces::by_id`]; none also while it is sealed.
    pub async fn readable(&self, id: &str) -> Result<Option<Arc<Space>>, Fault> {
        match self.seals.closed(id) {
            None => self.by_id(id).await,
            Some(_) => Ok(None),
        }
    }

    /// Those in memory, the root first.
    pub fn in_memory(&self) -> Vec<Arc<Space>> {
        let loaded = self.loaded.lock();
        let known = loaded
            .by_path
            .values()
            .filter_map(|slot| slot.get().cloned());
        std::iter::once(self.root()).chain(known).collect()
    }

    /// The root and those with periodic work, or with something being taken away; they are read if need be. Sealed ones
    /// have to wait.
    pub async fn needing_care(&self) -> Result<Vec<Arc<Space>>, Fault> {
        let ids: Vec<String> = self.care.lock().iter().cloned().collect();
        let mut found = vec![self.root()];
        for id in ids {
            if self.seals.closed(&id).is_none() {
                found.extend(self.by_id(&id).await?);
            }
        }
        Ok(found)
    }

    /// From now on this namespace is looked after, also after a restart.
    pub(crate) async fn look_after(&self, space: &Space) -> Result<(), Fault> {
        let id = space.id.clone();
        if space.is_root() || self.care.lock().contains(&id) {
            return Ok(());
        }
        self.view.put(&care(&id), &crate::due::Mark).await?;
        self.care.lock().insert(id);
        Ok(())
    }

    /// The records of the namespaces below a path, at any depth or one level down, in order of their paths. What lies in a
    /// sealed one is not among them.
    pub async fn below(&self, path: &str, deep: bool) -> Result<Vec<NamespaceRecord>, Fault> {
        let folder = format!("path/{path}");
        let mut found = match self.readable_pages(&folder).await {
            Err(Error::Damaged { .. }) => self.readable_singly(&folder).await?,
            found => found?,
        };
        let levels = path.matches('/').count() + 1;
        found.retain(|record| deep || record.path.matches('/').count() == levels);
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    async fn readable_pages(&self, folder: &str) -> Result<Vec<NamespaceRecord>, Error> {
        let mut found = Vec::new();
        let mut pages = self.view.part_pages::<NamespaceRecord>(folder);
        while let Some(page) = pages.next().await? {
            found.extend(page.into_iter().filter_map(|(_, record)| record));
        }
        Ok(found)
    }

    /// As [`Self::readable_pages`], one by one: a damaged record hides no others.
    async fn readable_singly(&self, folder: &str) -> Result<Vec<NamespaceRecord>, Error> {
        let mut found = Vec::new();
        let mut pages = self.view.path_pages(folder);
        while let Some(page) = pages.next().await? {
            for path in page {
                match self.view.get(&path).await {
                    Ok(record) => found.extend(record),
                    Err(Error::PartSealed) => {}
                    Err(error @ Error::Damaged { .. }) => {
                        tracing::error!(path, %error, "the record of a namespace is left out");
                    }
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(found)
    }

    /// Whether any namespace lies below a path.
    pub async fn has_children(&self, path: &str) -> Result<bool, Fault> {
        let found = self
            .view
            .scan_paths(&format!("path/{path}"), None, 1)
            .await?;
        Ok(!found.is_empty())
    }

    /// Forgets a namespace that is gone.
    pub(super) fn forget(&self, record: &NamespaceRecord) {
        let mut loaded = self.loaded.lock();
        loaded.by_path.remove(&record.path);
        loaded.paths.remove(&record.id);
        drop(loaded);
        self.care.lock().remove(&record.id);
    }

    /// Forgets a namespace and those in it, because they were sealed.
    pub(super) fn forget_within(&self, path: &str) {
        let mut loaded = self.loaded.lock();
        loaded.by_path.retain(|known, _| !known.starts_with(path));
        loaded.paths.retain(|_, known| !known.starts_with(path));
    }

    /// Takes over what was stored about a namespace, if that is in memory.
    pub(super) fn changed(&self, record: &NamespaceRecord) {
        if let Some(space) = self.known(&record.path) {
            space.changed(record.clone());
        }
    }

    fn known(&self, path: &str) -> Option<Arc<Space>> {
        if path.is_empty() {
            return Some(self.root());
        }
        self.loaded.lock().by_path.get(path)?.get().cloned()
    }

    fn known_by_id(&self, id: &str) -> Option<Arc<Space>> {
        let loaded = self.loaded.lock();
        let slot = loaded.by_path.get(loaded.paths.get(id)?)?;
        slot.get().filter(|space| space.id == id).cloned()
    }

    /// The place in memory for a namespace. Makes room by forgetting some that nobody holds: who gets one gets it
    /// under this lock, so nobody can change a copy that is no longer the one.
    fn slot(&self, path: &str) -> Slot {
        let mut loaded = self.loaded.lock();
        if loaded.by_path.len() >= MAX_LOADED && !loaded.by_path.contains_key(path) {
            let idle = |slot: &Slot| {
                Arc::strong_count(slot) == 1
                    && slot.get().is_none_or(|space| Arc::strong_count(space) == 1)
            };
            let some: Vec<String> = loaded
                .by_path
                .iter()
                .filter(|(_, slot)| idle(slot))
                .map(|(path, _)| path.clone())
                .take(FORGOTTEN_AT_ONCE)
                .collect();
            for path in some {
                if let Some(space) = loaded
                    .by_path
                    .remove(&path)
                    .as_deref()
                    .and_then(OnceCell::get)
                {
                    loaded.paths.remove(&space.id);
                }
            }
        }
        Arc::clone(loaded.by_path.entry(path.to_owned()).or_default())
    }
}

pub(super) fn by_path(path: &str) -> String {
    format!("path/{}", path.trim_end_matches('/'))
}

pub(super) fn by_id(id: &str) -> String {
    format!("id/{id}")
}

pub(super) fn care(id: &str) -> String {
    format!("care/{id}")
}
