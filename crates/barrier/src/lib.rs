//! The encrypted barrier: everything Coffer keeps passes through it, and only it sees both a storage
//! key and its ciphertext.
//!
//! A [`Barrier`] stands over a [`coffer_storage::Store`] and holds the key ring while it is unsealed.
//! A [`View`] is a prefix of it with typed records; [`Changes`] is an atomic set of writes, possibly
//! over several views. [`seal`] keeps the root key: wrapped by the unseal key whose Shamir shares
//! operators hold; or [`auto`], by keepers outside.
//!
//! The stored layout is specified in `docs/storage-format.md`.

pub mod auto;
mod barrier;
mod break_glass;
mod changes;
mod error;
mod foundation;
mod meters;
mod pages;
mod parts;
mod raw;
mod recovery;
pub mod seal;
mod stored;
mod view;
mod wrapper;

pub use auto::RootCopy;
pub use barrier::{Barrier, KeyInfo, MAX_ENCRYPTIONS_BOUND, Rotation};
pub use break_glass::BreakGlass;
pub use changes::Changes;
pub use error::Error;
pub use foundation::Foundation;
pub use meters::Meters;
pub use pages::{Pages, Parts, Paths};
pub use recovery::RecoveryKey;
pub use stored::{Seen, Stored};
pub use view::View;
pub use wrapper::{Kept, WrapError, Wrapped, Wrapper};
