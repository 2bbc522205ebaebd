//! From an empty store to an open server, and back: initialising, unsealing, sealing, changing the
//! unseal keys, making a root token from shares.
//!
//! [`doorstep`] is the table of paths that need no open barrier and no token. The [`Ceremonies`] need
//! an open barrier and go the straight line of every request, so that they are recorded.

mod attempts;
mod dialect;
pub(crate) mod doorstep;
mod generate_root;
mod init;
mod initialise;
mod pgp;
mod quorum;
mod rekey;
mod self_init;
mod status;
mod under_way;
mod unseal;

use coffer_engine::Routes;

use dialect::Subject;

use crate::open::Open;
pub(crate) use attempts::{Attempts, Progress};
pub(crate) use init::operators_fault;
pub use init::{Cluster, Initialised};
pub(crate) use pgp::{handed_out, recipients};
pub(crate) use unseal::{decoded, refuse_length};

/// Operators' attempts that need several shares; they end when the server is sealed.
#[derive(Default)]
pub(crate) struct Ceremonies {
    rekey: rekey::Slot,
    recovery: rekey::Slot,
    break_glass: rekey::Slot,
    root: generate_root::Slot,
}

impl Ceremonies {
    /// The attempts to change keys of a sort.
    fn keys(&self, of: Subject) -> &rekey::Slot {
        match of {
            Subject::RecoveryKeys => &self.recovery,
            Subject::BreakGlass => &self.break_glass,
            Subject::UnsealKeys | Subject::RootToken => &self.rekey,
        }
    }

    /// Ends the attempts to make break-glass shares, those that wait to be verified, too.
    pub(crate) fn clear_break_glass(&self) {
        self.break_glass.lock().clear();
    }

    /// Ends all attempts.
    pub(crate) fn clear(&self) {
        self.rekey.lock().clear();
        self.recovery.lock().clear();
        self.break_glass.lock().clear();
        self.root.lock().clear();
    }
}

/// The paths of the ceremonies, below `sys/`.
pub(crate) fn routes() -> Routes<Open> {
    Routes::merge([rekey::routes(), generate_root::routes()])
}
