use clap::Args;

use super::asking::write_once;
use super::body::Body;
use super::place::Mount;
use super::source::Words;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::Format;

/// Bring a key back from a backup
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Under the name that it had:
      coffer transit restore @orders.backup
  Under another:
      coffer transit restore -name=orders-2026 @orders.backup
  In place of a key that is there, which is lost by that:
      age -d orders.backup.age | coffer transit restore -force -")]
pub(crate) struct Restore {
    /// The backup: @FILE, or - for standard input
    #[arg(value_name = "BACKUP")]
    backup: String,
    #[command(flatten)]
    mount: Mount,
    /// The name of the restored key [default: the one in the backup]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Replace a key of that name
    #[arg(long)]
    force: bool,
}

impl Restore {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.backup != "-" && !self.backup.starts_with('@') {
            // Not repeated: it may be the backup itself.
            return Err(Failure::local(
                "a backup holds the key, so it is taken from @FILE or - (standard input) alone, never from an argument that others can see",
            ));
        }
        let mount = self.mount.path()?;
        let path = match &self.name {
            Some(name) => format!("{mount}/restore/{name}"),
            None => format!("{mount}/restore"),
        };
        let body = Body::default()
            .with("backup", Some(Words::default().text(&self.backup)?))
            .with("force", self.force.then_some(true));
        let what = self.name.as_deref().unwrap_or("a key");
        write_once(cx, &path, &body, &format!("restoring {what}")).await?;
        if cx.format == Format::Table {
            cx.ui.line(&format!("Success! Restored {what} at: {mount}"));
        }
        Ok(())
    }
}
