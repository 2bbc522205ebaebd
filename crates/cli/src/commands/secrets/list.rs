use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::mount_flags::print_detailed;
use crate::output::{columns, print};

/// List the secrets engines
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer secrets list\n  coffer secrets list -detailed")]
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
            .mounts()
            .await
            .or_failed("listing secrets engines")?;
        if self.detailed {
            return print_detailed(cx, &mounts, false);
        }
        let rows: Vec<[String; 4]> = mounts
            .iter()
            .map(|(path, mount)| {
                [
                    path.clone(),
                    mount.r#type.clone(),
                    mount.accessor.clone(),
                    mount.description.clone(),
                ]
            })
            .collect();
        print(cx, &mounts, || {
            columns(["Path", "Type", "Accessor", "Description"], &rows)
        })
    }
}
