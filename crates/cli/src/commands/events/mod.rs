//! `events`: what happens on the server, as it happens.

mod line;
mod subscribe;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Events: follow what happens on the server
#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    Subscribe(subscribe::Subscribe),
}

impl Events {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Subscribe(subscribe) => subscribe.run(cx).await,
        }
    }
}
