use clap::Args;

use super::super::mount::Target;
use super::settings::Settings;
use crate::commands::write::print_written;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Set a secret's settings and notes; the secret need not exist yet
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Keep five versions, each for thirty days:
      coffer kv metadata put -mount=secret -max-versions=5 -delete-version-after=30d app
  Notes (they replace all former ones):
      coffer kv metadata put -custom-metadata=owner=alice -custom-metadata=team=a secret/app")]
pub(crate) struct Put {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    settings: Settings,
}

impl Put {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let place = self.target.resolve_versioned(cx, &client).await?;
        let path = place.path("metadata");
        let answer = client
            .kv2(&place.mount)
            .put_metadata(&place.name, &self.settings.fields(&[]))
            .await;
        print_written(
            cx,
            answer.or_failed(format!("writing data to {path}"))?,
            &path,
            None,
        )
    }
}
