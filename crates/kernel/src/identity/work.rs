//! One change of the store: what it read, what it wants to write, and how that happens at once or not at all.
//!
//! Whatever a change was decided on is expected to be still so when it is written; else it is decided anew. The
//! indexes are never written by hand: they follow from the records before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use coffer_barrier::{Changes, Seen, Stored, View};
use coffer_crypto::Random;
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

use super::entity::{self, Entity};
use super::group::{self, Group};
use super::name;

/// The most records that one request may change.
pub const MAX_CHANGED_RECORDS: usize = 1_000;

/// A change of the store. It is decided on what is stored, several times if others are faster.
pub trait Change: Sync {
    /// What is answered when it is done.
    type Done: Send;

    /// Reads and writes in `work`; an error leaves all as it was.
    fn decide(&self, work: &mut Work) -> impl Future<Output = Result<Self::Done, Fault>> + Send;
}

/// A record that is found by more than its id.
pub(super) trait Indexed: Stored + Clone + PartialEq {
    /// Where such records are.
    const FOLDER: &str;

    /// Its id.
    fn id(&self) -> &str;

    /// The paths that lead to it, each with the id that stands there.
    fn index(&self) -> BTreeMap<String, String>;
}

/// What stands at the paths of the indexes.
#[derive(Serialize, Deserialize)]
pub(super) struct Pointer {
    pub id: String,
}

impl Stored for Pointer {}

/// What a change has read and wants to write.
pub struct Work {
    /// The time of the change.
    pub now: Timestamp,
    /// Randomness for new ids.
    pub random: Random,
    view: View,
    namespace: Arc<str>,
    entities: Shelf<Entity>,
    groups: Shelf<Group>,
    /// Places of the indexes that were looked at.
    looked_up: BTreeMap<String, (Seen, bool)>,
}

/// Which records a change touches.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Entities, those that were merged into them included.
    pub entities: BTreeSet<String>,
    /// Whether any group.
    pub groups: bool,
}

struct Shelf<T>(BTreeMap<String, Slot<T>>);

struct Slot<T> {
    seen: Seen,
    before: Option<T>,
    after: Option<T>,
}

impl Work {
    pub(super) fn new(view: View, namespace: Arc<str>, now: Timestamp, random: Random) -> Self {
        Self {
            now,
            random,
            view,
            namespace,
            entities: Shelf(BTreeMap::new()),
            groups: Shelf(BTreeMap::new()),
            looked_up: BTreeMap::new(),
        }
    }

    /// The entity with this very id.
    pub async fn entity(&mut self, id: &str) -> Result<Option<Entity>, Fault> {
        self.entities.get(&self.view, id).await
    }

    /// The entity of that name.
    pub async fn entity_by_name(&mut self, name: &str) -> Result<Option<Entity>, Fault> {
        if name::normal(name).is_empty() {
            return Ok(None);
        }
        match self.look_up(entity::by_name(name)).await? {
            Some(id) => self.entity(&id).await,
            None => Ok(None),
        }
    }

    /// The entity that a mount knows by that name.
    pub async fn entity_by_alias(
        &mut self,
        mount: &str,
        name: &str,
    ) -> Result<Option<Entity>, Fault> {
        if mount.is_empty() || name::normal(name).is_empty() {
            return Ok(None);
        }
        match self.look_up(entity::by_alias(mount, name)).await? {
            Some(id) => self.entity(&id).await,
            None => Ok(None),
        }
    }

    /// The entity with the alias of that id.
    pub async fn entity_by_alias_id(&mut self, id: &str) -> Result<Option<Entity>, Fault> {
        if !name::is_id(id) {
            return Ok(None);
        }
        match self.look_up(entity::by_alias_id(id)).await? {
            Some(id) => self.entity(&id).await,
            None => Ok(None),
        }
    }

    /// The group with this very id.
    pub async fn group(&mut self, id: &str) -> Result<Option<Group>, Fault> {
        self.groups.get(&self.view, id).await
    }

    /// The group of that name.
    pub async fn group_by_name(&mut self, name: &str) -> Result<Option<Group>, Fault> {
        if name::normal(name).is_empty() {
            return Ok(None);
        }
        match self.look_up(group::by_name(name)).await? {
            Some(id) => self.group(&id).await,
            None => Ok(None),
        }
    }

    /// The group that a mount knows by that name.
    pub async fn group_by_alias(
        &mut self,
        mount: &str,
        name: &str,
    ) -> Result<Option<Group>, Fault> {
        if mount.is_empty() || name::normal(name).is_empty() {
            return Ok(None);
        }
        match self.look_up(group::by_alias(mount, name)).await? {
            Some(id) => self.group(&id).await,
            None => Ok(None),
        }
    }

    /// The group with the alias of that id.
    pub async fn group_by_alias_id(&mut self, id: &str) -> Result<Option<Group>, Fault> {
        if !name::is_id(id) {
            return Ok(None);
        }
        match self.look_up(group::by_alias_id(id)).await? {
            Some(id) => self.group(&id).await,
            None => Ok(None),
        }
    }

    /// Keeps an entity that was read here, or is new.
    pub fn put_entity(&mut self, entity: Entity) {
        self.entities.put(entity);
    }

    /// Removes an entity that was read here.
    pub fn delete_entity(&mut self, id: &str) {
        self.entities.delete(id);
    }

