//! What holds for all secrets of a mount.

use coffer_engine::{Ctx, Empty, Event, Fault, Handle, Stored};
use coffer_wire::Flag;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::CONFIG_WRITE;
use super::input::{DeleteAfter, MaxVersions, present};
use super::{CONFIG, V2};

/// The settings of a mount, stored and answered alike.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct Config {
    /// Whether writes of every secret need `options.cas`.
    pub(super) cas_required: bool,
    /// How long after its creation a version deletes itself.
    pub(super) delete_version_after: DeleteAfter,
    /// How many versions each secret keeps; 0 for 10.
    pub(super) max_versions: MaxVersions,
    /// Whether changes of every secret's metadata need `metadata_cas`.
    pub(super) metadata_cas_required: bool,
}

impl Stored for Config {}

impl Config {
    /// The settings of this mount.
    pub(super) async fn load(cx: &Ctx) -> Result<Self, Fault> {
        Ok(cx.view.get(CONFIG).await?.unwrap_or_default())
    }
}

/// Reads the settings that hold for all secrets.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Read {}

impl Handle<V2> for Read {
    type Reply = Config;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Config, Fault> {
        Config::load(cx).await
    }
}

/// Changes the settings that hold for all secrets; what is not given stays.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Write {
    /// Whether writes of every secret need `options.cas`.
    #[serde(default, deserialize_with = "present")]
    cas_required: Option<Flag>,
    /// How long after its creation a version deletes itself; negative for never.
    #[serde(default, deserialize_with = "present")]
    delete_version_after: Option<DeleteAfter>,
    /// How many versions each secret keeps; 0 for 10.
    #[serde(default, deserialize_with = "present")]
    max_versions: Option<MaxVersions>,
    /// Whether changes of every secret's metadata need `metadata_cas`.
    #[serde(default, deserialize_with = "present")]
    metadata_cas_required: Option<Flag>,
}

impl Handle<V2> for Write {
    type Reply = Empty;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Empty, Fault> {
        let change = |old: Option<Config>| {
            let old = old.unwrap_or_default();
            let new = Config {
                cas_required: self.cas_required.map_or(old.cas_required, |f| f.0),
                delete_version_after: self
                    .delete_version_after
                    .unwrap_or(old.delete_version_after),
                max_versions: self.max_versions.unwrap_or(old.max_versions),
                metadata_cas_required: self
                    .metadata_cas_required
                    .map_or(old.metadata_cas_required, |f| f.0),
            };
            Ok::<_, Fault>((Some(new), ()))
        };
        cx.view.update(CONFIG, change).await?;
        cx.emit(Event::new(CONFIG_WRITE, "config").modified("config"));
        Ok(Empty)
    }
}
