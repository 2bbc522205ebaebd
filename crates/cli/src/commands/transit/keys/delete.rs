use clap::Args;

use crate::commands::delete::deleted;
use crate::commands::transit::asking::refused;
use crate::commands::transit::place::Target;
use crate::context::Context;
use crate::failure::Outcome;

/// Destroy a key with all versions; what it encrypted is lost for ever
///
/// The key has to allow it (`keys config -deletion-allowed`).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  One that nobody needs any more:
      coffer transit keys config -deletion-allowed orders
      coffer transit keys delete orders
  First to see who misses it:
      coffer transit keys soft-delete orders")]
pub(crate) struct Delete {
    #[command(flatten)]
    target: Target,
}

impl Delete {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.target.place()?.key();
        let answer = cx.client()?.delete(&path, &[]).await;
        answer.map_err(|error| refused(&format!("deleting {path}"), &error))?;
        deleted(cx, &path)
    }
}
