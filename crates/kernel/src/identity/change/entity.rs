//! Making, changing and deleting entities.

use coffer_engine::Fault;

use super::super::entity::Entity;
use super::super::metadata::{self, Metadata};
use super::super::name;
use super::super::work::{Change, Work};
use super::Done;

/// Which entity is meant.
#[derive(Clone, Debug)]
pub enum EntityKey {
    /// The one with this id, which must be there; a name renames it.
    Id(String),
    /// The one of this name; made if it is not there.
    Name(String),
    /// A new one, with a name that is made up.
    New,
}

/// Makes or changes an entity. What is not given stays as it is.
#[derive(Clone, Debug)]
pub struct PutEntity {
    /// Which.
    pub key: EntityKey,
    /// Its new name, where it is meant by its id.
    pub name: Option<String>,
    /// Notes, instead of those that are there.
    pub metadata: Option<Option<Metadata>>,
    /// Policies, instead of those that are there.
    pub policies: Option<Vec<String>>,
    /// Whether its tokens are refused.
    pub disabled: Option<bool>,
}

/// Deletes entities, those that are there; the names that held them are free then.
#[derive(Clone, Debug)]
pub struct DeleteEntities {
    /// Their ids.
    pub ids: Vec<String>,
}

impl Change for PutEntity {
    type Done = (Done, Entity);

    async fn decide(&self, work: &mut Work) -> Result<Self::Done, Fault> {
        if let Some(Some(metadata)) = &self.metadata {
            metadata::check("metadata", metadata)?;
        }
        let policies = self.policies.as_deref().map(super::policies).transpose()?;
        let found = match &self.key {
            EntityKey::Id(id) => {
                let entity = work.entity(id).await?;
                let entity = entity.ok_or_else(|| Fault::invalid("entity not found from id"))?;
                Some(self.renamed(work, entity).await?)
            }
            EntityKey::Name(given) => {
                name::check_entity(given)?;
                let entity = work.entity_by_name(given).await?;
                entity.map(|entity| Entity {
                    name: given.clone(),
                    ..entity
                })
            }
            EntityKey::New => None,
        };
        let done = if found.is_some() {
            Done::Changed
        } else {
            Done::Made
        };
        let mut entity = found.unwrap_or_else(|| new_entity(work, self.key.name()));
        entity.updated = work.now;
        entity.metadata = self.metadata.clone().unwrap_or(entity.metadata);
        entity.policies = policies.unwrap_or(entity.policies);
        entity.disabled = self.disabled.unwrap_or(entity.disabled);
        work.put_entity(entity.clone());
        Ok((done, entity))
    }
}

impl PutEntity {
    async fn renamed(&self, work: &mut Work, mut entity: Entity) -> Result<Entity, Fault> {
        let Some(new) = &self.name else {
            return Ok(entity);
        };
        name::check_entity(new)?;
        let other = work.entity_by_name(new).await?;
        if other.is_some_and(|other| other.id != entity.id) {
            return Err(Fault::invalid("entity name is already in use"));
        }
        entity.name.clone_from(new);
        Ok(entity)
    }
}

impl EntityKey {
    /// Which entity is meant where an id, a name, both or neither is given, and the name it is to have.
    pub fn of(id: Option<String>, name: Option<String>) -> (Self, Option<String>) {
        let key = match (id, &name) {
            (Some(id), _) => Self::Id(id),
            (None, Some(name)) => Self::Name(name.clone()),
            (None, None) => Self::New,
        };
        (key, name)
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Id(_) | Self::New => None,
        }
    }
}

impl Change for DeleteEntities {
    type Done = ();

    async fn decide(&self, work: &mut Work) -> Result<(), Fault> {
        for id in &self.ids {
            if work.entity(id).await?.is_some() {
                work.delete_entity(id);
            }
        }
        Ok(())
    }
}

/// A new entity; its name is made up where none is given.
pub(super) fn new_entity(work: &Work, name: Option<&str>) -> Entity {
    Entity {
        id: work.new_id(),
        name: name.map_or_else(|| work.new_name("entity"), str::to_owned),
        created: work.now,
        updated: work.now,
        ..Entity::default()
    }
}
