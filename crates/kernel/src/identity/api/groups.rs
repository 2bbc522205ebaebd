//! `identity/group`: groups.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, KvPairs, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::Group;
use super::super::change::{DeleteGroup, Done, GroupKey, LeaveGroup, PutGroup};
use super::shapes::{ShownAlias, ShownGroup};
use super::told;
use super::{Listed, given, said};
use crate::events::catalogue;
use crate::open::Open;

/// How many members forget a deleted group in one step.
const LEAVE_AT_ONCE: usize = 200;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("group", "Makes a group, or changes one by its id.").write::<PutAny>(),
        path("group/id", "Lists groups by their ids.").list::<ListIds>(),
        path("group/id/{id}", "One group, by its id.")
            .read::<ReadById>()
            .write::<PutById>()
            .delete::<DeleteById>(),
        path("group/name", "Lists groups by their names.").list::<ListNames>(),
        path("group/name/{name*}", "One group, by its name.")
            .caseless()
            .read::<ReadByName>()
            .write::<PutByName>()
            .delete::<DeleteByName>(),
    ])
}

/// What may be said about a group.
#[derive(Deserialize, JsonSchema)]
struct Wish {
    /// `internal`, or `external` for one whose members an auth method names; never changed.
    #[serde(default, rename = "type")]
    kind: Text,
    /// Notes, instead of those that are there.
    #[serde(default, deserialize_with = "given")]
    metadata: Option<Option<KvPairs>>,
    /// Policies, instead of those that are there.
    #[serde(default, deserialize_with = "given")]
    policies: Option<CommaList>,
    /// The ids of the entities that are its members, and no others.
    #[serde(default)]
    member_entity_ids: Option<CommaList>,
    /// The ids of the groups that are its members, and no others.
    #[serde(default)]
    member_group_ids: Option<CommaList>,
}

/// Makes a group; changes the one that is there where an id or a name says so.
#[derive(Deserialize, JsonSchema)]
struct PutAny {
    /// Its id, to change it by.
    #[serde(default)]
    id: Text,
    /// Its name; made up where none is given.
    #[serde(default)]
    name: Text,
    /// The rest.
    #[serde(flatten)]
    wish: Wish,
}

/// Changes a group.
#[derive(Deserialize, JsonSchema)]
struct PutById {
    /// Its id.
    id: String,
    /// Its new name.
    #[serde(default)]
    name: Text,
    /// The rest.
    #[serde(flatten)]
    wish: Wish,
}

/// Makes or changes a group.
#[derive(Deserialize, JsonSchema)]
struct PutByName {
    /// Its name; upper and lower case are alike.
    name: String,
    /// The id of a group that gets this name.
    #[serde(default)]
    id: Text,
    /// The rest.
    #[serde(flatten)]
    wish: Wish,
}

impl Handle<Open> for PutAny {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let key = match (said(&self.id.0), said(&self.name.0)) {
            (Some(id), _) => GroupKey::Id(id),
            (None, Some(name)) => GroupKey::Name(name),
            (None, None) => GroupKey::New,
        };
        self.wish.put(open, cx, key, said(&self.name.0)).await
    }
}

impl Handle<Open> for PutById {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let name = said(&self.name.0);
        self.wish.put(open, cx, GroupKey::Id(self.id), name).await
    }
}

impl Handle<Open> for PutByName {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let (key, name) = match said(&self.id.0) {
            Some(id) => (GroupKey::Id(id), Some(self.name)),
            None => (GroupKey::Name(self.name), None),
        };
        self.wish.put(open, cx, key, name).await
    }
}

impl Wish {
    async fn put(
        self,
        open: &Open,
        cx: &Ctx,
        key: GroupKey,
        name: Option<String>,
    ) -> Result<Reply, Fault> {
        let put = PutGroup {
            store: &open.space.identity,
            key,
            name,
            kind: said(&self.kind.0),
            metadata: self.metadata.map(|given| given.map(|pairs| pairs.0)),
            policies: self.policies.map(|policies| policies.0),
            member_entities: self.member_entity_ids.map(|ids| ids.0),
            member_groups: self.member_group_ids.map(|ids| ids.0),
        };
        let (done, group) = open.space.identity.apply(&put, cx.now, &cx.random).await?;
        if done != Done::Same {
            let event = told(catalogue::GROUP_WRITE, "group", &group.id);
            open.tell(event.with("name", &group.name));
        }
        match done {
            Done::Made => Reply::data(&json!({ "id": group.id, "name": group.name })),
            Done::Changed | Done::Same => Ok(Reply::default()),
        }
    }
}

