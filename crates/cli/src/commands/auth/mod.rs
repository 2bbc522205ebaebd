//! `auth`: mounts of auth methods.

mod disable;
mod enable;
mod help;
mod list;
mod relocate;
mod tune;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Auth methods: enable, disable, list, tune, move, help
#[derive(Debug, Subcommand)]
pub(crate) enum AuthMethods {
    Enable(enable::Enable),
    Disable(disable::Disable),
    List(list::List),
    Tune(tune::Tune),
    Move(relocate::Relocate),
    Help(help::Help),
}

impl AuthMethods {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Enable(enable) => enable.run(cx).await,
            Self::Disable(disable) => disable.run(cx).await,
            Self::List(list) => list.run(cx).await,
            Self::Tune(tune) => tune.run(cx).await,
            Self::Move(relocate) => relocate.run(cx).await,
            Self::Help(help) => help.run(cx).await,
        }
    }
}
