//! Cubbyhole: key/value pairs that only one token can see and that end with it.

use coffer_engine::{Ctx, Empty, Engine, Exists, Fault, Handle, MountInfo, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::document::{Document, sent};
use coffer_engine::keys::{Keys, folder, place};

/// The `cubbyhole` engine. The kernel gives each token a view of its own.
pub struct Cubbyhole;

/// Where everything is kept: the view is the token's alone, so at its root.
const ROOT: &str = "";

impl Engine for Cubbyhole {
    const NAME: &'static str = "cubbyhole";
    const HELP: &'static str = "Keeps secrets for one token alone; they end with it.";
    const PER_TOKEN: bool = true;

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("{path*}", "A secret that only this token sees.")
            .read::<Read>()
            .list::<List>()
            .write::<Write>()
            .delete::<Delete>()
            .exists::<Read>()])
    }
}

/// Reads a secret.
#[derive(Deserialize, JsonSchema)]
struct Read {
    /// Where the secret is.
    path: String,
}

impl Handle<Cubbyhole> for Read {
    type Reply = Document;

    async fn handle(self, _: &Cubbyhole, cx: &Ctx) -> Result<Document, Fault> {
        let kept = cx.view.get(&place(ROOT, &self.path)?).await?;
        kept.ok_or(Fault::NotFound)
    }
}

impl Exists<Cubbyhole> for Read {
    async fn exists(self, _: &Cubbyhole, cx: &Ctx) -> Result<bool, Fault> {
        let kept: Option<Document> = cx.view.get(&place(ROOT, &self.path)?).await?;
        Ok(kept.is_some())
    }
}

/// Lists the names in a folder.
#[derive(Deserialize, JsonSchema)]
struct List {
    /// The folder.
    path: String,
}

impl Handle<Cubbyhole> for List {
    type Reply = Keys;

    async fn handle(self, _: &Cubbyhole, cx: &Ctx) -> Result<Keys, Fault> {
        let folder = folder(ROOT, &self.path);
        let keys = Keys::list(&cx.view, &folder, None, usize::MAX).await?;
        keys.found()
    }
}

/// Writes a secret in place of what was there.
#[derive(Deserialize, JsonSchema)]
struct Write {
    /// Where the secret is.
    path: String,
    /// The secret: whatever fields are sent.
    #[serde(deserialize_with = "sent")]
    #[schemars(extend("x-body" = true))]
    body: Option<Document>,
}

impl Handle<Cubbyhole> for Write {
    type Reply = Empty;

    async fn handle(self, _: &Cubbyhole, cx: &Ctx) -> Result<Empty, Fault> {
        let body = self.body.filter(|body| !body.is_empty());
        let body = body.ok_or_else(|| Fault::invalid("missing data fields"))?;
        cx.view.put(&place(ROOT, &self.path)?, &body).await?;
        Ok(Empty)
    }
}

/// Deletes a secret.
#[derive(Deserialize, JsonSchema)]
struct Delete {
    /// Where the secret is.
    path: String,
}

impl Handle<Cubbyhole> for Delete {
    type Reply = Empty;

    async fn handle(self, _: &Cubbyhole, cx: &Ctx) -> Result<Empty, Fault> {
        cx.view.delete(&place(ROOT, &self.path)?).await?;
        Ok(Empty)
    }
}
