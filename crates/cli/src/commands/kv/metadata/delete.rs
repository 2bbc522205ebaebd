use clap::Args;

use super::super::mount::Target;
use crate::commands::delete::deleted;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Delete a secret for good, with all its versions and settings
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer kv metadata delete -mount=secret app")]
pub(crate) struct Delete {
    #[command(flatten)]
    target: Target,
}

impl Delete {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let place = self.target.resolve_versioned(cx, &client).await?;
        let path = place.path("metadata");
        client
            .kv2(&place.mount)
            .delete_metadata(&place.name)
            .await
            .or_failed(format!("deleting {path}"))?;
        deleted(cx, &path)
    }
}
