//! The key that encrypts what is stored: `sys/key-status`, `sys/rotate` and when it rotates by itself.

use std::time::Duration;

use coffer_barrier::seal::Protection;
use coffer_barrier::{Error, MAX_ENCRYPTIONS_BOUND, Rotation, Stored};
use coffer_engine::{Ctx, Empty, Event, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Int, Timestamp, Ttl, format_duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::events::catalogue;
use crate::open::Open;
use crate::seals::Keeping;

/// The fewest encryptions before a rotation: a new key costs memory for ever.
const MAX_OPERATIONS_LEAST: u64 = 1_000_000;
/// The shortest interval between rotations.
const INTERVAL_LEAST: Duration = Duration::from_secs(24 * 3600);
/// How often a rotation starts again when other changes of the key ring are faster.
const ROTATION_TRIES: usize = 16;
/// Where the settings are kept, below `core/`.
const RECORD: &str = "rotation";

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("key-status", "The key that encrypts what is stored.").read::<ReadKeyStatus>(),
        path("rotate", "Begins a new encryption key.")
            .sudo()
            .write::<Rotate>(),
        path("rotate/keyring", "Begins a new encryption key.")
            .sudo()
            .write::<Rotate>(),
        path("rotate/root", "Begins a new root key.")
            .sudo()
            .write::<RotateRoot>(),
        path(
            "rotate/config",
            "When the encryption key is replaced by itself.",
        )
        .read::<ReadRotation>()
        .write::<ChangeRotation>(),
        path(
            "rotate/keyring/config",
            "When the encryption key is replaced by itself.",
        )
        .read::<ReadRotation>()
        .write::<ChangeRotation>(),
    ])
}

/// Shows the number of the active key, when it was made and how often it has encrypted.
#[derive(Deserialize, JsonSchema)]
struct ReadKeyStatus {}

impl Handle<Open> for ReadKeyStatus {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let key = open.keys()?.key_info()?;
        Reply::also_at_top(&json!({
            "term": key.term,
            "install_time": Timestamp::from_secs(key.installed_secs),
            "encryptions": key.encryptions,
        }))
    }
}

/// Begins a new encryption key. What is stored stays readable; what is written uses the new key.
#[derive(Deserialize, JsonSchema)]
struct Rotate {}

impl Handle<Open> for Rotate {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        let keys = open.keys()?;
        for _ in 0..ROTATION_TRIES {
            match keys.rotate(cx.now.secs()).await {
                Ok(term) => {
                    tracing::info!(term, "a new encryption key is in use");
                    open.tell(rotated(term));
                    return Ok(Empty);
                }
                Err(Error::Conflict) => tokio::task::yield_now().await,
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::Conflict.into())
    }
}

fn rotated(term: u32) -> Event {
    Event::new(catalogue::ROTATE, "sys/rotate").with("term", term)
}

/// Begins a new root key, where seals outside keep it. By shares it is kept encrypted by the unseal key, which no running
/// server holds: there it is refused.
#[derive(Deserialize, JsonSchema)]
struct RotateRoot {}

impl Handle<Open> for RotateRoot {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let keys = open.keys()?;
        if matches!(keys.protection().await?, Some(Protection::Keepers(_))) {
            Keeping::of_open(open).change_root().await?;
            open.tell(Event::new(catalogue::REKEY, "sys/rotate/root").with("key", "root key"));
            return Ok(Empty);
        }
        Err(Fault::invalid(
            "the root key is replaced together with the unseal keys, for which their shares are needed: begin at sys/rotate/root/init",
        ))
    }
}

/// When the encryption key is replaced by itself, as stored under `core/rotation`.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Kept {
    enabled: bool,
    max_operations: u64,
    interval_secs: u64,
}

impl Stored for Kept {}

impl Default for Kept {
    fn default() -> Self {
        let rotation = Rotation::default();
        Self {
            enabled: rotation.enabled,
            max_operations: rotation.max_encryptions,
            interval_secs: rotation.interval_secs,
        }
    }
}

/// Shows when the encryption key is replaced by itself.
#[derive(Deserialize, JsonSchema)]
struct ReadRotation {}

impl Handle<Open> for ReadRotation {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let kept = kept(open).await?;
        let interval = match kept.interval_secs {
            0 => Value::from(0),
            secs => format_duration(Duration::from_secs(secs)).into(),
        };
        Reply::data(&json!({
            "enabled": kept.enabled,
            "max_operations": kept.max_operations,
            "interval": interval,
        }))
    }
}

/// Changes when the encryption key is replaced by itself; what is absent stays as it is.
#[derive(Deserialize, JsonSchema)]
struct ChangeRotation {
    /// Whether it is replaced by itself. Near the bound of the cipher it is replaced even if not.
    #[serde(default)]
    enabled: Option<Flag>,
    /// After how many encryptions.
    #[serde(default)]
    max_operations: Option<Int>,
    /// After how long; at least 24 hours, or 0 for no matter how long.
    #[serde(default)]
    interval: Option<Ttl>,
}

impl Handle<Open> for ChangeRotation {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.keys()?;
        let most = u64::try_from(self.max_operations.map_or(0, |number| number.0)).unwrap_or(0);
        let range = MAX_OPERATIONS_LEAST..=MAX_ENCRYPTIONS_BOUND;
        if self.max_operations.is_some_and(|number| number.0 != 0) && !range.contains(&most) {
            return Err(Fault::Invalid(format!(
                "max_operations must be in the range [{MAX_OPERATIONS_LEAST},{MAX_ENCRYPTIONS_BOUND}]"
            )));
        }
        if self
            .interval
            .is_some_and(|interval| !interval.is_zero() && interval.0 < INTERVAL_LEAST)
        {
            return Err(Fault::Invalid(format!(
                "interval must be greater or equal to {}",
                format_duration(INTERVAL_LEAST)
            )));
        }
        let change = |old: Option<Kept>| {
            let mut new = old.unwrap_or_default();
            if let Some(Flag(enabled)) = self.enabled {
                new.enabled = enabled;
            }
            if most != 0 {
                new.max_operations = most;
            }
            if let Some(interval) = self.interval {
                new.interval_secs = interval.secs();
            }
            Ok::<_, Fault>((Some(new), ()))
        };
        open.space.view.sub("core/").update(RECORD, change).await?;
        Ok(Empty)
    }
}

/// Replaces the encryption key if it is time, and otherwise writes down how often it was used.
pub(crate) async fn keep_keys_fresh(open: &Open, now: Timestamp) -> Result<(), Fault> {
    let kept = kept(open).await?;
    let rotation = Rotation {
        enabled: kept.enabled,
        max_encryptions: kept.max_operations,
        interval_secs: kept.interval_secs,
    };
    let keys = open.keys()?;
    let before = keys.key_info()?.term;
    match keys.keep_keys_fresh(now.secs(), rotation).await {
        // Somebody else has just written the key ring, and with it how often the key was used.
        Err(Error::Conflict) => Ok(()),
        Ok(()) => {
            let term = keys.key_info()?.term;
            if term != before {
                open.tell(rotated(term));
            }
            Ok(())
        }
        Err(other) => Err(other.into()),
    }
}

async fn kept(open: &Open) -> Result<Kept, Fault> {
    open.keys()?;
    let kept = open.space.view.sub("core/").get(RECORD).await?;
    Ok(kept.unwrap_or_default())
}
