//! `identity/mfa/method/{duo,okta,pingid}`: methods of other servers, which this one has not. They are refused by name.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::method::{self, ELSEWHERE};
use super::check_id;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("mfa/method/duo", "Not supported.")
            .list::<List>()
            .write::<Refuse>(),
        path("mfa/method/okta", "Not supported.")
            .list::<List>()
            .write::<Refuse>(),
        path("mfa/method/pingid", "Not supported.")
            .list::<List>()
            .write::<Refuse>(),
        path("mfa/method/duo/{method_id}", "Not supported.")
            .read::<Read>()
            .write::<RefuseOne>()
            .delete::<Delete>(),
        path("mfa/method/okta/{method_id}", "Not supported.")
            .read::<Read>()
            .write::<RefuseOne>()
            .delete::<Delete>(),
        path("mfa/method/pingid/{method_id}", "Not supported.")
            .read::<Read>()
            .write::<RefuseOne>()
            .delete::<Delete>(),
    ])
}

/// Lists nothing: there are no such methods.
#[derive(Deserialize, JsonSchema)]
struct List {}

impl Handle<Open> for List {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Err(Fault::NotFound)
    }
}

/// Refuses to make such a method.
#[derive(Deserialize, JsonSchema)]
struct Refuse {}

impl Handle<Open> for Refuse {
    type Reply = Reply;

    async fn handle(self, _: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        refused(cx)
    }
}

/// Refuses to change such a method.
#[derive(Deserialize, JsonSchema)]
struct RefuseOne {
    /// The method's id.
    method_id: String,
}

impl Handle<Open> for RefuseOne {
    type Reply = Reply;

    async fn handle(self, _: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        check_id(&self.method_id)?;
        refused(cx)
    }
}

fn refused(cx: &Ctx) -> Result<Reply, Fault> {
    let mut words = cx.request.path.split('/');
    let kind = words.find(|word| ELSEWHERE.contains(word));
    Err(Fault::Invalid(format!(
        "methods of type {} are not supported by this server, so that no login can wait for one in vain; use totp",
        kind.unwrap_or_default()
    )))
}

/// Finds nothing: there are no such methods.
#[derive(Deserialize, JsonSchema)]
struct Read {
    /// The method's id.
    method_id: String,
}

impl Handle<Open> for Read {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        other_kind(open, &self.method_id).await?;
        Err(Fault::NotFound)
    }
}

/// Takes nothing away: there are no such methods.
#[derive(Deserialize, JsonSchema)]
struct Delete {
    /// The method's id.
    method_id: String,
}

impl Handle<Open> for Delete {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        other_kind(open, &self.method_id).await?;
        Ok(Empty)
    }
}

async fn other_kind(open: &Open, id: &str) -> Result<(), Fault> {
    check_id(id)?;
    match method::find(open, id).await? {
        Some(_) => Err(Fault::invalid(
            "method type does not match the MFA config type",
        )),
        None => Ok(()),
    }
}
