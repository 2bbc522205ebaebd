//! Leases: what is issued, when it ends, and that it really ends.
//!
//! A lease stores what to do, never a callback: its mount and the engine's own record. Everything is
//! in storage, so memory and start-up do not grow with the number of leases:
//!
//! | path below `sys/lease/` | holds |
//! |---|---|
//! | `id/<lease id>` | the record of a lease of the root namespace; lease ids begin with the path that issued them |
//! | `in/<namespace>/<lease id>` | the record of another one; its id ends in the namespace's id |
//! | `token/<accessor>/<lease id>` | the leases of a token |
//! | `mount/<accessor>/<lease id>` | the leases of a mount, also of when it had another path |
//! | `parked/<target>/<lease id>` | leases whose revocation failed and is being retried |
//! | `closed/<mount>` | the mount is being taken away: no new intents |
//!
//! and the due index of [`crate::due`]. [`book`] keeps them, [`settle`] issues, [`revoke`] ends,
//! [`worker`] does what is due.

pub mod book;
mod desk;
mod owners;
mod parked;
mod record;
mod renew;
mod revoke;
pub mod settle;
mod tidy;
mod told;
pub mod waiting;
pub mod worker;

pub use book::{Leases, Which, kept_for};
pub use desk::Desk;
pub use owners::{By, owners};
pub use parked::{Parked, Targets};
pub use record::{LeaseRecord, LeaseState};
pub use renew::renew;
pub use revoke::{Force, end_all, end_of_token, end_soon, revoke, revoke_all};
pub use tidy::tidy;
pub use waiting::Waiting;
