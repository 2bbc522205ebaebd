use clap::Args;
use coffer_client::Kv2Versions;

use super::mount::Target;
use crate::commands::write::print_written;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Remove the values of versions for good
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  Two versions:\n      coffer kv destroy -mount=secret -versions=1,2 app"
)]
pub(crate) struct Destroy {
    #[command(flatten)]
    target: Target,
    /// The versions to destroy
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',', required = true)]
    versions: Vec<u64>,
}

impl Destroy {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let place = self.target.resolve_versioned(cx, &client).await?;
        let path = place.path("destroy");
        let kv = client.kv2(&place.mount);
        let answer = kv
            .change_versions(&place.name, &self.versions, Kv2Versions::Destroy)
            .await;
        print_written(
            cx,
            answer.or_failed(format!("writing data to {path}"))?,
            &path,
            None,
        )
    }
}
