//! Making, changing and deleting groups.

use std::collections::BTreeSet;

use coffer_engine::Fault;

use super::super::group::{Group, GroupKind};
use super::super::metadata::{self, Metadata};
use super::super::name;
use super::super::store::Identity;
use super::super::work::{Change, Work};
use super::Done;

/// The most groups that a group holds, and that a group is in.
pub const MAX_RELATIVES: usize = 500;

/// Which group is meant.
#[derive(Clone, Debug)]
pub enum GroupKey {
    /// The one with this id, which must be there; a name renames it.
    Id(String),
    /// The one of this name; made if it is not there.
    Name(String),
    /// A new one, with a name that is made up.
    New,
}

/// Makes or changes a group. What is not given stays as it is.
#[derive(Clone)]
pub struct PutGroup<'a> {
    /// The store, for the members that are there.
    pub store: &'a Identity,
    /// Which.
    pub key: GroupKey,
    /// Its new name, where it is meant by its id.
    pub name: Option<String>,
    /// Its kind, which never changes.
    pub kind: Option<String>,
    /// Notes, instead of those that are there.
    pub metadata: Option<Option<Metadata>>,
    /// Policies, instead of those that are there.
    pub policies: Option<Vec<String>>,
    /// The ids of the entities that are its members, and no others.
    pub member_entities: Option<Vec<String>>,
    /// The ids of the groups that are its members, and no others.
    pub member_groups: Option<Vec<String>>,
}

/// Deletes a group, if it is there. Its members name it until [`LeaveGroup`], which means nothing.
#[derive(Clone)]
pub struct DeleteGroup<'a> {
    /// The store, for the members that are there.
    pub store: &'a Identity,
    /// Its id.
    pub id: String,
}

/// Lets entities forget a group that is gone.
#[derive(Clone, Debug)]
pub struct LeaveGroup {
    /// The group's id.
    pub group: String,
    /// The ids of the entities.
    pub entities: Vec<String>,
}

impl Change for PutGroup<'_> {
    type Done = (Done, Group);

    async fn decide(&self, work: &mut Work) -> Result<Self::Done, Fault> {
        let (kind, policies) = self.checked()?;
        let found = self.found(work).await?;
        let done = if found.is_some() {
            Done::Changed
        } else {
            Done::Made
        };
        if let (Some(kind), Some(found)) = (kind, &found)
            && kind != found.kind
        {
            return Err(Fault::invalid("group type cannot be changed"));
        }
        let mut group = found.unwrap_or_else(|| new_group(work, self.key.name()));
        if done == Done::Made {
            group.kind = kind.unwrap_or_default();
        }
        self.refuse_members_of_external(group.kind)?;
        group.updated = work.now;
        group.modify_index += 1;
        group.metadata = self.metadata.clone().unwrap_or(group.metadata);
        group.policies = policies.unwrap_or(group.policies);
        work.put_group(group.clone());
        if let Some(members) = &self.member_entities {
            self.set_entities(work, &group.id, members).await?;
        }
        if let Some(members) = &self.member_groups {
            self.set_groups(work, &group.id, members).await?;
        }
        Ok((done, group))
    }
}

