//! `identity/lookup`: finding an entity or a group by what is known of it.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use super::groups;
use super::shapes::ShownEntity;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("lookup/entity", "Finds an entity.").write::<FindEntity>(),
        path("lookup/group", "Finds a group.").write::<FindGroup>(),
    ])
}

/// What is known; one of its four ways.
#[derive(Deserialize, JsonSchema)]
struct Known {
    /// Its id.
    #[serde(default)]
    id: Text,
    /// Its name.
    #[serde(default)]
    name: Text,
    /// The id of its alias.
    #[serde(default)]
    alias_id: Text,
    /// The name of its alias, with `alias_mount_accessor`.
    #[serde(default)]
    alias_name: Text,
    /// The accessor of the mount of its alias, with `alias_name`.
    #[serde(default)]
    alias_mount_accessor: Text,
}

/// The one way that was taken.
enum Way {
    Id(String),
    Name(String),
    AliasId(String),
    Alias { mount: String, name: String },
}

impl Known {
    fn way(self) -> Result<Way, Fault> {
        let by_alias = !self.alias_name.0.is_empty() || !self.alias_mount_accessor.0.is_empty();
        let ways = [
            !self.id.0.is_empty(),
            !self.name.0.is_empty(),
            !self.alias_id.0.is_empty(),
            by_alias,
        ];
        match ways.iter().filter(|taken| **taken).count() {
            0 => return Err(Fault::invalid("query parameter not supplied")),
            1 => {}
            _ => {
                return Err(Fault::invalid(
                    "query parameter conflict; please supply distinct set of query parameters",
                ));
            }
        }
        Ok(match ways {
            [true, ..] => Way::Id(self.id.0),
            [_, true, ..] => Way::Name(self.name.0),
            [_, _, true, _] => Way::AliasId(self.alias_id.0),
            _ if self.alias_name.0.is_empty() || self.alias_mount_accessor.0.is_empty() => {
                return Err(Fault::invalid(
                    "both 'alias_name' and 'alias_mount_accessor' needs to be set",
                ));
            }
            _ => Way::Alias {
                mount: self.alias_mount_accessor.0,
                name: self.alias_name.0,
            },
        })
    }
}

/// Finds an entity by its id, its name or an alias; nothing is answered where there is none.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct FindEntity(Known);

impl Handle<Open> for FindEntity {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let identity = &open.space.identity;
        let found = match self.0.way()? {
            Way::Id(id) => identity.entity(&id).await?,
            Way::Name(name) => identity.entity_by_name(&name).await?,
            Way::AliasId(id) => identity.entity_by_alias_id(&id).await?,
            Way::Alias { mount, name } => identity.entity_by_alias(&mount, &name).await?,
        };
        match found {
            Some(entity) => {
                let standing = identity.gathered(entity).await?;
                Reply::data(&ShownEntity::of(open, &standing))
            }
            None => Ok(Reply::default()),
        }
    }
}

/// Finds a group by its id, its name or its alias; nothing is answered where there is none.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct FindGroup(Known);

impl Handle<Open> for FindGroup {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let identity = &open.space.identity;
        let found = match self.0.way()? {
            Way::Id(id) => identity.group(&id).await?,
            Way::Name(name) => identity.group_by_name(&name).await?,
            Way::AliasId(id) => identity.group_by_alias_id(&id).await?,
            Way::Alias { mount, name } => identity.group_by_alias(&mount, &name).await?,
        };
        match found {
            Some(group) => Reply::data(&groups::shown(open, &group).await?),
            None => Ok(Reply::default()),
        }
    }
}
