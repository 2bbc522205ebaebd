//! `identity/mfa/login-enforcement`: which logins need a second factor.

use coffer_engine::{Class, Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::CommaList;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::enforcement::Enforcement;
use super::super::method::{self, Method};
use super::listed;
use crate::identity::edit::{Draft, Edit, as_set, check_name};
use crate::open::Open;

/// The longest list in an enforcement.
const MAX_LISTED: usize = 1_000;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("mfa/login-enforcement", "Lists the enforcements.").list::<ListEnforcements>(),
        path(
            "mfa/login-enforcement/{name}",
            "Which logins need a second factor.",
        )
        .read::<ReadEnforcement>()
        .write::<WriteEnforcement>()
        .delete::<DeleteEnforcement>(),
    ])
}

/// Lists the enforcements of this namespace.
#[derive(Deserialize, JsonSchema)]
struct ListEnforcements {}

impl Handle<Open> for ListEnforcements {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let all = open.space.mfa.all::<Enforcement>().await?.into_iter();
        let shown = all.map(|(name, enforcement)| {
            let about = shown(open, &name, &enforcement);
            (name, about)
        });
        listed(shown.collect::<Map<String, Value>>())
    }
}

fn shown(open: &Open, name: &str, enforcement: &Enforcement) -> Value {
    json!({
        "id": enforcement.id,
        "name": name,
        "mfa_method_ids": enforcement.methods,
        "auth_method_accessors": enforcement.accessors,
        "auth_method_types": enforcement.kinds,
        "identity_group_ids": enforcement.groups,
        "identity_entity_ids": enforcement.entities,
        "namespace_id": open.space.record().shown_id(),
        "namespace_path": open.space.path,
    })
}

/// Shows an enforcement.
#[derive(Deserialize, JsonSchema)]
struct ReadEnforcement {
    /// Its name.
    name: String,
}

impl Handle<Open> for ReadEnforcement {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        check_name(&self.name)?;
        let found: Option<Enforcement> = open.space.mfa.get(&self.name).await?;
        let found = found.ok_or(Fault::NotFound)?;
        Reply::data(&shown(open, &self.name, &found))
    }
}

/// Makes an enforcement, or changes one. It holds for logins from then on, in the namespaces within this one, too.
#[derive(Deserialize, JsonSchema)]
struct WriteEnforcement {
    /// Its name.
    name: String,
    /// Ids of methods; any of them will do.
    #[serde(default)]
    mfa_method_ids: CommaList,
    /// Accessors of auth mounts whose logins are meant.
    #[serde(default)]
    auth_method_accessors: Option<CommaList>,
    /// Types of auth mounts whose logins are meant.
    #[serde(default)]
    auth_method_types: Option<CommaList>,
    /// Ids of groups whose members are meant.
    #[serde(default)]
    identity_group_ids: Option<CommaList>,
    /// Ids of entities that are meant.
    #[serde(default)]
    identity_entity_ids: Option<CommaList>,
}

impl Handle<Open> for WriteEnforcement {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        if self.mfa_method_ids.0.is_empty() {
            return Err(Fault::invalid("missing method ids"));
        }
        self.check(open).await?;
        let put = PutEnforcement {
            above: self.above(open).await?,
            id: cx.random.uuid_v4(),
            ask: self,
        };
        open.space.mfa.edit(&put, cx.now).await?;
        Ok(Empty)
    }
}

impl WriteEnforcement {
    /// Refuses what names nothing that is there: an enforcement that holds for nobody would look like one that does.
    async fn check(&self, open: &Open) -> Result<(), Fault> {
        fn items(list: &Option<CommaList>) -> &[String] {
            list.as_ref().map_or(&[], |CommaList(items)| items)
        }
        let lists = [
            &self.mfa_method_ids.0[..],
            items(&self.auth_method_accessors),
            items(&self.auth_method_types),
            items(&self.identity_group_ids),
            items(&self.identity_entity_ids),
        ];
        if lists.iter().any(|list| list.len() > MAX_LISTED) {
            return Err(Fault::Invalid(format!(
                "each list of an enforcement has at most {MAX_LISTED} items"
            )));
        }
        for accessor in items(&self.auth_method_accessors) {
            let home = open.within(accessor).await?;
            let mount = home.and_then(|home| home.space.mounts.by_accessor(accessor));
            if mount.is_none_or(|mount| mount.record.class() != Class::Auth) {
                return Err(Fault::invalid(
                    "one of the auth method accessors provided is invalid",
                ));
            }
        }
        let mounted = open.space.mounts.all(Class::Auth);
        for kind in items(&self.auth_method_types) {
            let here = mounted.iter().any(|mount| mount.record.engine() == kind);
            if !here && open.settings.kind(Class::Auth, kind).is_none() {
                return Err(Fault::invalid(
                    "one of the auth method types provided is invalid",
                ));
            }
        }
        for id in items(&self.identity_entity_ids) {
            if open.space.identity.entity(id).await?.is_none() {
                return Err(Fault::invalid(
                    "one of the provided entity ids doesn't exist",
                ));
            }
        }
        for id in items(&self.identity_group_ids) {
            if open.space.identity.group(id).await?.is_none() {
                return Err(Fault::invalid(
                    "one of the provided group ids doesn't exist",
                ));
            }
        }
        Ok(())
    }

    /// The methods of namespaces above, which can not be looked at together with those here.
    async fn above(&self, open: &Open) -> Result<Vec<String>, Fault> {
        let mut above = Vec::new();
        for id in &self.mfa_method_ids.0 {
            let found = method::find(open, id).await?;
            if found.is_some_and(|(_, home)| home.space.id != open.space.id) {
                above.push(id.clone());
            }
        }
        Ok(above)
    }
}

struct PutEnforcement {
    ask: WriteEnforcement,
    above: Vec<String>,
    id: String,
}

impl Edit for PutEnforcement {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        let ask = &self.ask;
        for id in &ask.mfa_method_ids.0 {
            let known = self.above.contains(id) || draft.get::<Method>(id).await?.is_some();
            if !known {
                return Err(Fault::invalid(
                    "one of the provided method ids doesn't exist",
                ));
            }
        }
        let stored: Option<Enforcement> = draft.get(&ask.name).await?;
        let mut enforcement = stored.unwrap_or_else(|| Enforcement {
            id: self.id.clone(),
            ..Enforcement::default()
        });
        enforcement.methods = ask.mfa_method_ids.0.clone();
        enforcement.methods.dedup();
        for (list, given) in [
            (&mut enforcement.accessors, &ask.auth_method_accessors),
            (&mut enforcement.kinds, &ask.auth_method_types),
            (&mut enforcement.groups, &ask.identity_group_ids),
            (&mut enforcement.entities, &ask.identity_entity_ids),
        ] {
            if let Some(CommaList(items)) = given {
                *list = as_set(items.clone());
            }
        }
        if !enforcement.names_anything() {
            return Err(Fault::invalid(
                "One of auth_method_accessors, auth_method_types, identity_group_ids, identity_entity_ids must be specified",
            ));
        }
        draft.put(&ask.name, &enforcement)
    }
}

/// Takes an enforcement away.
#[derive(Deserialize, JsonSchema)]
struct DeleteEnforcement {
    /// Its name.
    name: String,
}

impl Handle<Open> for DeleteEnforcement {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        open.space.mfa.edit(&self, cx.now).await?;
        Ok(Empty)
    }
}

impl Edit for DeleteEnforcement {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        draft.delete::<Enforcement>(&self.name)
    }
}
