use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::mount_flags::print_detailed;
use crate::output::{columns, print};

/// List the auth methods
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer auth list\n  coffer auth list -detailed")]
pub(crate) struct List {
    /// Show settings too
    #[arg(long)]
    detailed: bool,
}

impl List {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mounts = cx
            .client()?
            .sys()
            .auths()
            .await
            .or_failed("listing auth methods")?;
        if self.detailed {
            return print_detailed(cx, &mounts, true);
        }
        let rows: Vec<[String; 5]> = mounts
            .iter()
            .map(|(path, mount)| {
                [
                    path.clone(),
                    mount.r#type.clone(),
                    mount.accessor.clone(),
                    mount.description.clone(),
                    mount.plugin_version.clone(),
                ]
            })
            .collect();
        print(cx, &mounts, || {
            columns(
                ["Path", "Type", "Accessor", "Description", "Version"],
                &rows,
            )
        })
    }
}
