use clap::Args;

use super::write::{no_data, print_written};
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::input;

/// Change the named fields at a path and leave the others
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  One setting of a secret's metadata:
      coffer patch secret/metadata/app max_versions=5
  From a file (null removes a field):
      coffer patch secret/metadata/app @change.json")]
pub(crate) struct Patch {
    /// What to change
    #[arg(value_name = "PATH")]
    path: String,
    /// The fields: key=value, key=@file, key=-, @file.json, or -
    #[arg(value_name = "KEY=VALUE")]
    data: Vec<String>,
    /// Send the request although there is no data
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    field: Field,
}

impl Patch {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.data.is_empty() && !self.force {
            return Err(Failure::local(no_data(&self.path)));
        }
        let data = input::data(&self.data, &cx.ui)?;
        let answer = cx.client()?.patch(&self.path, &data).await;
        let answer = answer.or_failed(format!("writing data to {}", self.path))?;
        print_written(cx, answer, &self.path, self.field.name())
    }
}
