//! `identity/persona`: the oldest name of aliases. They are read, listed and deleted here; what is written is an entity, as
//! with every server that has these paths.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{KvPairs, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::change::EntityKey;
use super::{entities, entity_aliases, given, said};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("persona", "Makes an entity, or changes one; use entity.").write::<PutAny>(),
        path("persona/id", "The oldest name of entity-alias/id.").list::<entity_aliases::ListIds>(),
        path(
            "persona/id/{id}",
            "The oldest name of entity-alias/id; written, one entity.",
        )
        .read::<entity_aliases::ReadById>()
        .write::<PutById>()
        .delete::<entity_aliases::DeleteById>(),
    ])
}

/// What may be said here.
#[derive(Deserialize, JsonSchema)]
struct Wish {
    /// Its name.
    #[serde(default)]
    name: Text,
    /// Notes, instead of those that are there.
    #[serde(default, deserialize_with = "given")]
    metadata: Option<Option<KvPairs>>,
    /// Not looked at; to tie an alias to an entity, use `entity-alias`.
    #[serde(default, rename = "entity_id")]
    _entity_id: Text,
    /// Not looked at; to tie an alias to a mount, use `entity-alias`.
    #[serde(default, rename = "mount_accessor")]
    _mount_accessor: Text,
}

/// Makes an entity; changes the one that is there where an id or a name says so.
#[derive(Deserialize, JsonSchema)]
struct PutAny {
    /// Its id, to change it by.
    #[serde(default)]
    id: Text,
    /// The rest.
    #[serde(flatten)]
    wish: Wish,
}

/// Changes an entity.
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
        let Wish { name, metadata, .. } = self.wish;
        let (key, name) = EntityKey::of(said(&self.id.0), said(&name.0));
        let wish = entities::Wish::noting(metadata);
        wish.put(open, cx, key, name).await
    }
}

impl Handle<Open> for PutById {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let Wish { name, metadata, .. } = self.wish;
        let wish = entities::Wish::noting(metadata);
        let key = EntityKey::Id(self.id);
        wish.put(open, cx, key, said(&name.0)).await
    }
}
