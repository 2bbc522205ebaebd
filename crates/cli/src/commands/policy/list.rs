use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::output::print;

/// List the policies' names
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer policy list")]
pub(crate) struct List {}

impl List {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let names = cx
            .client()?
            .sys()
            .policies()
            .await
            .or_failed("listing policies")?;
        print(cx, &names, || names.join("\n"))
    }
}