/// Shows a group.
#[derive(Deserialize, JsonSchema)]
struct ReadById {
    /// Its id.
    id: String,
}

impl Handle<Open> for ReadById {
    type Reply = ShownGroup;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<ShownGroup, Fault> {
        let group = open.space.identity.group(&self.id).await?;
        shown(open, &group.ok_or(Fault::NotFound)?).await
    }
}

/// Shows a group.
#[derive(Deserialize, JsonSchema)]
struct ReadByName {
    /// Its name; upper and lower case are alike.
    name: String,
}

impl Handle<Open> for ReadByName {
    type Reply = ShownGroup;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<ShownGroup, Fault> {
        let group = open.space.identity.group_by_name(&self.name).await?;
        shown(open, &group.ok_or(Fault::NotFound)?).await
    }
}

/// A group with its members and those of its parents that are there.
pub(super) async fn shown(open: &Open, group: &Group) -> Result<ShownGroup, Fault> {
    let entities = open.space.identity.member_entities(&group.id).await?;
    let groups = open.space.identity.member_groups(&group.id).await?;
    let parents = open.space.identity.parents(group).await?;
    Ok(ShownGroup::of(open, group, &parents, &entities, &groups))
}

/// Deletes a group; its members stay.
#[derive(Deserialize, JsonSchema)]
struct DeleteById {
    /// Its id.
    id: String,
}

impl Handle<Open> for DeleteById {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        if open.space.identity.group(&self.id).await?.is_some() {
            delete(open, cx, &self.id).await?;
        }
        Ok(Empty)
    }
}

/// Deletes a group; its members stay.
#[derive(Deserialize, JsonSchema)]
struct DeleteByName {
    /// Its name; upper and lower case are alike.
    name: String,
}

impl Handle<Open> for DeleteByName {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        if let Some(group) = open.space.identity.group_by_name(&self.name).await? {
            delete(open, cx, &group.id).await?;
        }
        Ok(Empty)
    }
}

/// The group is gone with the first step, for decisions, too. What its members still name leads nowhere.
async fn delete(open: &Open, cx: &Ctx, id: &str) -> Result<(), Fault> {
    let known = open.space.identity.group(id).await?;
    let delete = DeleteGroup {
        store: &open.space.identity,
        id: id.to_owned(),
    };
    open.space
        .identity
        .apply(&delete, cx.now, &cx.random)
        .await?;
    let members = open.space.identity.member_entities(id).await?;
    for entities in members.chunks(LEAVE_AT_ONCE) {
        let leave = LeaveGroup {
            group: id.to_owned(),
            entities: entities.to_vec(),
        };
        open.space
            .identity
            .apply(&leave, cx.now, &cx.random)
            .await?;
    }
    let name = known.map(|group| group.name);
    open.tell(told(catalogue::GROUP_DELETE, "group", id).with_known("name", name));
    Ok(())
}

/// Lists groups by their ids, with their names, aliases and how many members and parents they have.
#[derive(Deserialize, JsonSchema)]
struct ListIds {}

impl Handle<Open> for ListIds {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let mut listed = Listed::default();
        let mut pages = open.space.identity.groups();
        while !listed.is_full()
            && let Some(page) = pages.next().await?
        {
            for (_, group) in page {
                let mut info = json!({
                    "name": group.name,
                    "num_member_entities": open.space.identity.member_entities(&group.id).await?.len(),
                    "num_parent_groups": open.space.identity.parents(&group).await?.len(),
                });
                if let (Some(info), Some(alias)) = (info.as_object_mut(), &group.alias) {
                    info.insert("alias".into(), ShownAlias::in_list(open, alias));
                }
                listed.add(group.id, info);
            }
        }
        listed.reply()
    }
}

/// Lists groups by their names.
#[derive(Deserialize, JsonSchema)]
struct ListNames {}

impl Handle<Open> for ListNames {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let mut names = Vec::new();
        let mut pages = open.space.identity.groups();
        while names.len() < super::MAX_LISTED_RECORDS
            && let Some(page) = pages.next().await?
        {
            names.extend(page.into_iter().map(|(_, group)| group.name));
        }
        super::names(names)
    }
}
