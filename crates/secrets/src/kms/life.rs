//! `keys/{key}/enable`, `…/disable`, `…/schedule-deletion`, `…/cancel-deletion`.

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use coffer_wire::{Int, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kms;
use super::events::{DELETION_CANCEL, DELETION_SCHEDULE, KEY_DISABLE, KEY_ENABLE};
use super::exception::Exception;
use super::record::{DAY, Key};
use super::state::KeyState;

/// Days between the decision to delete a key and its deletion.
const WINDOW_DAYS: std::ops::RangeInclusive<i64> = 7..=30;
/// If nothing is said.
const USUAL_WINDOW_DAYS: i64 = 30;

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("keys/{key}/enable", "Lets a key be used.").write::<Enable>(),
        path("keys/{key}/disable", "Lets a key be used no more.").write::<Disable>(),
        path("keys/{key}/schedule-deletion", "The end of a key.").write::<ScheduleDeletion>(),
        path(
            "keys/{key}/cancel-deletion",
            "The end of a key, after all not.",
        )
        .write::<CancelDeletion>(),
    ])
}

/// Lets a key be used.
#[derive(Deserialize, JsonSchema)]
struct Enable {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
}

impl Handle<Kms> for Enable {
    type Reply = Empty;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Empty, Fault> {
        engine
            .change(cx, &self.key, KEY_ENABLE, |id, key| turn(id, key, false))
            .await
    }
}

/// Lets a key be used no more, until it is enabled again.
#[derive(Deserialize, JsonSchema)]
struct Disable {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
}

impl Handle<Kms> for Disable {
    type Reply = Empty;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Empty, Fault> {
        engine
            .change(cx, &self.key, KEY_DISABLE, |id, key| turn(id, key, true))
            .await
    }
}

fn turn(id: super::name::KeyId, key: &mut Key, disabled: bool) -> Result<Empty, Fault> {
    match key.state() {
        KeyState::Enabled | KeyState::Disabled => {
            key.disabled = disabled;
            Ok(Empty)
        }
        KeyState::PendingDeletion | KeyState::PendingImport => {
            key.refuse_unless_enabled(id)?;
            Ok(Empty)
        }
    }
}

/// Decides when a key is deleted, with all its versions and aliases. What it has encrypted can not be read after that.
#[derive(Deserialize, JsonSchema)]
struct ScheduleDeletion {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// How many days there are to cancel it: 7 to 30, and 30 if nothing is said.
    #[serde(default)]
    pending_window_in_days: Option<Int>,
}

/// When a key will be deleted.
#[derive(Serialize, JsonSchema)]
struct Scheduled {
    key_id: String,
    deletion_date: Timestamp,
    key_state: KeyState,
    pending_window_in_days: i64,
}

impl Handle<Kms> for ScheduleDeletion {
    type Reply = Scheduled;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Scheduled, Fault> {
        let days = self
            .pending_window_in_days
            .map_or(USUAL_WINDOW_DAYS, |days| days.0);
        let window = u32::try_from(days)
            .ok()
            .filter(|_| WINDOW_DAYS.contains(&days));
        let window = window.ok_or_else(|| {
            Exception::Validation.because("pending_window_in_days must be from 7 to 30")
        })?;
        let date = cx.now.plus(DAY.saturating_mul(window));
        let edit = |id, key: &mut Key| {
            key.refuse_pending_deletion(id)?;
            key.deletion = Some(date);
            Ok(id)
        };
        let id = engine.change_untold(cx, &self.key, edit).await?;
        cx.emit(id.event(DELETION_SCHEDULE).with("deletion_date", date));
        Ok(Scheduled {
            key_id: id.to_string(),
            deletion_date: date,
            key_state: KeyState::PendingDeletion,
            pending_window_in_days: days,
        })
    }
}

/// Lets a key stay that was to be deleted. It is disabled then.
#[derive(Deserialize, JsonSchema)]
struct CancelDeletion {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
}

/// Which key it was.
#[derive(Serialize, JsonSchema)]
pub(super) struct Which {
    pub(super) key_id: String,
}

impl Handle<Kms> for CancelDeletion {
    type Reply = Which;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Which, Fault> {
        let edit = |id, key: &mut Key| {
            if key.deletion.take().is_none() {
                return Err(
                    Exception::InvalidState.because(format!("key {id} is not pending deletion"))
                );
            }
            key.disabled = true;
            Ok(id)
        };
        let id = engine.change(cx, &self.key, DELETION_CANCEL, edit).await?;
        let key_id = id.to_string();
        Ok(Which { key_id })
    }
}
