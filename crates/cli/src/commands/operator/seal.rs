use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};

/// Seal the server: it forgets its key and answers nothing until it is unsealed
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  When something is wrong:\n      coffer operator seal")]
pub(crate) struct Seal {}

impl Seal {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        cx.client()?.sys().seal().await.or_failed("sealing")?;
        cx.ui.line("Success! The server is sealed.");
        Ok(())
    }
}
