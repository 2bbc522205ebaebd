use clap::Args;
use coffer_client::Secret;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::input;
use crate::output::{Format, print_secret};

/// Write data to a path: a secret, a configuration, a login
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Values as words, the last one from a file:
      coffer write database/roles/app db_name=pg default_ttl=2m creation_statements=@role.sql
  A secret value that stays out of the shell's history:
      printf %s \"$PASSWORD\" | coffer write auth/userpass/users/alice password=-
  A whole JSON object from a file or from standard input:
      coffer write cubbyhole/note @note.json
      generate | coffer write cubbyhole/note -
  Nothing to say, only to do:
      coffer write -f database/rotate-root/pg")]
pub(crate) struct Write {
    /// Where to write
    #[arg(value_name = "PATH")]
    path: String,
    /// What to write: key=value, key=@file, key=- (standard input), @file.json, or - (JSON on standard input)
    #[arg(value_name = "KEY=VALUE")]
    data: Vec<String>,
    /// Write although there is no data
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    field: Field,
}

impl Write {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.data.is_empty() && !self.force {
            return Err(Failure::local(no_data(&self.path)));
        }
        let data = input::data(&self.data, &cx.ui)?;
        let answer = cx.client()?.write(&self.path, &data).await;
        let answer = answer.or_failed(format!("writing data to {}", self.path))?;
        print_written(cx, answer, &self.path, self.field.name())
    }
}

/// The hint for a write without anything to write.
pub(super) fn no_data(path: &str) -> String {
    format!(
        "there is no data to write to {path}; give key=value, @file.json or -, or -force to write nothing"
    )
}

/// Prints what a write answered, or that it was done.
pub(super) fn print_written(
    cx: &Context,
    answer: Option<Secret>,
    path: &str,
    field: Option<&str>,
) -> Outcome {
    match answer {
        Some(secret) => print_secret(cx, &secret, field),
        None => {
            // Scripts that ask for JSON expect JSON or nothing.
            if cx.format == Format::Table {
                cx.ui.line(&format!("Success! Data written to: {path}"));
            }
            Ok(())
        }
    }
}
