//! `secrets`: mounts of secrets engines.

mod disable;
mod enable;

mod list;
mod relocate;
mod tune;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Secrets engines: enable, disable, list, tune, move
#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    Enable(enable::Enable),
    Disable(disable::Disable),
    List(list::List),
    Tune(tune::Tune),
    Move(relocate::Relocate),
}

impl Secrets {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Enable(enable) => enable.run(cx).await,
            Self::Disable(disable) => disable.run(cx).await,
            Self::List(list) => list.run(cx).await,
            Self::Tune(tune) => tune.run(cx).await,
            Self::Move(relocate) => relocate.run(cx).await,
        }
    }
}
