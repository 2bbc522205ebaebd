//! What can be changed, one file for each noun. Each is a [`super::Change`]: it is decided on what is stored.

mod entity;
mod entity_alias;
mod group;
mod group_alias;
mod login;
mod merge;

pub use entity::{DeleteEntities, EntityKey, PutEntity};
pub use entity_alias::{AliasKey, DeleteAlias, PutAlias};
pub use group::{DeleteGroup, GroupKey, LeaveGroup, PutGroup};
pub use group_alias::{DeleteGroupAlias, PutGroupAlias};
pub use login::{LogIn, StayIn};
pub use merge::{Clash, Merge};

use coffer_engine::Fault;

use crate::policy;
use crate::tokens::issue::normal;

/// Whether a change made something, changed it, or found it as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is new.
    Made,
    /// It was there.
    Changed,
    /// Nothing had to be changed.
    Same,
}

/// Names of policies in normal form, sorted, each once; `root` belongs to tokens alone.
fn policies(names: &[String]) -> Result<Vec<String>, Fault> {
    let mut policies: Vec<String> = normal(names).collect();
    policies.sort();
    policies.dedup();
    if policies
        .iter()
        .any(|policy| policy == policy::builtin::ROOT)
    {
        return Err(Fault::invalid("policies cannot contain root"));
    }
    Ok(policies)
}
