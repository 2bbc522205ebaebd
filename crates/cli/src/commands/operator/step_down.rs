use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};

/// Make the active node of a cluster give up leadership
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  Before maintenance of the active node:\n      coffer operator step-down"
)]
pub(crate) struct StepDown {}

impl StepDown {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        client.sys().step_down().await.or_failed("stepping down")?;
        cx.ui
            .line(&format!("Success! Stepped down: {}", client.address()));
        Ok(())
    }
}
