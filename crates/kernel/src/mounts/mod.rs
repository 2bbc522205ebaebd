//! Mounts: which engine answers which path.
//!
//! The table is a snapshot behind one swap; a request works on the snapshot it found. Records are kept
//! one per mount under `core/mount/<uuid>`, an engine's data under `logical/<uuid>/`.

mod across;
mod change;
mod record;
mod table;

pub use across::move_across;
pub(crate) use change::Edition;
pub use change::{
    check_remount, disable, enable, install_missing, reload, remount, resume_disabling, tell_move,
    tune,
};
pub use record::{MountRecord, Tuning, UserLockout};
pub use table::{Backend, Found, Mount, Mounts};