    /// Keeps a group that was read here, or is new.
    pub fn put_group(&mut self, group: Group) {
        self.groups.put(group);
    }

    /// Removes a group that was read here.
    pub fn delete_group(&mut self, id: &str) {
        self.groups.delete(id);
    }

    /// A new id; outside the root namespace it tells whose it is.
    pub fn new_id(&self) -> String {
        let id = self.random.uuid_v4();
        match &*self.namespace {
            crate::namespaces::ROOT => id,
            namespace => format!("{id}.{namespace}"),
        }
    }

    /// A name for what nobody gave one.
    pub fn new_name(&self, what: &str) -> String {
        let number = hex::encode(self.random.bytes::<4>());
        format!("{what}_{number}.{}", self.namespace)
    }

    pub(super) fn touched(&self) -> Touched {
        let changed = self.entities.changed();
        let records = changed.flat_map(|slot| slot.before.iter().chain(&slot.after));
        let ids = records.flat_map(|entity| entity.merged.iter().chain([&entity.id]));
        Touched {
            entities: ids.cloned().collect(),
            groups: self.groups.changed().next().is_some(),
        }
    }

    /// All of it as one set of writes.
    pub(super) fn changes(self) -> Result<Changes, Fault> {
        if self.entities.changed().count() + self.groups.changed().count() > MAX_CHANGED_RECORDS {
            return Err(Fault::TooLarge(format!(
                "this would change more than {MAX_CHANGED_RECORDS} entities and groups at once; do it in parts"
            )));
        }
        let mut index = Index::default();
        let mut changes = self.view.changes();
        changes = self.entities.write(&self.view, changes, &mut index)?;
        changes = self.groups.write(&self.view, changes, &mut index)?;
        index.write(&self.view, changes, self.looked_up)
    }

    async fn look_up(&mut self, path: String) -> Result<Option<String>, Fault> {
        let (pointer, seen) = self.view.get_seen::<Pointer>(&path).await?;
        self.looked_up
            .entry(path)
            .or_insert((seen, pointer.is_some()));
        Ok(pointer.map(|pointer| pointer.id))
    }
}

impl<T: Indexed> Shelf<T> {
    async fn get(&mut self, view: &View, id: &str) -> Result<Option<T>, Fault> {
        if let Some(slot) = self.0.get(id) {
            return Ok(slot.after.clone());
        }
        if !name::is_id(id) {
            return Ok(None);
        }
        let (record, seen) = view.get_seen::<T>(&place::<T>(id)).await?;
        let slot = Slot {
            seen,
            before: record.clone(),
            after: record.clone(),
        };
        self.0.insert(id.to_owned(), slot);
        Ok(record)
    }

    fn put(&mut self, record: T) {
        let slot = self.0.entry(record.id().to_owned());
        let slot = slot.or_insert(Slot {
            seen: Seen::NOTHING,
            before: None,
            after: None,
        });
        slot.after = Some(record);
    }

    fn delete(&mut self, id: &str) {
        if let Some(slot) = self.0.get_mut(id) {
            slot.after = None;
        }
    }

    fn changed(&self) -> impl Iterator<Item = &Slot<T>> {
        self.0.values().filter(|slot| slot.before != slot.after)
    }

    fn write(self, view: &View, mut changes: Changes, index: &mut Index) -> Result<Changes, Fault> {
        for (id, slot) in self.0 {
            let path = place::<T>(&id);
            if slot.before != slot.after {
                index.follow(slot.before.as_ref(), slot.after.as_ref());
                changes = match &slot.after {
                    Some(record) => changes.put(view, &path, record)?,
                    None => changes.delete(view, &path),
                };
            }
            changes = changes.expect(view, &path, slot.seen);
        }
        Ok(changes)
    }
}

/// What becomes of the indexes.
#[derive(Default)]
struct Index {
    gone: BTreeSet<String>,
    come: BTreeMap<String, String>,
}

impl Index {
    fn follow<T: Indexed>(&mut self, before: Option<&T>, after: Option<&T>) {
        let before = before.map(Indexed::index).unwrap_or_default();
        let after = after.map(Indexed::index).unwrap_or_default();
        let gone = before.keys().filter(|path| !after.contains_key(*path));
        self.gone.extend(gone.cloned());
        self.come.extend(
            after
                .into_iter()
                .filter(|(path, _)| !before.contains_key(path)),
        );
    }

    fn write(
        self,
        view: &View,
        mut changes: Changes,
        looked_up: BTreeMap<String, (Seen, bool)>,
    ) -> Result<Changes, Fault> {
        let Self { gone, come } = self;
        for (path, id) in &come {
            // What a record of this change gives away is free; whatever else is there is somebody's.
            let free = gone.contains(path);
            if !free && looked_up.get(path).is_some_and(|(_, taken)| *taken) {
                return Err(Fault::invalid("the name is already in use"));
            }
            if !free && !looked_up.contains_key(path) {
                changes = changes.expect(view, path, Seen::NOTHING);
            }
            changes = changes.put(view, path, &Pointer { id: id.clone() })?;
        }
        for path in gone.iter().filter(|path| !come.contains_key(*path)) {
            changes = changes.delete(view, path);
        }
        for (path, (seen, _)) in looked_up {
            changes = changes.expect(view, &path, seen);
        }
        Ok(changes)
    }
}

pub(super) fn place<T: Indexed>(id: &str) -> String {
    format!("{}{id}", T::FOLDER)
}
