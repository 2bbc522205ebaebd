use clap::Args;

use super::list::print_found;
use crate::context::Context;
use crate::failure::Outcome;

/// List all namespaces below the one in use, at any depth
///
/// What is below a sealed namespace is not seen.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer namespace scan
  coffer namespace scan -namespace=team -format=json")]
pub(crate) struct Scan {
    /// Show ids, notes and locks, too
    #[arg(long)]
    detailed: bool,
}

impl Scan {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        print_found(cx, "scan", self.detailed).await
    }
}
