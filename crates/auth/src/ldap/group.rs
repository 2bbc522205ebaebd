//! `groups/{name}`: policies of groups, of the directory or of this mount alone.

use coffer_engine::keys::Keys;
use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, Stored, path};
use coffer_wire::CommaList;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ldap;
use super::config::Config;
use super::user::{forget, names, place, policies, possible};

/// Where groups are kept.
const FOLDER: &str = "group/";

pub(super) fn routes() -> Routes<Ldap> {
    Routes::new([
        path("groups", "Groups with policies.").list::<ListGroups>(),
        path("groups/{name*}", "The policies of a group.")
            .caseless()
            .read::<ReadGroup>()
            .write::<WriteGroup>()
            .tells("ldap/group-write")
            .delete::<DeleteGroup>()
            .tells("ldap/group-delete"),
    ])
}

/// A stored group.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Group {
    /// Policies of its members' tokens.
    pub(super) policies: Vec<String>,
}

impl Stored for Group {
    const MAX_BYTES: usize = 64 * 1024;
}

impl Group {
    /// The group of that name, if it has policies here.
    pub(super) async fn find(cx: &Ctx, config: &Config, name: &str) -> Result<Option<Self>, Fault> {
        Ok(cx.view.get(&place(FOLDER, config, name)).await?)
    }
}

/// Lists the groups.
#[derive(Deserialize, JsonSchema)]
struct ListGroups {}

impl Handle<Ldap> for ListGroups {
    type Reply = Keys;

    async fn handle(self, _: &Ldap, cx: &Ctx) -> Result<Keys, Fault> {
        names(cx, FOLDER).await
    }
}

/// Shows the policies of a group.
#[derive(Deserialize, JsonSchema)]
struct ReadGroup {
    /// Name of the group.
    name: String,
}

/// A group as clients see it.
#[derive(Serialize, JsonSchema)]
struct GroupView {
    /// Policies of its members' tokens.
    policies: Vec<String>,
}

impl Handle<Ldap> for ReadGroup {
    type Reply = GroupView;

    async fn handle(self, _: &Ldap, cx: &Ctx) -> Result<GroupView, Fault> {
        possible(&self.name).map_err(|_| Fault::NotFound)?;
        let config = Config::load(cx).await?;
        let group = Group::find(cx, &config, &self.name).await?;
        let policies = group.ok_or(Fault::NotFound)?.policies;
        Ok(GroupView { policies })
    }
}

/// Says which policies a group has. They take the place of those before.
#[derive(Deserialize, JsonSchema)]
struct WriteGroup {
    /// Name of the group, as the directory has it.
    name: String,
    /// Policies of its members' tokens.
    #[serde(default)]
    policies: Option<CommaList>,
}

impl Handle<Ldap> for WriteGroup {
    type Reply = Empty;

    async fn handle(self, _: &Ldap, cx: &Ctx) -> Result<Empty, Fault> {
        possible(&self.name)?;
        let config = Config::load(cx).await?;
        let group = Group {
            policies: policies(self.policies.as_ref())?,
        };
        cx.view
            .put(&place(FOLDER, &config, &self.name), &group)
            .await?;
        Ok(Empty)
    }
}

/// Takes its policies from a group.
#[derive(Deserialize, JsonSchema)]
struct DeleteGroup {
    /// Name of the group.
    name: String,
}

impl Handle<Ldap> for DeleteGroup {
    type Reply = Empty;

    async fn handle(self, _: &Ldap, cx: &Ctx) -> Result<Empty, Fault> {
        forget(cx, FOLDER, &self.name).await
    }
}
