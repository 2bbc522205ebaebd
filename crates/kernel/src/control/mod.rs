//! Requests that others must authorize first (`control_group` of a policy).
//!
//! Such a request is not run: it waits in the own storage of a wrapping token, and ends with it. Members of the groups
//! that policy names say yes to its accessor. Whoever unwraps the token then lets the request go the whole line again,
//! with the rights that its token has by then: policy says anew what must be authorized, and by the same look
//! ([`hold`]) whether it is.

mod approvals;
mod pending;
mod redeem;
mod votes;

pub use approvals::Approvals;
pub(crate) use pending::hold;
pub(crate) use redeem::redeem;
pub(crate) use votes::{authorize, state};
