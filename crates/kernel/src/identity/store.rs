//! The identity store of one namespace.

use std::sync::Arc;

use coffer_barrier::{Pages, View};
use coffer_crypto::Random;
use coffer_engine::Fault;
use coffer_wire::Timestamp;

use super::entity::{self, Entity};
use super::group::{self, Group};
use super::name;
use super::standing::Known;
use super::work::{Change, Indexed, Pointer, Touched, Work, place};

/// How often a change is decided anew when others are faster.
const TRIES: usize = 200;

/// Entities, their aliases, and groups, behind the barrier; what decisions need of them is kept in memory.
#[derive(Clone)]
pub struct Identity {
    view: View,
    namespace: Arc<str>,
    pub(super) known: Arc<Known>,
}

impl Identity {
    /// The store in a view that holds nothing else (`sys/identity/`), of the namespace with this id as it is shown.
    pub fn new(view: View, namespace: &str) -> Self {
        Self {
            view,
            namespace: namespace.into(),
            known: Arc::default(),
        }
    }

    /// Makes a change, durably; decisions that begin after this returns obey it.
    ///
    /// # Errors
    /// What the change says, or [`Fault::Conflict`] if others were always faster.
    pub async fn apply<C: Change>(
        &self,
        change: &C,
        now: Timestamp,
        random: &Random,
    ) -> Result<C::Done, Fault> {
        for _ in 0..TRIES {
            let namespace = Arc::clone(&self.namespace);
            let mut work = Work::new(self.view.clone(), namespace, now, random.clone());
            let done = match change.decide(&mut work).await {
                Err(Fault::Conflict(_)) => continue,
                other => other?,
            };
            let touched = work.touched();
            match self.commit(work, touched).await {
                Ok(()) => return Ok(done),
                Err(Fault::Conflict(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Err(changed_meanwhile())
    }

    /// A task of its own, so that a caller who goes away in the middle can not leave the old state in memory
    /// while the new one is in storage.
    async fn commit(&self, work: Work, touched: Touched) -> Result<(), Fault> {
        let changes = work.changes()?;
        if changes.is_empty() {
            return Ok(());
        }
        let known = Arc::clone(&self.known);
        let task = tokio::spawn(async move {
            let done = changes.commit().await;
            known.forget(&touched); // After a failure too: nobody knows whether storage took it.
            done
        });
        match task.await {
            Ok(done) => Ok(done?),
            Err(_) => Err(Fault::Unavailable(
                "the server is stopping; try again".into(),
            )),
        }
    }

    /// The entity with an id.
    pub async fn entity(&self, id: &str) -> Result<Option<Entity>, Fault> {
        self.record(id).await
    }

    /// The entity with an id, or the one that it was merged into.
    pub async fn entity_or_heir(&self, id: &str) -> Result<Option<Entity>, Fault> {
        if let Some(entity) = self.entity(id).await? {
            return Ok(Some(entity));
        }
        if !name::is_id(id) {
            return Ok(None);
        }
        self.led_to(entity::by_merged(id)).await
    }

    /// The entity of a name.
    pub async fn entity_by_name(&self, name: &str) -> Result<Option<Entity>, Fault> {
        if name::normal(name).is_empty() {
            return Ok(None);
        }
        self.led_to(entity::by_name(name)).await
    }

    /// The entity that a mount knows by a name.
    pub async fn entity_by_alias(&self, mount: &str, name: &str) -> Result<Option<Entity>, Fault> {
        if mount.is_empty() || name::normal(name).is_empty() {
            return Ok(None);
        }
        self.led_to(entity::by_alias(mount, name)).await
    }

    /// The entity with the alias of an id.
    pub async fn entity_by_alias_id(&self, id: &str) -> Result<Option<Entity>, Fault> {
        if !name::is_id(id) {
            return Ok(None);
        }
        self.led_to(entity::by_alias_id(id)).await
    }

    /// The group with an id.
    pub async fn group(&self, id: &str) -> Result<Option<Group>, Fault> {
        self.record(id).await
    }

    /// The group of a name.
    pub async fn group_by_name(&self, name: &str) -> Result<Option<Group>, Fault> {
        if name::normal(name).is_empty() {
            return Ok(None);
        }
        self.led_to(group::by_name(name)).await
    }

    /// The group that a mount knows by a name.
    pub async fn group_by_alias(&self, mount: &str, name: &str) -> Result<Option<Group>, Fault> {
        if mount.is_empty() || name::normal(name).is_empty() {
            return Ok(None);
        }
        self.led_to(group::by_alias(mount, name)).await
    }

    /// The group with the alias of an id.
    pub async fn group_by_alias_id(&self, id: &str) -> Result<Option<Group>, Fault> {
        if !name::is_id(id) {
            return Ok(None);
        }
        self.led_to(group::by_alias_id(id)).await
    }

    /// The ids of the entities that are members of a group themselves, in order.
    pub async fn member_entities(&self, group: &str) -> Result<Vec<String>, Fault> {
        Ok(self.view.list_all(&entity::members(group)).await?)
    }

    /// The ids of the groups that are members of a group, in order.
    pub async fn member_groups(&self, group: &str) -> Result<Vec<String>, Fault> {
        Ok(self.view.list_all(&group::children(group)).await?)
    }

    /// The ids of the groups that a group is a member of, those that are there.
    pub async fn parents(&self, group: &Group) -> Result<Vec<String>, Fault> {
        let mut parents = Vec::new();
        for id in &group.parents {
            parents.extend(self.known_group(id).await?.map(|parent| parent.id.clone()));
        }
        Ok(parents)
    }

    /// Entities in order of their ids.
    pub fn entities(&self) -> Pages<'_, Entity> {
        self.view.pages(Entity::FOLDER)
    }

    /// Groups in order of their ids.
    pub fn groups(&self) -> Pages<'_, Group> {
        self.view.pages(Group::FOLDER)
    }

    /// How many entities there are.
    pub async fn count_entities(&self) -> Result<usize, Fault> {
        let mut count = 0;
        let mut pages = self.view.path_pages(Entity::FOLDER);
        while let Some(page) = pages.next().await? {
            count += page.len();
        }
        Ok(count)
    }

    async fn record<T: Indexed>(&self, id: &str) -> Result<Option<T>, Fault> {
        if !name::is_id(id) {
            return Ok(None);
        }
        Ok(self.view.get(&place::<T>(id)).await?)
    }

    /// The record that an index leads to. One that moved between the two reads is looked for again.
    async fn led_to<T: Indexed>(&self, path: String) -> Result<Option<T>, Fault> {
        for _ in 0..TRIES {
            let Some(pointer) = self.view.get::<Pointer>(&path).await? else {
                return Ok(None);
            };
            let record: Option<T> = self.record(&pointer.id).await?;
            match record {
                Some(record) if record.index().contains_key(&path) => return Ok(Some(record)),
                _ => {}
            }
        }
        Err(changed_meanwhile())
    }
}

fn changed_meanwhile() -> Fault {
    coffer_barrier::Error::Conflict.into()
}
