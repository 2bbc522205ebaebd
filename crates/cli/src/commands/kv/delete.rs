use clap::Args;
use coffer_client::Kv2Versions;

use super::mount::Target;
use crate::commands::delete::deleted;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Delete a secret; where versions are kept it can be undone
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The latest version:
      coffer kv delete -mount=secret app
  Chosen versions:
      coffer kv delete -versions=3,4 secret/app
  For good, with all versions:
      coffer kv metadata delete secret/app")]
pub(crate) struct Delete {
    #[command(flatten)]
    target: Target,
    /// The versions to delete
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',')]
    versions: Vec<u64>,
}

impl Delete {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let place = self.target.resolve(cx, &client).await?;
        let path = place.path("data");
        let answer = match (place.versioned, self.versions.as_slice()) {
            (false, _) => client.kv1(&place.mount).delete(&place.name).await,
            (true, []) => client.kv2(&place.mount).delete(&place.name).await,
            (true, versions) => {
                client
                    .kv2(&place.mount)
                    .change_versions(&place.name, versions, Kv2Versions::Delete)
                    .await
            }
        };
        answer.or_failed(format!("deleting {path}"))?;
        deleted(cx, &path)
    }
}
