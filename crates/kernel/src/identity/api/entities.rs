//! `identity/entity`: entities, and making one of several.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, Flag, KvPairs, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::change::{Clash, DeleteEntities, Done, EntityKey, Merge, PutEntity};
use super::super::name;
use super::shapes::{ShownAlias, ShownEntity};
use super::told;
use super::{Listed, given, said};
use crate::events::catalogue;
use crate::open::Open;

/// The most entities that one request may delete or merge.
const MAX_ENTITIES: usize = 10_000;
/// How many entities are deleted in one step.
const DELETED_AT_ONCE: usize = 50;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("entity", "Makes an entity, or changes one by its id.").write::<PutAny>(),
        path("entity/id", "Lists entities by their ids.").list::<ListIds>(),
        path("entity/id/{id}", "One entity, by its id.")
            .read::<ReadById>()
            .write::<PutById>()
            .delete::<DeleteById>(),
        path("entity/name", "Lists entities by their names.").list::<ListNames>(),
        path("entity/name/{name*}", "One entity, by its name.")
            .caseless()
            .read::<ReadByName>()
            .write::<PutByName>()
            .delete::<DeleteByName>(),
        path("entity/batch-delete", "Deletes several entities.").write::<DeleteBatch>(),
        path("entity/merge", "Makes one entity of several.").write::<MergeEntities>(),
    ])
}

/// What may be said about an entity.
#[derive(Default, Deserialize, JsonSchema)]
pub(super) struct Wish {
    /// Notes, instead of those that are there.
    #[serde(default, deserialize_with = "given")]
    metadata: Option<Option<KvPairs>>,
    /// Policies, instead of those that are there.
    #[serde(default, deserialize_with = "given")]
    policies: Option<CommaList>,
    /// Whether its tokens are refused.
    #[serde(default)]
    disabled: Option<Flag>,
}

/// Makes an entity; changes the one that is there where an id or a name says so.
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

/// Changes an entity.
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

/// Makes or changes an entity.
#[derive(Deserialize, JsonSchema)]
struct PutByName {
    /// Its name; upper and lower case are alike.
    name: String,
    /// The id of an entity that gets this name.
    #[serde(default)]
    id: Text,
    /// The rest.
    #[serde(flatten)]
    wish: Wish,
}

impl Handle<Open> for PutAny {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let (key, name) = EntityKey::of(said(&self.id.0), said(&self.name.0));
        self.wish.put(open, cx, key, name).await
    }
}

impl Handle<Open> for PutById {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let name = said(&self.name.0);
        self.wish.put(open, cx, EntityKey::Id(self.id), name).await
    }
}

impl Handle<Open> for PutByName {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let (key, name) = match said(&self.id.0) {
            Some(id) => (EntityKey::Id(id), Some(self.name)),
            None => (EntityKey::Name(self.name), None),
        };
        self.wish.put(open, cx, key, name).await
    }
}

impl Wish {
    /// One that speaks of notes alone.
    pub(super) fn noting(metadata: Option<Option<KvPairs>>) -> Self {
        Self {
            metadata,
            ..Self::default()
        }
    }

    pub(super) async fn put(
        self,
        open: &Open,
        cx: &Ctx,
        key: EntityKey,
        name: Option<String>,
    ) -> Result<Reply, Fault> {
        let put = PutEntity {
            key,
            name,
            metadata: self.metadata.map(|given| given.map(|pairs| pairs.0)),
            policies: self.policies.map(|policies| policies.0),
            disabled: self.disabled.map(|flag| flag.0),
        };
        let (done, entity) = open.space.identity.apply(&put, cx.now, &cx.random).await?;
        if done != Done::Same {
            let event = told(catalogue::ENTITY_WRITE, "entity", &entity.id);
            open.tell(event.with("name", &entity.name));
        }
        match done {
            Done::Made => Reply::data(&json!({
                "aliases": null, "id": entity.id, "name": entity.name,
            })),
            Done::Changed | Done::Same => Ok(Reply::default()),
        }
    }
}

