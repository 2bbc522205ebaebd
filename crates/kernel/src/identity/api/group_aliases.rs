//! `identity/group-alias`: under which names auth methods know external groups.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::change::{DeleteGroupAlias, PutGroupAlias};
use super::shapes::ShownAlias;
use super::told;
use super::{Listed, mount_of, said};
use crate::events::catalogue;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("group-alias", "Makes the alias of a group, or changes it.").write::<PutAny>(),
        path("group-alias/id", "Lists the aliases of groups.").list::<ListIds>(),
        path("group-alias/id/{id}", "One alias of a group.")
            .read::<ReadById>()
            .write::<PutById>()
            .delete::<DeleteById>(),
    ])
}

/// What may be said about the alias of a group.
#[derive(Deserialize, JsonSchema)]
struct Wish {
    /// The name under which the auth method knows the group.
    #[serde(default)]
    name: Text,
    /// The accessor of the auth method's mount.
    #[serde(default)]
    mount_accessor: Text,
    /// The id of the group.
    #[serde(default)]
    canonical_id: Text,
}

/// Makes the alias of an external group, with a group if none is named.
#[derive(Deserialize, JsonSchema)]
struct PutAny {
    /// Its id, to change it by.
    #[serde(default)]
    id: Text,
    /// The rest.
    #[serde(flatten)]
    wish: Wish,
}

/// Changes the alias of a group.
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
        self.wish.put(open, cx, said(&self.id.0)).await
    }
}

impl Handle<Open> for PutById {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        self.wish.put(open, cx, Some(self.id)).await
    }
}

impl Wish {
    async fn put(self, open: &Open, cx: &Ctx, id: Option<String>) -> Result<Reply, Fault> {
        if let Some(id) = &id
            && open.space.identity.group_by_alias_id(id).await?.is_none()
        {
            return Err(Fault::invalid("invalid group alias ID"));
        }
        if self.name.0.is_empty() {
            return Err(Fault::invalid("missing alias name"));
        }
        if self.mount_accessor.0.is_empty() {
            return Err(Fault::invalid("missing mount_accessor"));
        }
        let put = PutGroupAlias {
            id,
            local: mount_of(open, &self.mount_accessor.0)?,
            name: self.name.0,
            mount: self.mount_accessor.0,
            group: said(&self.canonical_id.0),
        };
        let (alias, group) = open.space.identity.apply(&put, cx.now, &cx.random).await?;
        let event = told(catalogue::GROUP_ALIAS_WRITE, "group-alias", &alias.id);
        let event = event.with("name", &alias.name);
        open.tell(event.with("group_id", &group));
        Reply::data(&json!({ "canonical_id": group, "id": alias.id }))
    }
}

/// Shows the alias of a group.
#[derive(Deserialize, JsonSchema)]
struct ReadById {
    /// Its id.
    id: String,
}

impl Handle<Open> for ReadById {
    type Reply = ShownAlias;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<ShownAlias, Fault> {
        let group = open.space.identity.group_by_alias_id(&self.id).await?;
        let group = group.ok_or(Fault::NotFound)?;
        let alias = group.alias.as_ref().ok_or(Fault::NotFound)?;
        Ok(ShownAlias::alone(open, alias, &group.id))
    }
}

/// Deletes the alias of a group; the group stays.
#[derive(Deserialize, JsonSchema)]
struct DeleteById {
    /// Its id.
    id: String,
}

impl Handle<Open> for DeleteById {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        let identity = &open.space.identity;
        let group = identity.group_by_alias_id(&self.id).await?;
        let delete = DeleteGroupAlias { id: self.id };
        identity.apply(&delete, cx.now, &cx.random).await?;
        let alias = group.as_ref().and_then(|group| group.alias.as_ref());
        let event = told(catalogue::GROUP_ALIAS_DELETE, "group-alias", &delete.id);
        let event = event.with_known("name", alias.map(|alias| &alias.name));
        open.tell(event.with_known("group_id", group.as_ref().map(|group| &group.id)));
        Ok(Empty)
    }
}

/// Lists the aliases of groups.
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
            for (_, group) in &page {
                if let Some(alias) = &group.alias {
                    listed.add(alias.id.clone(), ShownAlias::listed(open, alias, &group.id));
                }
            }
        }
        listed.reply()
    }
}
