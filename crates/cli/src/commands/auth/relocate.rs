use clap::Args;

use crate::context::Context;
use crate::failure::Outcome;
use crate::mount_flags::follow_move;

/// Move an auth method to another path; its leases are revoked, its data stays
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer auth move approle/ archive/")]
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
        follow_move(
            cx,
            "auth method",
            &below_auth(&self.from),
            &below_auth(&self.to),
        )
        .await
    }
}

fn below_auth(path: &str) -> String {
    format!(
        "auth/{}",
        path.trim_matches('/').trim_start_matches("auth/")
    )
}
