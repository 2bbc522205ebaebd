//! What an engine is.

use std::future::{Future, ready};
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Ctx, Fault, MountInfo, Replies, Routes};

/// A secrets engine or an auth method; one value exists per mount.
pub trait Engine: Send + Sync + Sized + 'static {
    /// The type name that operators mount it by.
    const NAME: &'static str;
    /// What it is for, for `?help=1` and the catalogue.
    const HELP: &'static str;
    /// Whether each token sees a storage of its own that ends with it.
    const PER_TOKEN: bool = false;
    /// Whether it says whose password it is about to check ([`Ctx::attempt`]), so that names can be locked out.
    const LOCKS_OUT: bool = false;
    /// How often [`Engine::tick`] runs on the active node, if at all.
    const TICK: Option<Duration> = None;

    /// Makes the engine of one mount. Keep connections and caches in it, never the truth.
    fn new(mount: &MountInfo) -> Self;

    /// Everything it offers, in the order a reader should meet it.
    fn routes() -> Routes<Self>;

    /// Runs once when it is mounted, or when a mount moves to it from the version `from` of its type.
    fn begin(
        &self,
        _cx: &Ctx,
        _from: Option<&str>,
    ) -> impl Future<Output = Result<(), Fault>> + Send {
        ready(Ok(()))
    }

    /// How many things a mount holds that operators watch the number of, if there are such. Asked now and then in
    /// the background: count page by page.
    fn count(&self, _cx: &Ctx) -> impl Future<Output = Result<Option<u64>, Fault>> + Send {
        ready(Ok(None))
    }

    /// Periodic work, see [`Engine::TICK`].
    fn tick(&self, _cx: &Ctx) -> impl Future<Output = Result<(), Fault>> + Send {
        ready(Ok(()))
    }
}

/// A request type that knows how an engine answers it.
///
/// Its fields are the parameters (captures of the path override the body), its doc comments the help.
pub trait Handle<E>: DeserializeOwned + JsonSchema + Send + 'static {
    /// What it answers: data, [`crate::Leased`], [`crate::Login`], [`crate::Raw`],
    /// [`crate::Streamed`], [`crate::Empty`].
    type Reply: Replies;

    /// Answers the request, which policy has granted and audit has recorded.
    fn handle(
        self,
        engine: &E,
        cx: &Ctx,
    ) -> impl Future<Output = Result<Self::Reply, Fault>> + Send;
}
