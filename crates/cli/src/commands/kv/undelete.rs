use clap::Args;
use coffer_client::Kv2Versions;

use super::mount::Target;
use crate::commands::write::print_written;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Bring deleted versions of a secret back
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  One version:\n      coffer kv undelete -mount=secret -versions=3 app"
)]
pub(crate) struct Undelete {
    #[command(flatten)]
    target: Target,
    /// The versions to bring back
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',', required = true)]
    versions: Vec<u64>,
}

impl Undelete {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let place = self.target.resolve_versioned(cx, &client).await?;
        let path = place.path("undelete");
        let kv = client.kv2(&place.mount);
        let answer = kv
            .change_versions(&place.name, &self.versions, Kv2Versions::Undelete)
            .await;
        print_written(
            cx,
            answer.or_failed(format!("writing data to {path}"))?,
            &path,
            None,
        )
    }
}
