//! Which keys can be changed here: recovery keys exist only where seals have the root key.

use coffer_engine::Fault;

use crate::lifecycle::dialect::Subject;
use crate::lifecycle::quorum::is_kept_by_keepers;
use crate::open::Open;

/// Refuses keys that there can not be.
pub(super) async fn refuse_inapplicable(open: &Open, subject: Subject) -> Result<(), Fault> {
    match is_applicable(open, subject).await? {
        true => Ok(()),
        false => Err(inapplicable(subject)),
    }
}

/// Whether there can be such keys here.
pub(super) async fn is_applicable(open: &Open, subject: Subject) -> Result<bool, Fault> {
    Ok(match subject {
        Subject::RootToken | Subject::UnsealKeys => true,
        Subject::RecoveryKeys | Subject::BreakGlass => is_kept_by_keepers(open).await?,
    })
}

fn inapplicable(subject: Subject) -> Fault {
    Fault::invalid(match subject {
        Subject::BreakGlass => {
            "break-glass shares are for servers whose seals open them; here the unseal keys do"
        }
        _ => {
            "recovery keys are not supported by a Shamir seal; change the unseal keys at sys/rekey or sys/rotate/root"
        }
    })
}
