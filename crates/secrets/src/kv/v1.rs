//! KV version 1: the latest value under each path.

use std::time::Duration;

use coffer_engine::{
    Ctx, Empty, Engine, Event, Exists, Fault, Handle, MountInfo, Routes, Stored, WithDuration, path,
};
use coffer_wire::Ttl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{Document, sent};
use coffer_engine::keys::{self, Keys, folder, place};

/// Where version 1 keeps its records, in the mount's storage.
pub(super) const ROOT: &str = "v1/";

/// A secret was written.
const WRITE: &str = "kv-v1/write";
/// A secret was deleted.
const DELETE: &str = "kv-v1/delete";

/// The `kv` engine with option `version=1`.
pub struct V1;

impl Engine for V1 {
    const NAME: &'static str = "kv";
    const HELP: &'static str = "Keeps secrets under paths of your choice.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("{path*}", "A secret.")
            .read::<Read>()
            .list::<List>()
            .scan::<Scan>()
            .write::<Write>()
            .delete::<Delete>()
            .exists::<Read>()])
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        keys::count(&cx.view, ROOT).await.map(Some)
    }
}

/// A secret as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    /// What its own field `ttl` (or `lease`) said when it was written, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl_secs: Option<u64>,
    pub(super) data: Document,
}

impl Stored for Kept {}

impl Kept {
    fn new(data: Document) -> Result<Self, Fault> {
        let fields = data.fields().map_err(Fault::internal)?;
        let ttl = fields.get("ttl").or_else(|| fields.get("lease"));
        Ok(Self {
            ttl_secs: ttl.and_then(seconds),
            data,
        })
    }
}

/// A field of the secret as a duration, if it is one: anything else is just the client's data.
fn seconds(field: &Value) -> Option<u64> {
    Ttl::deserialize(field).ok().map(Ttl::secs)
}

/// Reads a secret.
#[derive(Deserialize, JsonSchema)]
struct Read {
    /// Where the secret is.
    path: String,
}

impl Handle<V1> for Read {
    type Reply = WithDuration<Document>;

    async fn handle(self, _: &V1, cx: &Ctx) -> Result<WithDuration<Document>, Fault> {
        let kept: Option<Kept> = cx.view.get(&place(ROOT, &self.path)?).await?;
        let kept = kept.ok_or(Fault::NotFound)?;
        let own = kept.ttl_secs.map(Duration::from_secs);
        let duration = own.unwrap_or(cx.mount.default_lease_ttl);
        Ok(WithDuration(kept.data, duration))
    }
}

impl Exists<V1> for Read {
    async fn exists(self, _: &V1, cx: &Ctx) -> Result<bool, Fault> {
        let kept: Option<Kept> = cx.view.get(&place(ROOT, &self.path)?).await?;
        Ok(kept.is_some())
    }
}

/// Lists the names in a folder.
#[derive(Deserialize, JsonSchema)]
struct List {
    /// The folder.
    path: String,
}

impl Handle<V1> for List {
    type Reply = Keys;

    async fn handle(self, _: &V1, cx: &Ctx) -> Result<Keys, Fault> {
        let folder = folder(ROOT, &self.path);
        let keys = Keys::list(&cx.view, &folder, None, usize::MAX).await?;
        keys.found()
    }
}

/// Lists the names in a folder and in all folders below it.
#[derive(Deserialize, JsonSchema)]
struct Scan {
    /// The folder.
    path: String,
}

impl Handle<V1> for Scan {
    type Reply = Keys;

    async fn handle(self, _: &V1, cx: &Ctx) -> Result<Keys, Fault> {
        let folder = folder(ROOT, &self.path);
        Keys::scan(&cx.view, &folder, None, usize::MAX).await
    }
}

/// Writes a secret in place of what was there.
#[derive(Deserialize, JsonSchema)]
struct Write {
    /// Where the secret is.
    path: String,
    /// The secret: whatever fields are sent. A field `ttl` tells readers when to read again.
    #[serde(deserialize_with = "sent")]
    #[schemars(extend("x-body" = true))]
    body: Option<Document>,
}

impl Handle<V1> for Write {
    type Reply = Empty;

    async fn handle(self, _: &V1, cx: &Ctx) -> Result<Empty, Fault> {
        let body = self.body.filter(|body| !body.is_empty());
        let body = body.ok_or_else(|| Fault::invalid("missing data fields"))?;
        let place = place(ROOT, &self.path)?;
        cx.view.put(&place, &Kept::new(body)?).await?;
        cx.emit(Event::new(WRITE, self.path.clone()).modified(self.path));
        Ok(Empty)
    }
}

/// Deletes a secret.
#[derive(Deserialize, JsonSchema)]
struct Delete {
    /// Where the secret is.
    path: String,
}

impl Handle<V1> for Delete {
    type Reply = Empty;

    async fn handle(self, _: &V1, cx: &Ctx) -> Result<Empty, Fault> {
        let place = place(ROOT, &self.path)?;
        // Not read: one that is damaged goes, too.
        let there = cx.view.scan_paths(&place, None, 1).await?.contains(&place);
        cx.view.delete(&place).await?;
        if there {
            cx.emit(Event::new(DELETE, self.path).with("modified", true));
        }
        Ok(Empty)
    }
}
