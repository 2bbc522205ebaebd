//! `token`: make, inspect, renew and revoke tokens.

mod capabilities;
mod create;
mod lookup;
mod renew;
mod revoke;

use clap::Subcommand;

pub(super) use renew::increment_secs;

use crate::context::Context;
use crate::failure::Outcome;

/// Tokens: create, look up, renew, revoke, capabilities
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommands {
    Create(Box<create::Create>),
    Lookup(lookup::Lookup),
    Renew(renew::Renew),
    Revoke(revoke::Revoke),
    Capabilities(capabilities::Capabilities),
}

impl TokenCommands {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Create(create) => create.run(cx).await,
            Self::Lookup(lookup) => lookup.run(cx).await,
            Self::Renew(renew) => renew.run(cx).await,
            Self::Revoke(revoke) => revoke.run(cx).await,
            Self::Capabilities(capabilities) => capabilities.run(cx).await,
        }
    }
}
