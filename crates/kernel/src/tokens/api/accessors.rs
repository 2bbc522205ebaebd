//! Listing accessors.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::open::Open;

/// How many accessors are read at once.
const PAGE: usize = 1_000;
/// How many accessors one answer lists.
const MAX_LISTED_ACCESSORS: usize = 100_000;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path("accessors", "Lists the accessors of all tokens.")
        .sudo()
        .list::<ListAccessors>()])
}

/// Lists the accessors of all tokens that are stored.
#[derive(Deserialize, JsonSchema)]
struct ListAccessors {
    /// Begins after this accessor.
    #[serde(default)]
    after: Text,
    /// Lists at most so many; as many as fit into one answer where it is not above zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<Open> for ListAccessors {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let asked = usize::try_from(self.limit.0)
            .ok()
            .filter(|limit| *limit > 0);
        let limit = asked.unwrap_or(usize::MAX).min(MAX_LISTED_ACCESSORS);
        let mut keys: Vec<String> = Vec::new();
        while keys.len() < limit {
            let after = keys.last().unwrap_or(&self.after.0);
            let after = (!after.is_empty()).then_some(after.as_str());
            let page = open
                .tokens
                .accessors(&open.space.id, after, PAGE.min(limit - keys.len()))
                .await?;
            if page.is_empty() {
                break;
            }
            keys.extend(page);
        }
        if keys.is_empty() {
            return Err(Fault::NotFound);
        }
        let cut = asked.is_none() && keys.len() == MAX_LISTED_ACCESSORS;
        let reply = Reply::data(&json!({ "keys": keys }))?;
        Ok(if cut {
            reply.warn("there may be more; go on with the parameter after, set to the last key")
        } else {
            reply
        })
    }
}
