//! `audit`: devices that record every request.

mod chain;
mod disable;
mod enable;
mod list;
mod tail;
mod verify;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Audit devices: enable, disable, list; follow and check their logs
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    Enable(enable::Enable),
    Disable(disable::Disable),
    List(list::List),
    Chain(chain::Chain),
    Tail(tail::Tail),
    Verify(verify::Verify),
}

impl Audit {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Enable(enable) => enable.run(cx).await,
            Self::Disable(disable) => disable.run(cx).await,
            Self::List(list) => list.run(cx).await,
            Self::Chain(chain) => chain.run(cx).await,
            Self::Tail(tail) => tail.run(cx).await,
            Self::Verify(verify) => verify.run(cx).await,
        }
    }
}
