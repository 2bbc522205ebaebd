//! `sys/rekey`, `sys/rekey-recovery-key` (Vault's paths), `sys/rotate/root`, `sys/rotate/recovery` (OpenBao's), and
//! `sys/break-glass` (ours).

use coffer_engine::{Routes, path};

use super::api::{
    Cancel, ReadStatus, ReadVerification, RestartVerification, Start, Update, Verify,
};
use super::backup;
use crate::lifecycle::dialect::{BreakGlassShares, ByPolicy, ForAll, RecoveryKeys, UnsealKeys};
use crate::open::Open;

pub(crate) fn routes() -> Routes<Open> {
    Routes::merge([
        attempts(),
        recovery().root_only(),
        break_glass().root_only(),
        backup::routes(),
    ])
}

fn recovery() -> Routes<Open> {
    let change = "The change of the recovery keys: its progress; starts, cancels it.";
    let update = "Hands in one share of the present recovery key.";
    let verify = "Hands back a share of the new recovery key.";
    Routes::new([
        path("rekey-recovery-key/init", change)
            .unauthenticated()
            .read::<ForAll<ReadStatus, RecoveryKeys>>()
            .write::<ForAll<Start, RecoveryKeys>>()
            .delete::<ForAll<Cancel, RecoveryKeys>>(),
        path("rekey-recovery-key/update", update)
            .unauthenticated()
            .write::<ForAll<Update, RecoveryKeys>>(),
        path("rekey-recovery-key/verify", verify)
            .unauthenticated()
            .read::<ForAll<ReadVerification, RecoveryKeys>>()
            .write::<ForAll<Verify, RecoveryKeys>>()
            .delete::<ForAll<RestartVerification, RecoveryKeys>>(),
        path("rotate/recovery/init", change)
            .read::<ByPolicy<ReadStatus, RecoveryKeys>>()
            .write::<ByPolicy<Start, RecoveryKeys>>()
            .delete::<ByPolicy<Cancel, RecoveryKeys>>(),
        path("rotate/recovery/update", update).write::<ByPolicy<Update, RecoveryKeys>>(),
        path("rotate/recovery/verify", verify)
            .read::<ByPolicy<ReadVerification, RecoveryKeys>>()
            .write::<ByPolicy<Verify, RecoveryKeys>>()
            .delete::<ByPolicy<RestartVerification, RecoveryKeys>>(),
    ])
}

fn break_glass() -> Routes<Open> {
    Routes::new([
        path(
            "break-glass/init",
            "The making of break-glass shares: its progress; starts, cancels it.",
        )
        .sudo()
        .read::<ByPolicy<ReadStatus, BreakGlassShares>>()
        .write::<ByPolicy<Start, BreakGlassShares>>()
        .delete::<ByPolicy<Cancel, BreakGlassShares>>(),
        path(
            "break-glass/update",
            "Hands in one share of the recovery key.",
        )
        .sudo()
        .write::<ByPolicy<Update, BreakGlassShares>>(),
        path(
            "break-glass/verify",
            "Hands back a break-glass share before it holds.",
        )
        .sudo()
        .read::<ByPolicy<ReadVerification, BreakGlassShares>>()
        .write::<ByPolicy<Verify, BreakGlassShares>>()
        .delete::<ByPolicy<RestartVerification, BreakGlassShares>>(),
    ])
}

fn attempts() -> Routes<Open> {
    Routes::new([
        path(
            "rekey/init",
            "The change of the unseal keys: its progress; starts, cancels it.",
        )
        .unauthenticated()
        .root_only()
        .read::<ForAll<ReadStatus, UnsealKeys>>()
        .write::<ForAll<Start, UnsealKeys>>()
        .delete::<ForAll<Cancel, UnsealKeys>>(),
        path(
            "rekey/update",
            "Hands in one share of the present unseal key.",
        )
        .unauthenticated()
        .root_only()
        .write::<ForAll<Update, UnsealKeys>>(),
        path("rekey/verify", "Hands back a share of the new unseal key.")
            .unauthenticated()
            .root_only()
            .read::<ForAll<ReadVerification, UnsealKeys>>()
            .write::<ForAll<Verify, UnsealKeys>>()
            .delete::<ForAll<RestartVerification, UnsealKeys>>(),
        path(
            "rotate/root/init",
            "The change of the unseal keys: its progress; starts, cancels it.",
        )
        .read::<ByPolicy<ReadStatus, UnsealKeys>>()
        .write::<ByPolicy<Start, UnsealKeys>>()
        .delete::<ByPolicy<Cancel, UnsealKeys>>(),
        path(
            "rotate/root/update",
            "Hands in one share of the present unseal key.",
        )
        .write::<ByPolicy<Update, UnsealKeys>>(),
        path(
            "rotate/root/verify",
            "Hands back a share of the new unseal key.",
        )
        .read::<ByPolicy<ReadVerification, UnsealKeys>>()
        .write::<ByPolicy<Verify, UnsealKeys>>()
        .delete::<ByPolicy<RestartVerification, UnsealKeys>>(),
    ])
}
