//! `sys/mfa/validate`: the second half of a login.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::super::enforcement::demands;
use super::super::factor::{Codes, satisfied};
use crate::open::Open;
use crate::tokens;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path("mfa/validate", "Completes a login that waits.")
        .unauthenticated()
        .write::<Validate>()])
}

/// Completes a login that waits for a second factor.
#[derive(Deserialize, JsonSchema)]
struct Validate {
    /// The id that the login was answered with.
    #[serde(default)]
    mfa_request_id: Text,
    /// Codes by methods: `{"<id or name>": ["<code>"]}`.
    #[serde(default)]
    mfa_payload: Value,
}

impl Handle<Open> for Validate {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let id = &self.mfa_request_id.0;
        if id.is_empty() {
            return Err(Fault::invalid("missing request ID"));
        }
        let unknown = || Fault::invalid("invalid request ID");
        let malformed = || Fault::invalid("invalid mfa payload");
        let codes = match &self.mfa_payload {
            Value::Null => Codes::default(),
            Value::Object(payload) => Codes::of_payload(payload).ok_or_else(malformed)?,
            _ => return Err(malformed()),
        };
        let waiting = &open.space.mfa.pending;
        let pending = waiting.look(id, cx.now).await?.ok_or_else(unknown)?;
        let mount = open.space.mounts.by_accessor(&pending.mount);
        let mount = mount.filter(|mount| !mount.record.tainted);
        let mount = mount.ok_or_else(unknown)?;
        let standing = open
            .standing_of(&open.space.id, &pending.token.entity_id)
            .await?
            .ok_or_else(unknown)?;
        // What is enforced now counts, for the login would meet it now.
        let demands = demands(open, &mount, Some(&standing)).await?;
        let enough = satisfied(open, &standing.entity.id, &demands, &codes, cx.now).await?;
        enough.map_err(Fault::Forbidden)?;
        // Whoever was removed since the first half does not get in by the second.
        tokens::stay(open, &mount, &pending.token.payload, &cx.request).await?;
        let pending = waiting.take(id, cx.now).await?.ok_or_else(unknown)?;
        let (path, name) = (
            pending.token.path.clone(),
            pending.token.display_name.clone(),
        );
        let (auth, _, warnings) = open.issue_token(pending.token, &mount, cx.now).await?;
        tokens::logged_in(open, &mount, &path, &name, &auth);
        Ok(Reply {
            auth: Some(Box::new(auth)),
            warnings,
            ..Reply::default()
        })
    }
}
