use clap::Args;

use super::super::mount::Target;
use super::settings::Settings;
use crate::commands::write::print_written;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// Change some of a secret's settings and notes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Add a note and remove another:
      coffer kv metadata patch -mount=secret -custom-metadata=team=b -remove-custom-metadata=owner app
  Demand that writers say which version they replace:
      coffer kv metadata patch -cas-required secret/app")]
pub(crate) struct Patch {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    settings: Settings,
    /// Remove this note, repeatable
    #[arg(long, value_name = "KEY")]
    remove_custom_metadata: Vec<String>,
}

impl Patch {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let fields = self.settings.fields(&self.remove_custom_metadata);
        if fields.is_empty() {
            return Err(Failure::local(
                "there is nothing to change; see the flags with -h",
            ));
        }
        let client = cx.client()?;
        let place = self.target.resolve_versioned(cx, &client).await?;
        let path = place.path("metadata");
        let answer = client
            .kv2(&place.mount)
            .patch_metadata(&place.name, &fields)
            .await;
        print_written(
            cx,
            answer.or_failed(format!("writing data to {path}"))?,
            &path,
            None,
        )
    }
}
