//! Making, moving and deleting the aliases of groups.

use coffer_engine::Fault;

use super::super::alias::Alias;
use super::super::group::{Group, GroupKind};
use super::super::name;
use super::super::work::{Change, Work};
use super::group::new_group;

/// Makes or changes the alias of an external group. A group has one: a second one takes its place.
#[derive(Clone, Debug)]
pub struct PutGroupAlias {
    /// The id of the alias, which must be there; a new one where none is given.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// The accessor of its mount, which is there.
    pub mount: String,
    /// Whether that mount is kept on this cluster only.
    pub local: bool,
    /// The group it shall belong to; as before, or a new one, where none is given.
    pub group: Option<String>,
}

/// Deletes the alias of a group, if it is there; the group stays.
#[derive(Clone, Debug)]
pub struct DeleteGroupAlias {
    /// Its id.
    pub id: String,
}

impl Change for PutGroupAlias {
    type Done = (Alias, String);

    async fn decide(&self, work: &mut Work) -> Result<Self::Done, Fault> {
        name::check("an alias", &self.name)?;
        let (old, home) = self.before(work).await?;
        let other = work.group_by_alias(&self.mount, &self.name).await?;
        let other = other.and_then(|group| group.alias);
        if other.is_some_and(|other| Some(&other.id) != old.as_ref().map(|old| &old.id)) {
            return Err(Fault::invalid(
                "combination of mount and group alias name is already in use",
            ));
        }
        let mut group = self.target(work, home.as_ref()).await?;
        if group.kind == GroupKind::Internal {
            return Err(Fault::invalid("alias can't be set on an internal group"));
        }
        if let Some(mut home) = home.filter(|home| home.id != group.id) {
            home.alias = None;
            touch(work, home);
        }
        let alias = Alias {
            name: self.name.clone(),
            mount: self.mount.clone(),
            local: self.local,
            updated: work.now,
            ..old.unwrap_or_else(|| Alias {
                id: work.new_id(),
                created: work.now,
                ..Alias::default()
            })
        };
        group.alias = Some(alias.clone());
        let id = group.id.clone();
        touch(work, group);
        Ok((alias, id))
    }
}

impl PutGroupAlias {
    /// The alias that is meant and the group it belongs to.
    async fn before(&self, work: &mut Work) -> Result<(Option<Alias>, Option<Group>), Fault> {
        let Some(id) = &self.id else {
            return Ok((None, None));
        };
        let group = work.group_by_alias_id(id).await?;
        let group = group.filter(|group| group.alias.is_some());
        let group = group.ok_or_else(|| Fault::invalid("invalid group alias ID"))?;
        Ok((group.alias.clone(), Some(group)))
    }

    async fn target(&self, work: &mut Work, home: Option<&Group>) -> Result<Group, Fault> {
        match (&self.group, home) {
            (Some(id), _) => {
                let group = work.group(id).await?;
                group.ok_or_else(|| Fault::invalid("invalid group ID given in 'canonical_id'"))
            }
            (None, Some(home)) => Ok(home.clone()),
            (None, None) => Ok(Group {
                kind: GroupKind::External,
                ..new_group(work, None)
            }),
        }
    }
}

impl Change for DeleteGroupAlias {
    type Done = ();

    async fn decide(&self, work: &mut Work) -> Result<(), Fault> {
        if let Some(mut group) = work.group_by_alias_id(&self.id).await? {
            group.alias = None;
            touch(work, group);
        }
        Ok(())
    }
}

fn touch(work: &mut Work, mut group: Group) {
    group.updated = work.now;
    group.modify_index += 1;
    work.put_group(group);
}
