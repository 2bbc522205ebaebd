//! What an auth method tells the store, at a login and when a token is renewed: who came, what it knows about them, which
//! groups it says they are in.

use std::collections::BTreeSet;

use coffer_engine::Fault;
use serde::Serialize;

use super::super::alias::Alias;
use super::super::entity::Entity;
use super::super::group::GroupKind;
use super::super::metadata::Metadata;
use super::super::name;
use super::super::work::{Change, Work};
use super::entity::new_entity;

/// The most groups that an auth method may name at one login.
pub const MAX_LOGIN_GROUPS: usize = 1_000;

/// Finds the entity behind an alias, or makes both; brings the alias's metadata and the memberships in external
/// groups of the mount to what the auth method says. A login that tells nothing new writes nothing.
#[derive(Clone, Debug, Serialize)]
pub struct LogIn {
    /// The accessor of the auth mount.
    pub mount: String,
    /// Whether that mount is kept on this cluster only.
    pub local: bool,
    /// The name in the mount.
    pub name: String,
    /// What the auth method knows about them; none leaves what is there.
    pub metadata: Option<Metadata>,
    /// The groups that the auth method says they are in; none leaves the memberships alone.
    pub groups: Option<Vec<String>>,
}

/// Brings what an auth method says of an entity to what it says now. Whoever is gone, or known to that method no more, is
/// left alone.
#[derive(Clone, Debug)]
pub struct StayIn {
    /// The entity's id.
    pub entity: String,
    /// The accessor of the auth mount.
    pub mount: String,
    /// What the auth method knows about them; none leaves what is there.
    pub metadata: Option<Metadata>,
    /// The groups that the auth method says they are in; none leaves the memberships alone.
    pub groups: Option<Vec<String>>,
}

impl Change for LogIn {
    type Done = Entity;

    async fn decide(&self, work: &mut Work) -> Result<Entity, Fault> {
        name::check("an alias", &self.name)?;
        let mut entity = match work.entity_by_alias(&self.mount, &self.name).await? {
            Some(entity) if entity.disabled => return Ok(entity),
            Some(mut entity) => {
                let mut aliases = entity.aliases.iter_mut();
                let alias = aliases.find(|alias| alias.is(&self.mount, &self.name));
                // The alias moved between two reads: look again.
                let alias = alias.ok_or_else(|| Fault::Conflict(String::new()))?;
                note(work, alias, self.metadata.as_ref());
                entity
            }
            None => self.newcomer(work),
        };
        if let Some(groups) = &self.groups {
            join(work, &mut entity, &self.mount, groups).await?;
        }
        work.put_entity(entity.clone());
        Ok(entity)
    }
}

impl LogIn {
    fn newcomer(&self, work: &Work) -> Entity {
        let alias = Alias {
            id: work.new_id(),
            name: self.name.trim().to_owned(),
            mount: self.mount.clone(),
            metadata: self.metadata.clone().unwrap_or_default(),
            created: work.now,
            updated: work.now,
            local: self.local,
            ..Alias::default()
        };
        Entity {
            aliases: vec![alias],
            ..new_entity(work, None)
        }
    }
}

impl Change for StayIn {
    type Done = ();

    async fn decide(&self, work: &mut Work) -> Result<(), Fault> {
        let Some(mut entity) = work.entity(&self.entity).await? else {
            return Ok(());
        };
        let mut aliases = entity.aliases.iter_mut();
        let Some(alias) = aliases.find(|alias| alias.mount == self.mount) else {
            return Ok(());
        };
        note(work, alias, self.metadata.as_ref());
        if let Some(groups) = &self.groups {
            join(work, &mut entity, &self.mount, groups).await?;
        }
        work.put_entity(entity);
        Ok(())
    }
}

fn note(work: &Work, alias: &mut Alias, metadata: Option<&Metadata>) {
    if let Some(metadata) = metadata
        && *metadata != alias.metadata
    {
        alias.metadata.clone_from(metadata);
        alias.updated = work.now;
    }
}

/// The external groups of this mount are those that were named; nothing else says who is in them.
async fn join(
    work: &mut Work,
    entity: &mut Entity,
    mount: &str,
    names: &[String],
) -> Result<(), Fault> {
    if names.len() > MAX_LOGIN_GROUPS {
        return Err(Fault::Invalid(format!(
            "the auth method names more than {MAX_LOGIN_GROUPS} groups; narrow its search for groups"
        )));
    }
    let mut named = BTreeSet::new();
    for name in names {
        let group = work.group_by_alias(mount, name).await?;
        named.extend(group.map(|group| group.id));
    }
    let mut stays = Vec::new();
    for id in &entity.groups {
        let stay = match work.group(id).await? {
            Some(group) if group.kind == GroupKind::External => match &group.alias {
                Some(alias) if alias.mount != mount => true,
                _ => named.contains(id),
            },
            Some(_) => true,
            None => false,
        };
        if stay {
            stays.push(id.clone());
        }
    }
    named.retain(|id| !stays.contains(id));
    entity.groups = stays;
    named.into_iter().try_for_each(|group| entity.join(group))
}
