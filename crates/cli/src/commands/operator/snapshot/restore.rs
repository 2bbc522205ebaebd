use clap::Args;

use super::verified;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// Replace everything in the storage by a snapshot
///
/// The snapshot is verified here and again by the server, which then puts it in place at once or not at all. Without
/// -force it takes only snapshots that it made itself with the keys it has now.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Back to an earlier state of the same server:
      coffer operator snapshot restore /var/backups/coffer.snap
  Onto a new, initialised server; it opens with the snapshot's unseal keys afterwards:
      coffer operator snapshot restore -force /var/backups/coffer.snap")]
pub(crate) struct Restore {
    /// The snapshot
    #[arg(value_name = "FILE")]
    file: String,
    /// Restore it even if it was made with other keys; the server is sealed then
    #[arg(long)]
    force: bool,
}

impl Restore {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let read = verified(&self.file, drop)?;
        let file = tokio::fs::File::open(&self.file).await;
        let file =
            file.map_err(|error| Failure::local(format!("cannot read {}: {error}", self.file)))?;
        let answer = client.sys().restore_snapshot(file, self.force).await;
        if let Some(answer) = answer.or_failed("restoring the snapshot")? {
            cx.ui.warnings(&answer.warnings);
        }
        cx.ui.line(&format!(
            "Success! Restored {} entries as they were at {}",
            read.meta.entries, read.meta.created
        ));
        Ok(())
    }
}
