//! Quotas: how fast clients may ask, how many leases may live, how many tokens one identity may have.
//!
//! A quota has a [`Place`]: everything, a namespace, a mount, paths below a mount, or the logins of a role. Of several
//! of a kind the nearest one counts and no other: role, then path, then the longest prefix, the mount, the namespace,
//! and the namespaces around it as far as theirs are inheritable. All quotas are in memory ([`Rules`]), in one value
//! that is swapped as a whole; a server without quotas pays for a look at an empty one.
//!
//! - **Rates** ([`admit`]) are asked before anybody looks at the token. What clients used up is in memory only, in a
//!   bounded number of windows ([`clients`]).
//! - **Leases** and **tokens** are counted durably ([`counts`]): a count changes in the very step that stores or
//!   removes what is counted, and each lease and token says under which quota it is counted. So a count is exact after
//!   any crash, and start-up does not grow with leases. What was there before its quota is counted page by page in the
//!   background ([`recount`]), as is what changes its quota.
//!
//! Below `sys/quotas/`:
//!
//! | path | holds |
//! |---|---|
//! | `rule/<kind>/<name>` | the quotas |
//! | `config` | which paths are exempt, and what clients and audit are told |
//! | `edition` | how often quotas changed |
//! | `tally/<quota id>/<part>` | parts of a number of leases |
//! | `holder/<quota id>/<hash of an identity>` | a number of tokens |
//! | `recount/<id>` | a place where leases and tokens are to be counted anew |

pub mod admit;
mod allowance;
mod book;
mod clients;
mod config;
mod counts;
mod place;
mod placing;
mod quota;
pub mod recount;
mod rules;
mod tally;

pub use allowance::{Allowance, Window};
pub use book::{Quotas, Shown, Wish};
pub use config::Config;
pub use counts::{Counts, Step};
pub use place::{Below, Place};
pub use placing::Placed;
pub use quota::{GroupBy, Kind, Limit, Quota, Rate};
