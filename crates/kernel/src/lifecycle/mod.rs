//! From an empty store to an open server, and back: initialising, unsealing, sealing, rekeying, making
//! a root token from shares.
//!
//! These paths need no open barrier and no token; [`doorstep`] is their table.

mod attempts;
pub(crate) mod doorstep;
mod init;
mod status;
mod unseal;

pub(crate) use attempts::Attempts;
pub use init::Initialised;
