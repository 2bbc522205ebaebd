//! Making, moving and deleting the aliases of entities.

use coffer_engine::Fault;

use super::super::alias::Alias;
use super::super::entity::Entity;
use super::super::metadata::{self, Metadata};
use super::super::name;
use super::super::work::{Change, Work};
use super::Done;
use super::entity::new_entity;

/// Which alias is meant.
#[derive(Clone, Debug)]
pub enum AliasKey {
    /// The one with this id, which must be there.
    Id(String),
    /// The one of that mount and name; made if it is not there.
    Factors,
}

/// Makes or changes an alias. What is not given stays as it is.
#[derive(Clone, Debug)]
pub struct PutAlias {
    /// Which.
    pub key: AliasKey,
    /// Its name.
    pub name: Option<String>,
    /// The accessor of its mount, which is there.
    pub mount: Option<String>,
    /// Whether that mount is kept on this cluster only.
    pub local: bool,
    /// The entity it shall belong to.
    pub entity: Option<String>,
    /// Notes, instead of those that are there.
    pub custom_metadata: Option<Metadata>,
}

/// Deletes an alias, if it is there; its entity stays.
#[derive(Clone, Debug)]
pub struct DeleteAlias {
    /// Its id.
    pub id: String,
}

impl Change for PutAlias {
    type Done = (Done, Alias, String);

    async fn decide(&self, work: &mut Work) -> Result<Self::Done, Fault> {
        if let Some(name) = &self.name {
            name::check("an alias", name)?;
        }
        if let Some(metadata) = &self.custom_metadata {
            metadata::check("custom_metadata", metadata)?;
        }
        match &self.key {
            AliasKey::Id(id) => {
                let entity = work.entity_by_alias_id(id).await?;
                let found = entity.and_then(|entity| Some((entity.alias(id)?.clone(), entity)));
                let (alias, entity) =
                    found.ok_or_else(|| Fault::invalid("invalid alias ID provided"))?;
                self.change(work, alias, entity).await
            }
            AliasKey::Factors => self.by_factors(work).await,
        }
    }
}

impl PutAlias {
    async fn by_factors(&self, work: &mut Work) -> Result<(Done, Alias, String), Fault> {
        let (Some(name), Some(mount)) = (&self.name, &self.mount) else {
            return Err(Fault::invalid(
                "'id' or 'mount_accessor' and 'name' must be provided",
            ));
        };
        if let Some(entity) = work.entity_by_alias(mount, name).await? {
            let alias = entity.aliases.iter().find(|alias| alias.is(mount, name));
            let alias = alias
                .cloned()
                .ok_or_else(|| Fault::Conflict(String::new()))?;
            if self.entity.is_none() && self.custom_metadata.is_none() {
                return Ok((Done::Same, alias, entity.id));
            }
            return self.change(work, alias, entity).await;
        }
        let mut entity = match &self.entity {
            Some(id) => work
                .entity(id)
                .await?
                .ok_or_else(|| Fault::invalid("invalid canonical ID"))?,
            None => new_entity(work, None),
        };
        refuse_second(&entity, mount, None)?;
        let alias = Alias {
            id: work.new_id(),
            name: name.clone(),
            mount: mount.clone(),
            custom_metadata: Some(self.custom_metadata.clone().unwrap_or_default()),
            created: work.now,
            updated: work.now,
            local: self.local,
            ..Alias::default()
        };
        entity.aliases.push(alias.clone());
        let id = entity.id.clone();
        work.put_entity(entity);
        Ok((Done::Made, alias, id))
    }

    async fn change(
        &self,
        work: &mut Work,
        old: Alias,
        mut entity: Entity,
    ) -> Result<(Done, Alias, String), Fault> {
        let mut alias = old.clone();
        if let Some(name) = &self.name {
            alias.name.clone_from(name);
        }
        if let Some(mount) = &self.mount {
            alias.mount.clone_from(mount);
            alias.local = self.local;
        }
        if let Some(metadata) = &self.custom_metadata {
            alias.custom_metadata = Some(metadata.clone());
        }
        let target = self.entity.as_ref().filter(|id| **id != entity.id);
        if alias == old && target.is_none() && matches!(self.key, AliasKey::Id(_)) {
            return Ok((Done::Same, alias, entity.id));
        }
        alias.custom_metadata = alias.custom_metadata.filter(|notes| !notes.is_empty());
        let other = work.entity_by_alias(&alias.mount, &alias.name).await?;
        if other.is_some_and(|other| other.id != entity.id || !old.is(&alias.mount, &alias.name)) {
            return Err(Fault::invalid(
                "alias with combination of mount accessor and name already exists",
            ));
        }
        alias.updated = work.now;
        entity.aliases.retain(|known| known.id != alias.id);
        if let Some(id) = target {
            let target = work.entity(id).await?;
            let target = target.ok_or_else(|| {
                Fault::invalid("given 'canonical_id' is not associated with an entity")
            })?;
            work.put_entity(std::mem::replace(&mut entity, target));
        }
        refuse_second(&entity, &alias.mount, Some(&alias.id))?;
        entity.aliases.push(alias.clone());
        let id = entity.id.clone();
        work.put_entity(entity);
        Ok((Done::Changed, alias, id))
    }
}

impl Change for DeleteAlias {
    type Done = ();

    async fn decide(&self, work: &mut Work) -> Result<(), Fault> {
        if let Some(mut entity) = work.entity_by_alias_id(&self.id).await? {
            entity.aliases.retain(|alias| alias.id != self.id);
            work.put_entity(entity);
        }
        Ok(())
    }
}

/// An entity has one alias for each mount.
fn refuse_second(entity: &Entity, mount: &str, except: Option<&str>) -> Result<(), Fault> {
    match entity.alias_in(mount) {
        Some(other) if Some(other.id.as_str()) != except => Err(Fault::invalid(
            "Alias already exists for requested entity and mount accessor",
        )),
        _ => Ok(()),
    }
}