/// Shows an entity.
#[derive(Deserialize, JsonSchema)]
struct ReadById {
    /// Its id.
    id: String,
}

impl Handle<Open> for ReadById {
    type Reply = ShownEntity;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<ShownEntity, Fault> {
        let entity = open.space.identity.entity(&self.id).await?;
        let standing = open.space.identity.gathered(entity.ok_or(Fault::NotFound)?);
        Ok(ShownEntity::of(open, &standing.await?))
    }
}

/// Shows an entity.
#[derive(Deserialize, JsonSchema)]
struct ReadByName {
    /// Its name; upper and lower case are alike.
    name: String,
}

impl Handle<Open> for ReadByName {
    type Reply = ShownEntity;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<ShownEntity, Fault> {
        let entity = open.space.identity.entity_by_name(&self.name).await?;
        let standing = open.space.identity.gathered(entity.ok_or(Fault::NotFound)?);
        Ok(ShownEntity::of(open, &standing.await?))
    }
}

/// Deletes an entity: its tokens are refused from then on, its aliases are gone.
#[derive(Deserialize, JsonSchema)]
struct DeleteById {
    /// Its id.
    id: String,
}

impl Handle<Open> for DeleteById {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        delete(open, cx, vec![self.id]).await
    }
}

/// Deletes an entity: its tokens are refused from then on, its aliases are gone.
#[derive(Deserialize, JsonSchema)]
struct DeleteByName {
    /// Its name; upper and lower case are alike.
    name: String,
}

impl Handle<Open> for DeleteByName {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        // Only while it bears the name: it may be renamed meanwhile.
        while let Some(entity) = open.space.identity.entity_by_name(&self.name).await? {
            delete(open, cx, vec![entity.id]).await?;
        }
        Ok(Empty)
    }
}

/// Deletes several entities.
#[derive(Deserialize, JsonSchema)]
struct DeleteBatch {
    /// Their ids.
    #[serde(default)]
    entity_ids: CommaList,
}

impl Handle<Open> for DeleteBatch {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        if self.entity_ids.0.is_empty() {
            return Err(Fault::invalid("missing entity ids to delete"));
        }
        refuse_too_many(&self.entity_ids.0)?;
        delete(open, cx, self.entity_ids.0).await
    }
}

async fn delete(open: &Open, cx: &Ctx, ids: Vec<String>) -> Result<Empty, Fault> {
    for ids in ids.chunks(DELETED_AT_ONCE) {
        let mut names = Vec::new();
        for id in ids.iter().filter(|id| name::is_id(id)) {
            let known = open.space.identity.entity(id).await?;
            names.push((id, known.map(|entity| entity.name)));
        }
        match delete_at_once(open, cx, ids).await {
            Err(Fault::TooLarge(_)) => {
                for id in ids.chunks(1) {
                    delete_at_once(open, cx, id).await?; // Each is in many groups.
                }
            }
            done => done?,
        }
        for (id, known) in names {
            open.space.mfa.forget(id).await?;
            open.space.oidc.codes.forget(id).await?;
            open.tell(told(catalogue::ENTITY_DELETE, "entity", id).with_known("name", known));
        }
    }
    Ok(Empty)
}

async fn delete_at_once(open: &Open, cx: &Ctx, ids: &[String]) -> Result<(), Fault> {
    let delete = DeleteEntities { ids: ids.to_vec() };
    let identity = &open.space.identity;
    identity.apply(&delete, cx.now, &cx.random).await
}

/// Moves the aliases and groups of entities to another one; they are gone then, and their tokens are its tokens.
#[derive(Deserialize, JsonSchema)]
struct MergeEntities {
    /// The ids of those that go.
    #[serde(default)]
    from_entity_ids: CommaList,
    /// The id of the one that remains.
    #[serde(default)]
    to_entity_id: Text,
    /// Of two aliases in the same mount, the ids of those that stay.
    #[serde(default)]
    conflicting_alias_ids_to_keep: CommaList,
    /// Second factors of the one that remains win over those of the others.
    #[serde(default, rename = "force")]
    _force: Flag,
}

