use clap::Args;

use super::mount;
use crate::commands::list::print_list;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// List the names of secrets
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  All at the top of a mount:
      coffer kv list secret
  Below a folder:
      coffer kv list -mount=secret team/")]
pub(crate) struct List {
    /// Where to look, with the mount in front unless -mount is given
    #[arg(value_name = "PATH")]
    path: Option<String>,
    /// Where the engine is mounted
    #[arg(long, value_name = "PATH")]
    mount: Option<String>,
}

impl List {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.path.is_none() && self.mount.is_none() {
            return Err(Failure::local(
                "say where to look, like `coffer kv list secret`",
            ));
        }
        let client = cx.client()?;
        let path = self.path.unwrap_or_default();
        let place = mount::resolve(cx, &client, self.mount.as_deref(), &path).await?;
        let path = place.path("metadata");
        let path = path.trim_end_matches('/');
        let answer = client
            .list(path, &[])
            .await
            .or_failed(format!("listing {path}"))?;
        print_list(cx, answer, path, false)
    }
}
