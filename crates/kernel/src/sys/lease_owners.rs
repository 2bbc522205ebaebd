//! `sys/leases/owners`: who has the most leases.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::leases::{self, By};
use crate::namespaces::id_of;
use crate::open::Open;
use crate::tokens::TokenRecord;

/// How many owners are shown unless told otherwise.
const DEFAULT_SHOWN_OWNERS: i64 = 10;
/// How many owners one answer shows, at most.
const MAX_SHOWN_OWNERS: usize = 1_000;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path("leases/owners", "Who has the most leases.")
        .sudo()
        .read::<ReadOwners>()])
}

/// Shows who has the most leases in this namespace and in those within it, the highest number first.
#[derive(Deserialize, JsonSchema)]
struct ReadOwners {
    /// `token` (the default), `entity` or `namespace`.
    #[serde(default)]
    by: Text,
    /// At most so many owners: 10 unless told otherwise, 1,000 at most.
    #[serde(default)]
    limit: Option<Int>,
}

impl Handle<Open> for ReadOwners {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let by = match self.by.0.as_str() {
            "" | "token" => By::Token,
            "entity" => By::Entity,
            "namespace" => By::Namespace,
            _ => return Err(Fault::invalid("by must be token, entity or namespace")),
        };
        let limit = self.limit.map_or(DEFAULT_SHOWN_OWNERS, |limit| limit.0);
        let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
        let limit = limit.ok_or_else(|| Fault::invalid("limit must be a number from 1 on"))?;
        let mut shown = Vec::new();
        for (owner, count) in leases::owners(open, by, limit.min(MAX_SHOWN_OWNERS)).await? {
            let mut owner = match by {
                By::Token => shown_token(open, &owner).await?,
                By::Entity => shown_entity(open, &owner).await?,
                By::Namespace => shown_namespace(open, &owner).await?,
            };
            owner.insert("leases".to_owned(), count.into());
            shown.push(owner);
        }
        Reply::data(&json!({ "owners": shown }))
    }
}

/// What is known of a token. One of a namespace above is not named: nobody reaches up.
async fn shown_token(open: &Open, accessor: &str) -> Result<Map<String, Value>, Fault> {
    let seal = open.namespaces.seals.closed(id_of(accessor));
    if let Some(seal) = seal.filter(|seal| seal.path.starts_with(&open.space.path)) {
        return Ok(Map::from_iter([
            ("accessor".to_owned(), accessor.into()),
            ("namespace".to_owned(), seal.shown(id_of(accessor)).into()),
            ("sealed".to_owned(), true.into()),
        ]));
    }
    let Some(home) = open.within(accessor).await? else {
        return Ok(Map::from_iter([("from_above".to_owned(), true.into())]));
    };
    let token = open.tokens.by_accessor(accessor).await?;
    let of = |get: fn(TokenRecord) -> String| token.clone().map(get).unwrap_or_default();
    Ok(Map::from_iter([
        ("accessor".to_owned(), accessor.into()),
        (
            "display_name".to_owned(),
            of(|token| token.display_name).into(),
        ),
        ("entity_id".to_owned(), of(|token| token.entity_id).into()),
        ("namespace".to_owned(), home.space.path.clone().into()),
    ]))
}

/// What is known of an entity; the empty id stands for all tokens that have none.
async fn shown_entity(open: &Open, id: &str) -> Result<Map<String, Value>, Fault> {
    if id.is_empty() {
        return Ok(Map::from_iter([("entity_id".to_owned(), "".into())]));
    }
    let Some(home) = open.within(id).await? else {
        return Ok(Map::from_iter([("from_above".to_owned(), true.into())]));
    };
    let entity = home.space.identity.entity(id).await?;
    Ok(Map::from_iter([
        ("entity_id".to_owned(), id.into()),
        (
            "entity_name".to_owned(),
            entity.map(|entity| entity.name).unwrap_or_default().into(),
        ),
        ("namespace".to_owned(), home.space.path.clone().into()),
    ]))
}

async fn shown_namespace(open: &Open, id: &str) -> Result<Map<String, Value>, Fault> {
    let path = match open.namespaces.seals.closed(id) {
        Some(seal) => seal.shown(id),
        None => {
            let space = open.namespaces.by_id(id).await?;
            space.map(|space| space.path.clone()).unwrap_or_default()
        }
    };
    Ok(Map::from_iter([("namespace".to_owned(), path.into())]))
}
