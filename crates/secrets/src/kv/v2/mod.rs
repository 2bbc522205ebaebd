//! KV version 2: a history of versions under each path.
//!
//! A secret is one small record about it ([`secret::Secret`]) and one record per version that holds
//! the data and nothing else. Every change is one transaction over them, based on the record that was
//! read ([`draft::Draft`]); a read is at most two gets.
//!
//! | record | what it holds |
//! |---|---|
//! | `v2/config` | [`config::Config`]: what holds for all secrets of the mount |
//! | `v2/metadata/PATH` | [`secret::Secret`]: settings, and when each version was made, deleted, destroyed |
//! | `v2/data/PATH/NUMBER` | the data of one version as JSON text |

mod config;
mod data;
mod draft;
mod elsewhere;
mod events;
mod input;
mod listing;
mod merge;
mod metadata;
mod secret;
mod subkeys;
mod upgrade;
mod versions;

use coffer_engine::{Ctx, Engine, Fault, MountInfo, Path, Routes, path};

use coffer_engine::keys;

/// Where version 2 keeps its records, in the mount's storage.
const CONFIG: &str = "v2/config";
const METADATA: &str = "v2/metadata/";
const DATA: &str = "v2/data/";

/// The `kv` engine with option `version=2`.
pub struct V2;

impl Engine for V2 {
    const NAME: &'static str = "kv";
    const HELP: &'static str =
        "Keeps secrets under paths of your choice, with their former versions.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([
            path("config", "How secrets of this mount are kept.")
                .read::<config::Read>()
                .write::<config::Write>(),
            path("data/{path*}", "A secret.")
                .read::<data::Read>()
                .write::<data::Write>()
                .patch::<data::Patch>()
                .delete::<data::Delete>()
                .exists::<metadata::Read>(),
            path(
                "subkeys/{path*}",
                "The fields of a secret without their values.",
            )
            .read::<subkeys::Read>(),
            path("delete/{path*}", "Hides versions until they are undeleted.")
                .write::<versions::Delete>(),
            path("undelete/{path*}", "Shows deleted versions again.").write::<versions::Undelete>(),
            path("destroy/{path*}", "Removes the data of versions for ever.")
                .write::<versions::Destroy>(),
            path(
                "metadata/{path*}",
                "A secret's versions and settings, and lists of secrets.",
            )
            .read::<metadata::Read>()
            .list::<listing::List>()
            .scan::<listing::Scan>()
            .write::<metadata::Write>()
            .patch::<metadata::Patch>()
            .delete::<metadata::Delete>()
            .exists::<metadata::Read>(),
            path(
                "detailed-metadata/{path*}",
                "Lists of secrets with their metadata.",
            )
            .list::<listing::DetailedList>()
            .scan::<listing::DetailedScan>(),
            elsewhere(""),
            elsewhere("{path*}"),
        ])
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        keys::count(&cx.view, METADATA).await.map(Some)
    }

    /// Takes over what version 1 left, also what an interrupted upgrade left.
    async fn begin(&self, cx: &Ctx, _from: Option<&str>) -> Result<(), Fault> {
        upgrade::run(cx).await
    }
}

/// Answers clients that know only version 1 with a hint.
fn elsewhere(pattern: &'static str) -> Path<V2> {
    path(pattern, "Nothing; secrets are below data/.")
        .read::<elsewhere::Any>()
        .list::<elsewhere::Any>()
        .scan::<elsewhere::Any>()
        .write::<elsewhere::Any>()
        .patch::<elsewhere::Any>()
        .delete::<elsewhere::Any>()
}
