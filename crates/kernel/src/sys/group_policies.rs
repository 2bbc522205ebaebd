//! `sys/config/group-policy-application`: how far the policies of groups reach.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::group_policies::GroupPolicyMode;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path(
        "config/group-policy-application",
        "Whether policies of groups hold for members of other namespaces.",
    )
    .read::<Read>()
    .write::<Write>()])
}

/// Shows whether policies of groups hold for members of other namespaces.
#[derive(Deserialize, JsonSchema)]
struct Read {}

impl Handle<Open> for Read {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let mode = open.group_policies.mode().name();
        Reply::data(&json!({ "group_policy_application_mode": mode }))
    }
}

/// Says whether policies of groups hold for members of other namespaces.
#[derive(Deserialize, JsonSchema)]
struct Write {
    /// `within_namespace_hierarchy` or `any`.
    #[serde(default)]
    group_policy_application_mode: Text,
}

impl Handle<Open> for Write {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let name = self.group_policy_application_mode.0;
        let mode = GroupPolicyMode::parse(&name).ok_or_else(|| {
            Fault::Invalid(format!(
                "{name:?} is no group_policy_application_mode; use within_namespace_hierarchy or any"
            ))
        })?;
        open.group_policies.set(mode).await?;
        Ok(Empty)
    }
}
