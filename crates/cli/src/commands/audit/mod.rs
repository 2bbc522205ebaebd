//! `audit`: devices that record every request.

mod disable;
mod enable;
mod list;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Audit devices: enable, disable, list
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    Enable(enable::Enable),
    Disable(disable::Disable),
    List(list::List),
}

impl Audit {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Enable(enable) => enable.run(cx).await,
            Self::Disable(disable) => disable.run(cx).await,
            Self::List(list) => list.run(cx).await,
        }
    }
}
