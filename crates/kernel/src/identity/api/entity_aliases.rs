//! `identity/entity-alias`: under which names auth methods know entities.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{KvPairs, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::change::{AliasKey, DeleteAlias, Done, PutAlias};
use super::shapes::ShownAlias;
use super::told;
use super::{Listed, given, mount_of, said};
use crate::events::catalogue;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "entity-alias",
            "Makes an alias of an entity, or changes one.",
        )
        .write::<PutAny>(),
        path("entity-alias/id", "Lists the aliases of entities.").list::<ListIds>(),
        path("entity-alias/id/{id}", "One alias of an entity.")
            .read::<ReadById>()
            .write::<PutById>()
            .delete::<DeleteById>(),
        path("alias", "The old name of entity-alias.").write::<PutAny>(),
        path("alias/id", "The old name of entity-alias/id.").list::<ListIds>(),
        path("alias/id/{id}", "The old name of entity-alias/id.")
            .read::<ReadById>()
            .write::<PutById>()
            .delete::<DeleteById>(),
    ])
}

/// What may be said about an alias.
#[derive(Deserialize, JsonSchema)]
struct Wish {
    /// The name under which the auth method knows the entity.
    #[serde(default)]
    name: Text,
    /// The accessor of the auth method's mount.
    #[serde(default)]
    mount_accessor: Text,
    /// The id of the entity.
    #[serde(default)]
    canonical_id: Text,
    /// The older name of `canonical_id`.
    #[serde(default)]
    entity_id: Text,
    /// Notes, instead of those that are there.
    #[serde(default, deserialize_with = "given")]
    custom_metadata: Option<KvPairs>,
}

/// Makes an alias, with an entity if none is named; changes the one that is there.
#[derive(Deserialize, JsonSchema)]
struct PutAny {
    /// Its id, to change it by.
    #[serde(default)]
    id: Text,
    /// The rest.
    #[serde(flatten)]
    wish: Wish,
}

/// Changes an alias.
#[derive(Deserialize, JsonSchema)]
struct PutById {
    /// Its id.
    id: String,
    /// The rest.
    #[serde(flatten)]
    wish: Wish,
}

impl Handle<Open> for PutAny {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let key = said(&self.id.0).map_or(AliasKey::Factors, AliasKey::Id);
        self.wish.put(open, cx, key).await
    }
}

impl Handle<Open> for PutById {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        self.wish.put(open, cx, AliasKey::Id(self.id)).await
    }
}

impl Wish {
    async fn put(self, open: &Open, cx: &Ctx, key: AliasKey) -> Result<Reply, Fault> {
        let (name, mount) = (said(&self.name.0), said(&self.mount_accessor.0));
        if matches!(key, AliasKey::Factors) && (name.is_none() || mount.is_none()) {
            return Err(Fault::invalid(
                "'id' or 'mount_accessor' and 'name' must be provided",
            ));
        }
        let local = match &mount {
            Some(accessor) => mount_of(open, accessor)?,
            None => false,
        };
        let put = PutAlias {
            key,
            name,
            mount,
            local,
            entity: said(&self.canonical_id.0).or_else(|| said(&self.entity_id.0)),
            custom_metadata: self.custom_metadata.map(|pairs| pairs.0),
        };
        let (done, alias, entity) = open.space.identity.apply(&put, cx.now, &cx.random).await?;
        if done != Done::Same {
            let event = told(catalogue::ENTITY_ALIAS_WRITE, "entity-alias", &alias.id);
            let event = event.with("name", &alias.name);
            open.tell(event.with("entity_id", &entity));
        }
        match done {
            Done::Same => Ok(Reply::default()),
            Done::Made | Done::Changed => {
                Reply::data(&json!({ "canonical_id": entity, "id": alias.id }))
            }
        }
    }
}

/// Shows an alias.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ReadById {
    /// Its id.
    id: String,
}

impl Handle<Open> for ReadById {
    type Reply = ShownAlias;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<ShownAlias, Fault> {
        let entity = open.space.identity.entity_by_alias_id(&self.id).await?;
        let entity = entity.ok_or(Fault::NotFound)?;
        let alias = entity.alias(&self.id).ok_or(Fault::NotFound)?;
        Ok(ShownAlias::alone(open, alias, &entity.id))
    }
}

/// Deletes an alias; its entity stays.
#[derive(Deserialize, JsonSchema)]
pub(super) struct DeleteById {
    /// Its id.
    id: String,
}

impl Handle<Open> for DeleteById {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        let identity = &open.space.identity;
        let entity = identity.entity_by_alias_id(&self.id).await?;
        let delete = DeleteAlias { id: self.id };
        identity.apply(&delete, cx.now, &cx.random).await?;
        let alias = entity.as_ref().and_then(|entity| entity.alias(&delete.id));
        let event = told(catalogue::ENTITY_ALIAS_DELETE, "entity-alias", &delete.id);
        let event = event.with_known("name", alias.map(|alias| &alias.name));
        open.tell(event.with_known("entity_id", entity.as_ref().map(|entity| &entity.id)));
        Ok(Empty)
    }
}

/// Lists the aliases of entities.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ListIds {}

impl Handle<Open> for ListIds {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let mut listed = Listed::default();
        let mut pages = open.space.identity.entities();
        while !listed.is_full()
            && let Some(page) = pages.next().await?
        {
            for (_, entity) in &page {
                for alias in &entity.aliases {
                    let info = ShownAlias::listed(open, alias, &entity.id);
                    listed.add(alias.id.clone(), info);
                }
            }
        }
        listed.reply()
    }
}
