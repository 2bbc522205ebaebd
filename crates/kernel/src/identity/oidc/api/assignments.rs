//! `identity/oidc/assignment`: whom applications may sign in.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::CommaList;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::assignment::{ALLOW_ALL, Assignment};
use super::super::client::Client;
use super::{listed, unless_used};
use crate::identity::edit::{Draft, Edit, as_set, check_name};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("oidc/assignment", "Lists the assignments.").list::<ListAssignments>(),
        path(
            "oidc/assignment/{name}",
            "Entities and groups that a client may sign in.",
        )
        .read::<ReadAssignment>()
        .write::<WriteAssignment>()
        .delete::<DeleteAssignment>(),
    ])
}

/// Lists the assignments.
#[derive(Deserialize, JsonSchema)]
struct ListAssignments {}

impl Handle<Open> for ListAssignments {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let stored = open.space.oidc.all::<Assignment>().await?;
        let names = stored.into_iter().map(|(name, _)| name);
        listed(names.chain([ALLOW_ALL.to_owned()]).collect())
    }
}

/// Shows an assignment.
#[derive(Deserialize, JsonSchema)]
struct ReadAssignment {
    /// Its name.
    name: String,
}

impl Handle<Open> for ReadAssignment {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        check_name(&self.name)?;
        let found = match Assignment::built_in(&self.name) {
            Some(built_in) => Some(built_in),
            None => open.space.oidc.get(&self.name).await?,
        };
        let found: Assignment = found.ok_or(Fault::NotFound)?;
        Reply::data(&json!({
            "entity_ids": found.entity_ids,
            "group_ids": found.group_ids,
        }))
    }
}

/// Makes an assignment, or changes one.
#[derive(Deserialize, JsonSchema)]
struct WriteAssignment {
    /// Its name.
    name: String,
    /// Ids of entities.
    #[serde(default)]
    entity_ids: Option<CommaList>,
    /// Ids of groups, whose members are meant.
    #[serde(default)]
    group_ids: Option<CommaList>,
}

impl Handle<Open> for WriteAssignment {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        if self.name == ALLOW_ALL {
            return Err(Fault::invalid(
                "modification of assignment \"allow_all\" not allowed",
            ));
        }
        open.space.oidc.edit(&self, cx.now).await?;
        Ok(Empty)
    }
}

impl Edit for WriteAssignment {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        let mut assignment: Assignment = draft.get(&self.name).await?.unwrap_or_default();
        if let Some(CommaList(ids)) = &self.entity_ids {
            assignment.entity_ids = as_set(ids.clone());
        }
        if let Some(CommaList(ids)) = &self.group_ids {
            assignment.group_ids = as_set(ids.clone());
        }
        draft.put(&self.name, &assignment)
    }
}

/// Takes an assignment away that no client has.
#[derive(Deserialize, JsonSchema)]
struct DeleteAssignment {
    /// Its name.
    name: String,
}

impl Handle<Open> for DeleteAssignment {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        if self.name == ALLOW_ALL {
            return Err(Fault::invalid(
                "deletion of assignment \"allow_all\" not allowed",
            ));
        }
        open.space.oidc.edit(&self, cx.now).await?;
        Ok(Empty)
    }
}

impl Edit for DeleteAssignment {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        let clients = draft.all::<Client>().await?.into_iter();
        let users = clients.filter(|(_, client)| client.assignments.contains(&self.name));
        let users = users.map(|(name, _)| name).collect();
        unless_used("assignment", &self.name, "clients", users)?;
        draft.delete::<Assignment>(&self.name)
    }
}
