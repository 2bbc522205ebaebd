//! `role/{name}/service-accounts` and `role/{name}/labels`: parts of a role, one by one.

use std::collections::BTreeSet;

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use coffer_wire::CommaList;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Gcp;
use super::role::{self, Kind};

pub(super) fn routes() -> Routes<Gcp> {
    Routes::new([
        path(
            "role/{name}/service-accounts",
            "The service accounts of a role of the type iam.",
        )
        .caseless()
        .write::<EditAccounts>()
        .tells("gcp/role-write"),
        path(
            "role/{name}/labels",
            "The labels that a role of the type gce wants.",
        )
        .caseless()
        .write::<EditLabels>()
        .tells("gcp/role-write"),
    ])
}

/// Adds service accounts to a role, and takes others away.
#[derive(Deserialize, JsonSchema)]
struct EditAccounts {
    /// Name of the role.
    name: String,
    /// Those to add.
    #[serde(default)]
    add: CommaList,
    /// Those to take away.
    #[serde(default)]
    remove: CommaList,
}

impl Handle<Gcp> for EditAccounts {
    type Reply = Empty;

    async fn handle(self, _: &Gcp, cx: &Ctx) -> Result<Empty, Fault> {
        refuse_nothing(&self.add, &self.remove)?;
        let change = |role: &mut role::Role| {
            if !matches!(role.kind, Kind::Iam { .. }) {
                return Err(Fault::invalid("the role is not of the type iam"));
            }
            let gone: BTreeSet<&String> = self.remove.0.iter().collect();
            role.accounts.retain(|name| !gone.contains(name));
            let mut there: BTreeSet<String> = role.accounts.iter().cloned().collect();
            let fresh = self.add.0.iter();
            let fresh = fresh.filter(|name| there.insert((*name).clone()));
            role.accounts.extend(fresh.cloned());
            Ok(())
        };
        role::change(cx, &self.name, change).await?;
        Ok(Empty)
    }
}

/// Adds labels to a role, or changes their values, and takes others away.
#[derive(Deserialize, JsonSchema)]
struct EditLabels {
    /// Name of the role.
    name: String,
    /// Labels to add, `key:value` each.
    #[serde(default)]
    add: CommaList,
    /// Keys of labels to take away.
    #[serde(default)]
    remove: CommaList,
}

impl Handle<Gcp> for EditLabels {
    type Reply = Empty;

    async fn handle(self, _: &Gcp, cx: &Ctx) -> Result<Empty, Fault> {
        refuse_nothing(&self.add, &self.remove)?;
        let more = role::labels(&self.add)?;
        let change = |role: &mut role::Role| {
            let Kind::Gce(of) = &mut role.kind else {
                return Err(Fault::invalid("the role is not of the type gce"));
            };
            of.labels.retain(|key, _| !self.remove.0.contains(key));
            of.labels.extend(more.clone());
            Ok(())
        };
        role::change(cx, &self.name, change).await?;
        Ok(Empty)
    }
}

fn refuse_nothing(add: &CommaList, remove: &CommaList) -> Result<(), Fault> {
    match add.0.is_empty() && remove.0.is_empty() {
        true => Err(Fault::invalid("say what to add, or what to remove")),
        false => Ok(()),
    }
}