impl Handle<Open> for MergeEntities {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        if self.to_entity_id.0.is_empty() {
            return Err(Fault::invalid("missing entity id to merge to"));
        }
        if self.from_entity_ids.0.is_empty() {
            return Err(Fault::invalid("missing entity ids to merge from"));
        }
        refuse_too_many(&self.from_entity_ids.0)?;
        let merge = Merge {
            from: self.from_entity_ids.0,
            to: self.to_entity_id.0,
            keep: self.conflicting_alias_ids_to_keep.0,
        };
        let identity = &open.space.identity;
        let clashes = identity.apply(&merge, cx.now, &cx.random).await?;
        if !clashes.is_empty() {
            return clashed(open, &clashes);
        }
        for id in merge.from.iter().filter(|id| name::is_id(id)) {
            open.space.mfa.hand_over(id, &merge.to).await?;
            open.space.oidc.codes.forget(id).await?;
        }
        let event = told(catalogue::ENTITY_MERGE, "entity", &merge.to);
        open.tell(event.with("merged", merge.from.join(",")));
        Ok(Reply::default())
    }
}

/// Tells of each two aliases in the same mount, so that somebody can say which of them are to be kept.
fn clashed(open: &Open, clashes: &[Clash]) -> Result<Reply, Fault> {
    let mut text = "toEntity and at least one fromEntity have aliases with the same mount accessor, repeat the merge request specifying exactly one fromEntity, clashes:".to_owned();
    let mut sides = Vec::new();
    for clash in clashes {
        text.push_str("\n\t* ");
        text.push_str(&clash.told());
        for side in [&clash.ours, &clash.theirs] {
            let mount = open.space.mounts.by_accessor(&side.alias.mount);
            let mount = mount.as_ref().map(|mount| &mount.record);
            sides.push(json!({
                "alias": side.alias.name,
                "entity": side.entity,
                "entity_id": side.entity_id,
                "mount": mount.map(|mount| &mount.kind),
                "mount_path": mount.map(|mount| &mount.path),
            }));
        }
    }
    Ok(Reply::bare(&json!({ "errors": [text], "data": sides }))?.status(400))
}

fn refuse_too_many(ids: &[String]) -> Result<(), Fault> {
    if ids.len() > MAX_ENTITIES {
        return Err(Fault::Invalid(format!(
            "one request may name at most {MAX_ENTITIES} entities; do it in parts"
        )));
    }
    if let Some(odd) = ids.iter().find(|id| id.len() > name::MAX_NAME_BYTES) {
        let shown: String = odd.chars().take(64).collect();
        return Err(Fault::Invalid(format!(
            "{shown:?} is not the id of an entity"
        )));
    }
    Ok(())
}

/// Lists entities by their ids, with their names and aliases.
#[derive(Deserialize, JsonSchema)]
struct ListIds {}

impl Handle<Open> for ListIds {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let mut listed = Listed::default();
        let mut pages = open.space.identity.entities();
        while !listed.is_full()
            && let Some(page) = pages.next().await?
        {
            for (_, entity) in page {
                let mut info = json!({ "name": entity.name });
                let aliases = entity.aliases.iter();
                let aliases: Vec<_> = aliases
                    .map(|alias| ShownAlias::in_list(open, alias))
                    .collect();
                if let Some(info) = info.as_object_mut().filter(|_| !aliases.is_empty()) {
                    info.insert("aliases".into(), aliases.into());
                }
                listed.add(entity.id, info);
            }
        }
        listed.reply()
    }
}

/// Lists entities by their names.
#[derive(Deserialize, JsonSchema)]
struct ListNames {}

impl Handle<Open> for ListNames {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let mut names = Vec::new();
        let mut pages = open.space.identity.entities();
        while names.len() < super::MAX_LISTED_RECORDS
            && let Some(page) = pages.next().await?
        {
            names.extend(page.into_iter().map(|(_, entity)| entity.name));
        }
        super::names(names)
    }
}
