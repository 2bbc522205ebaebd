//! `cache-config` and `config/keys`: what holds for all keys of a mount.

use coffer_engine::{Ctx, Fault, Handle, Routes, Stored, path};
use coffer_wire::{Flag, Int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;

const CACHE: &str = "config/cache";
const KEYS: &str = "config/keys";
/// The least that a cache may be told to hold.
const CACHE_SIZE_MIN: i64 = 10;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path("cache-config", "How many keys are kept ready for use.")
            .read::<ReadCache>()
            .write::<WriteCache>()
            .tells("transit/config-write"),
        path("config/keys", "What holds for all keys.")
            .read::<ReadKeys>()
            .write::<WriteKeys>()
            .tells("transit/config-write"),
    ])
}

/// How many keys are kept ready.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct CacheSettings {
    /// How many; 0 for as many as the server keeps at all.
    size: i64,
}

impl Stored for CacheSettings {}

/// What holds for all keys.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct KeySettings {
    /// Whether encrypting with a key that is not there is refused instead of making it.
    pub(super) disable_upsert: bool,
}

impl Stored for KeySettings {}

impl Transit {
    /// Lets the cache have its configured size, once.
    pub(super) async fn settings(&self, cx: &Ctx) -> Result<(), Fault> {
        let read = self.cache_settings.get_or_try_init(|| async {
            let stored: CacheSettings = cx.view.get(CACHE).await?.unwrap_or_default();
            self.cache.resize(usize::try_from(stored.size).unwrap_or(0));
            Ok::<_, Fault>(())
        });
        read.await.copied()
    }

    /// What holds for all keys.
    pub(super) async fn key_settings(&self, cx: &Ctx) -> Result<KeySettings, Fault> {
        Ok(cx.view.get(KEYS).await?.unwrap_or_default())
    }
}

/// Reads how many keys are kept ready for use.
#[derive(Deserialize, JsonSchema)]
struct ReadCache {}

impl Handle<Transit> for ReadCache {
    type Reply = CacheSettings;

    async fn handle(self, _: &Transit, cx: &Ctx) -> Result<CacheSettings, Fault> {
        Ok(cx.view.get(CACHE).await?.unwrap_or_default())
    }
}

/// Sets how many keys are kept ready for use.
#[derive(Deserialize, JsonSchema)]
struct WriteCache {
    /// How many; 0 for as many as the server keeps at all, else 10 or more.
    #[serde(default)]
    size: Int,
}

impl Handle<Transit> for WriteCache {
    type Reply = CacheSettings;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<CacheSettings, Fault> {
        let size = self.size.0;
        if size != 0 && size < CACHE_SIZE_MIN {
            return Err(Fault::invalid(
                "size must be 0 or a value greater or equal to 10",
            ));
        }
        engine.settings(cx).await?;
        let settings = CacheSettings { size };
        cx.view.put(CACHE, &settings).await?;
        engine.cache.resize(usize::try_from(size).unwrap_or(0));
        Ok(settings)
    }
}

/// Reads what holds for all keys.
#[derive(Deserialize, JsonSchema)]
struct ReadKeys {}

impl Handle<Transit> for ReadKeys {
    type Reply = KeySettings;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<KeySettings, Fault> {
        engine.key_settings(cx).await
    }
}

/// Sets what holds for all keys.
#[derive(Deserialize, JsonSchema)]
struct WriteKeys {
    /// Refuses to encrypt with a key that is not there, instead of making it.
    #[serde(default)]
    disable_upsert: Flag,
}

impl Handle<Transit> for WriteKeys {
    type Reply = KeySettings;

    async fn handle(self, _: &Transit, cx: &Ctx) -> Result<KeySettings, Fault> {
        let settings = KeySettings {
            disable_upsert: self.disable_upsert.0,
        };
        cx.view.put(KEYS, &settings).await?;
        Ok(settings)
    }
}
