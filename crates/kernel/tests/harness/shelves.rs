//! The smallest engines that keep things: one for all, and one for each token.

use coffer_barrier::Stored;
use coffer_engine::{Ctx, Empty, Engine, Fault, Handle, MountInfo, Reply, Routes, path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Keeps things for all, under the name of an engine that does more.
pub struct Shelf;

/// Keeps things for each token.
pub struct Cubbyhole;

impl Engine for Shelf {
    const NAME: &'static str = "kv";
    const HELP: &'static str = "Keeps things.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("{name}", "One thing.").read::<Take>().write::<Keep>()])
    }
}

impl Engine for Cubbyhole {
    const NAME: &'static str = "cubbyhole";
    const HELP: &'static str = "Keeps things for each token.";
    const PER_TOKEN: bool = true;

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("{name}", "One thing.").read::<Take>().write::<Keep>()])
    }
}

#[derive(Serialize, Deserialize)]
struct Thing {
    is: Value,
}

impl Stored for Thing {}

/// Shows a thing.
#[derive(Deserialize, JsonSchema)]
struct Take {
    /// Its name.
    name: String,
}

/// Keeps a thing.
#[derive(Deserialize, JsonSchema)]
struct Keep {
    /// Its name.
    name: String,
    /// What it is.
    is: Value,
}

impl<E: Send + Sync> Handle<E> for Take {
    type Reply = Reply;

    async fn handle(self, _: &E, cx: &Ctx) -> Result<Reply, Fault> {
        let thing: Thing = cx.view.get(&self.name).await?.ok_or(Fault::NotFound)?;
        Reply::data(&thing)
    }
}

impl<E: Send + Sync> Handle<E> for Keep {
    type Reply = Empty;

    async fn handle(self, _: &E, cx: &Ctx) -> Result<Empty, Fault> {
        cx.view.put(&self.name, &Thing { is: self.is }).await?;
        Ok(Empty)
    }
}
