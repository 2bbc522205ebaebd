//! `lease`: what was issued and has to end.

mod lookup;
mod owners;
mod renew;
mod revoke;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Leases: look up, renew, revoke, count by owner
#[derive(Debug, Subcommand)]
pub(crate) enum Leases {
    Lookup(lookup::Lookup),
    Renew(renew::Renew),
    Revoke(revoke::Revoke),
    Owners(owners::Owners),
}

impl Leases {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Lookup(lookup) => lookup.run(cx).await,
            Self::Renew(renew) => renew.run(cx).await,
            Self::Revoke(revoke) => revoke.run(cx).await,
            Self::Owners(owners) => owners.run(cx).await,
        }
    }
}
