//! `users/{name}`: policies and groups that somebody has here, beside those by the directory.

use std::collections::BTreeSet;

use coffer_engine::keys::Keys;
use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, Stored, path};
use coffer_wire::CommaList;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ldap;
use super::config::Config;
use super::name;
use crate::token_fields::normal_policies;

/// Where users are kept.
const FOLDER: &str = "user/";
/// Most groups of a user, and most policies of a user or a group.
const NAMES_MAX: usize = 1_000;
/// Most names in a list.
pub(super) const LISTED_MAX: usize = 100_000;

pub(super) fn routes() -> Routes<Ldap> {
    Routes::new([
        path(
            "users",
            "Users with policies or groups of this mount's own.",
        )
        .list::<ListUsers>(),
        path(
            "users/{name*}",
            "What a user of the directory has here, beside what their groups give.",
        )
        .caseless()
        .read::<ReadUser>()
        .write::<WriteUser>()
        .tells("ldap/user-write")
        .delete::<DeleteUser>()
        .tells("ldap/user-delete"),
    ])
}

/// A stored user.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct User {
    /// Policies of their tokens.
    pub(super) policies: Vec<String>,
    /// Groups that they are in here, beside those of the directory.
    pub(super) groups: Vec<String>,
}

impl Stored for User {
    const MAX_BYTES: usize = 64 * 1024;
}

impl User {
    /// The user of that name, if there is one.
    pub(super) async fn find(
        cx: &Ctx,
        config: &Config,
        typed: &str,
    ) -> Result<Option<Self>, Fault> {
        Ok(cx.view.get(&place(FOLDER, config, typed)).await?)
    }
}

/// Where something of that name is kept below a folder.
pub(super) fn place(folder: &str, config: &Config, typed: &str) -> String {
    let name = name::normal(typed, config.case_sensitive_names);
    format!("{folder}{}", name::key(&name))
}

/// The names that are kept below a folder.
pub(super) async fn names(cx: &Ctx, folder: &str) -> Result<Keys, Fault> {
    let kept = Keys::list(&cx.view, folder, None, LISTED_MAX)
        .await?
        .found()?;
    let mut keys: Vec<String> = kept.keys.iter().map(|key| name::of_key(key)).collect();
    keys.sort_unstable();
    Ok(Keys { keys })
}

/// Removes what has that name, whether case counts now or did when it was written.
pub(super) async fn forget(cx: &Ctx, folder: &str, typed: &str) -> Result<Empty, Fault> {
    if name::is_possible(typed) {
        let exact = format!("{folder}{}", name::key(typed));
        let config = Config::load(cx).await?;
        cx.view.delete(&exact).await?;
        cx.view.delete(&place(folder, &config, typed)).await?;
    }
    Ok(Empty)
}

/// Refuses what can be no name.
pub(super) fn possible(typed: &str) -> Result<(), Fault> {
    match name::is_possible(typed) {
        true => Ok(()),
        false => Err(Fault::invalid(
            "a name is neither empty nor over 512 bytes long, and has no control characters",
        )),
    }
}

/// Policies in their normal form. Beside `root` no other counts.
pub(super) fn policies(written: Option<&CommaList>) -> Result<Vec<String>, Fault> {
    let mut all = written.map(normal_policies).unwrap_or_default();
    all.retain(|name| !name.is_empty());
    match all.iter().any(|name| name == "root") {
        true => Ok(vec!["root".to_owned()]),
        false => so_many("policies", all),
    }
}

/// Groups in their normal form, each once, in the order in which they were written.
fn groups(config: &Config, written: CommaList) -> Result<Vec<String>, Fault> {
    let mut known = BTreeSet::new();
    let names = written.0.iter();
    let names = names.map(|name| name::normal(name, config.case_sensitive_names));
    let groups = names.filter(|name| !name.is_empty() && known.insert(name.clone()));
    so_many("groups", groups.collect())
}

fn so_many(what: &str, names: Vec<String>) -> Result<Vec<String>, Fault> {
    match names.len() > NAMES_MAX {
        true => Err(Fault::invalid(format!(
            "more than {NAMES_MAX} {what} in one place"
        ))),
        false => Ok(names),
    }
}

/// Lists the users.
#[derive(Deserialize, JsonSchema)]
struct ListUsers {}

impl Handle<Ldap> for ListUsers {
    type Reply = Keys;

    async fn handle(self, _: &Ldap, cx: &Ctx) -> Result<Keys, Fault> {
        names(cx, FOLDER).await
    }
}

/// Shows what a user has here.
#[derive(Deserialize, JsonSchema)]
struct ReadUser {
    /// Name of the user.
    name: String,
}

/// A user as clients see them.
#[derive(Serialize, JsonSchema)]
struct UserView {
    /// Their groups, with commas between them.
    groups: String,
    /// Policies of their tokens.
    policies: Vec<String>,
}

impl Handle<Ldap> for ReadUser {
    type Reply = UserView;

    async fn handle(self, _: &Ldap, cx: &Ctx) -> Result<UserView, Fault> {
        possible(&self.name).map_err(|_| Fault::NotFound)?;
        let config = Config::load(cx).await?;
        let user = User::find(cx, &config, &self.name).await?;
        let user = user.ok_or(Fault::NotFound)?;
        Ok(UserView {
            groups: user.groups.join(","),
            policies: user.policies,
        })
    }
}

/// Says what a user has here. It takes the place of what was said before.
#[derive(Deserialize, JsonSchema)]
struct WriteUser {
    /// Name of the user, as they log in.
    name: String,
    /// Groups of this mount that they are in, beside those of the directory.
    #[serde(default)]
    groups: Option<CommaList>,
    /// Policies of their tokens, beside those by groups.
    #[serde(default)]
    policies: Option<CommaList>,
}

impl Handle<Ldap> for WriteUser {
    type Reply = Empty;

    async fn handle(self, _: &Ldap, cx: &Ctx) -> Result<Empty, Fault> {
        possible(&self.name)?;
        let config = Config::load(cx).await?;
        let user = User {
            policies: policies(self.policies.as_ref())?,
            groups: groups(&config, self.groups.unwrap_or_default())?,
        };
        cx.view
            .put(&place(FOLDER, &config, &self.name), &user)
            .await?;
        Ok(Empty)
    }
}

/// Removes what a user has here. They can log in still, if the directory lets them.
#[derive(Deserialize, JsonSchema)]
struct DeleteUser {
    /// Name of the user.
    name: String,
}

impl Handle<Ldap> for DeleteUser {
    type Reply = Empty;

    async fn handle(self, _: &Ldap, cx: &Ctx) -> Result<Empty, Fault> {
        forget(cx, FOLDER, &self.name).await
    }
}
