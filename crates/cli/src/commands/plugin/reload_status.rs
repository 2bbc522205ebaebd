use clap::Args;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::print_secret;

/// Show how far a reload over all nodes is
///
/// A server of Coffer has reloaded when it answers, and keeps no such status.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  coffer plugin reload-status d60a3e83-a598-4f3a-879d-0ddd95f11d4e"
)]
pub(crate) struct ReloadStatus {
    /// What `plugin reload -scope=global` answered
    #[arg(value_name = "RELOAD-ID")]
    reload_id: String,
}

impl ReloadStatus {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let query = [("reload_id", self.reload_id.as_str())];
        let answer = cx
            .client()?
            .read("sys/plugins/reload/backend/status", &query)
            .await;
        let answer = answer.or_failed("reading the reload's status")?;
        let secret = answer.ok_or_else(|| Failure {
            code: 2,
            text: "The server keeps no status of reloads.".to_owned(),
        })?;
        print_secret(cx, &secret, None)
    }
}
