use clap::Args;

use crate::context::Context;
use crate::failure::Outcome;
use crate::mount_flags::follow_move;

/// Move a secrets engine to another path; its leases are revoked, its data stays
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer secrets move database/ archive/")]
pub(crate) struct Relocate {
    /// Where it is
    #[arg(value_name = "FROM")]
    from: String,
    /// Where it goes
    #[arg(value_name = "TO")]
    to: String,
}

impl Relocate {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        follow_move(cx, "secrets engine", &self.from, &self.to).await
    }
}
