use clap::Args;
use serde_json::Map;

use super::target::{Target, done, write};
use crate::context::Context;
use crate::failure::Outcome;

/// Change the description of a master key
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms update -key=alias/app -description='Orders of the shop'")]
pub(crate) struct Update {
    #[command(flatten)]
    target: Target,
    /// A note about it, no secret; empty for none
    #[arg(long, value_name = "TEXT")]
    description: String,
}

impl Update {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let name = self.target.name();
        let body = Map::from_iter([("description".to_owned(), self.description.into())]);
        let doing = format!("describing {name}");
        let answer = write(cx, &self.target.part(""), &body, &doing).await?;
        done(cx, answer, &format!("Success! changed {name}"))
    }
}
