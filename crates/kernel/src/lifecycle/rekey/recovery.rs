//! The paths for recovery keys, which exist only where another system unseals. A Shamir seal has none, and says so.

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;

use super::backup::none_kept;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    let change = "The change of recovery keys, which this seal does not have.";
    let copies = "Copies of recovery keys, which this seal does not have.";
    Routes::new([
        path("rekey-recovery-key/init", change)
            .unauthenticated()
            .read::<Refused>()
            .write::<Refused>()
            .delete::<Refused>(),
        path("rekey-recovery-key/update", change)
            .unauthenticated()
            .write::<Refused>(),
        path("rekey-recovery-key/verify", change)
            .unauthenticated()
            .read::<Refused>()
            .write::<Refused>()
            .delete::<Refused>(),
        path("rotate/recovery/init", change)
            .read::<Refused>()
            .write::<Refused>()
            .delete::<Nothing>(),
        path("rotate/recovery/update", change).write::<Refused>(),
        path("rotate/recovery/verify", change)
            .read::<Refused>()
            .write::<Refused>()
            .delete::<Refused>(),
        path("rekey/recovery-key-backup", copies)
            .read::<NoCopies>()
            .delete::<Nothing>(),
        path("rotate/recovery/backup", copies)
            .read::<NoCopies>()
            .delete::<Nothing>(),
    ])
}

/// Is refused: a Shamir seal has no recovery keys.
#[derive(Deserialize, JsonSchema)]
struct Refused {}

impl Handle<Open> for Refused {
    type Reply = Empty;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Empty, Fault> {
        Err(Fault::invalid(
            "recovery keys are not supported by a Shamir seal; change the unseal keys at sys/rekey or sys/rotate/root",
        ))
    }
}

/// Finds no copies: a Shamir seal has no recovery keys.
#[derive(Deserialize, JsonSchema)]
struct NoCopies {}

impl Handle<Open> for NoCopies {
    type Reply = Empty;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Empty, Fault> {
        Err(none_kept())
    }
}

/// Takes away what is not there.
#[derive(Deserialize, JsonSchema)]
struct Nothing {}

impl Handle<Open> for Nothing {
    type Reply = Empty;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Empty, Fault> {
        Ok(Empty)
    }
}