impl PutGroup<'_> {
    fn checked(&self) -> Result<(Option<GroupKind>, Option<Vec<String>>), Fault> {
        let parse = |kind: &String| {
            GroupKind::parse(kind)
                .ok_or_else(|| Fault::Invalid(format!("invalid group type {kind:?}")))
        };
        if let Some(Some(metadata)) = &self.metadata {
            metadata::check("metadata", metadata)?;
        }
        let kind = self.kind.as_ref().filter(|kind| !kind.is_empty());
        Ok((
            kind.map(parse).transpose()?,
            self.policies.as_deref().map(super::policies).transpose()?,
        ))
    }

    async fn found(&self, work: &mut Work) -> Result<Option<Group>, Fault> {
        Ok(match &self.key {
            GroupKey::New => None,
            GroupKey::Name(given) => {
                name::check("a group", given)?;
                let group = work.group_by_name(given).await?;
                group.map(|group| Group {
                    name: given.clone(),
                    ..group
                })
            }
            GroupKey::Id(id) => {
                let group = work.group(id).await?;
                let mut group = group.ok_or_else(|| Fault::invalid("invalid group ID"))?;
                if let Some(new) = &self.name {
                    name::check("a group", new)?;
                    let other = work.group_by_name(new).await?;
                    if other.is_some_and(|other| other.id != group.id) {
                        return Err(Fault::invalid("group name is already in use"));
                    }
                    group.name.clone_from(new);
                }
                Some(group)
            }
        })
    }

    fn refuse_members_of_external(&self, kind: GroupKind) -> Result<(), Fault> {
        if kind == GroupKind::Internal {
            return Ok(());
        }
        if self.member_entities.is_some() {
            return Err(Fault::invalid(
                "member entities can't be set manually for external groups",
            ));
        }
        if self.member_groups.is_some() {
            return Err(Fault::invalid(
                "member groups can't be set for external groups",
            ));
        }
        Ok(())
    }

    async fn set_entities(
        &self,
        work: &mut Work,
        group: &str,
        members: &[String],
    ) -> Result<(), Fault> {
        let wanted: BTreeSet<&String> = members.iter().collect();
        let there = self.store.member_entities(group).await?;
        let there: BTreeSet<&String> = there.iter().collect();
        for id in there.difference(&wanted) {
            if let Some(mut entity) = work.entity(id).await? {
                entity.groups.retain(|known| known != group);
                work.put_entity(entity);
            }
        }
        for id in wanted.difference(&there) {
            let entity = work.entity(id).await?;
            let mut entity =
                entity.ok_or_else(|| Fault::Invalid(format!("invalid entity ID {id:?}")))?;
            entity.join(group.to_owned())?;
            work.put_entity(entity);
        }
        Ok(())
    }

    async fn set_groups(
        &self,
        work: &mut Work,
        group: &str,
        members: &[String],
    ) -> Result<(), Fault> {
        let wanted: BTreeSet<&String> = members.iter().collect();
        refuse_too_many(wanted.len())?;
        let there = self.store.member_groups(group).await?;
        let there: BTreeSet<&String> = there.iter().collect();
        for id in there.difference(&wanted) {
            if let Some(mut member) = work.group(id).await? {
                member.parents.retain(|known| known != group);
                member.modify_index += 1;
                work.put_group(member);
            }
        }
        let above = above(work, group).await?;
        for id in wanted.difference(&there) {
            if *id == group {
                return Err(Fault::Invalid(format!(
                    "member group ID {id:?} is same as the ID of the group"
                )));
            }
            let member = work.group(id).await?;
            let mut member =
                member.ok_or_else(|| Fault::Invalid(format!("invalid member group ID {id:?}")))?;
            if above.contains(*id) {
                return Err(Fault::Invalid(format!(
                    "cyclic relationship detected for member group ID {id:?}"
                )));
            }
            member.parents.push(group.to_owned());
            refuse_too_many(member.parents.len())?;
            member.modify_index += 1;
            work.put_group(member);
        }
        Ok(())
    }
}

impl GroupKey {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Id(_) | Self::New => None,
        }
    }
}

impl Change for DeleteGroup<'_> {
    type Done = ();

    async fn decide(&self, work: &mut Work) -> Result<(), Fault> {
        if work.group(&self.id).await?.is_none() {
            return Ok(());
        }
        for member in self.store.member_groups(&self.id).await? {
            if let Some(mut member) = work.group(&member).await? {
                member.parents.retain(|parent| *parent != self.id);
                work.put_group(member);
            }
        }
        work.delete_group(&self.id);
        Ok(())
    }
}

impl Change for LeaveGroup {
    type Done = ();

    async fn decide(&self, work: &mut Work) -> Result<(), Fault> {
        for id in &self.entities {
            if let Some(mut entity) = work.entity(id).await? {
                entity.groups.retain(|known| *known != self.group);
                work.put_entity(entity);
            }
        }
        Ok(())
    }
}

fn refuse_too_many(relatives: usize) -> Result<(), Fault> {
    match relatives > MAX_RELATIVES {
        true => Err(Fault::Invalid(format!(
            "a group can hold, and be in, at most {MAX_RELATIVES} groups"
        ))),
        false => Ok(()),
    }
}

/// A new group; its name is made up where none is given.
pub(super) fn new_group(work: &Work, name: Option<&str>) -> Group {
    Group {
        id: work.new_id(),
        name: name.map_or_else(|| work.new_name("group"), str::to_owned),
        created: work.now,
        updated: work.now,
        ..Group::default()
    }
}

/// The groups above a group, however far. They are a part of what the change was decided on, so that two changes
/// at the same time can not close a circle together.
async fn above(work: &mut Work, group: &str) -> Result<BTreeSet<String>, Fault> {
    let mut above = BTreeSet::new();
    let mut next = vec![group.to_owned()];
    while let Some(id) = next.pop() {
        let Some(group) = work.group(&id).await? else {
            continue;
        };
        for parent in group.parents {
            if above.insert(parent.clone()) {
                next.push(parent);
            }
        }
    }
    Ok(above)
}
