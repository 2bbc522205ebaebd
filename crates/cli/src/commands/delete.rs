use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::field::Field;
use crate::input;
use crate::output::{Format, cell, print_secret};

/// Delete what is at a path
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A role of the database engine:
      coffer delete database/roles/app-role
  The latest version of a secret (others stay):
      coffer kv delete secret/app")]
pub(crate) struct Delete {
    /// What to delete
    #[arg(value_name = "PATH")]
    path: String,
    /// Parameters of the query
    #[arg(value_name = "KEY=VALUE")]
    parameters: Vec<String>,
    #[command(flatten)]
    field: Field,
}

impl Delete {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let parameters = input::data(&self.parameters, &cx.ui)?;
        let texts: Vec<(String, String)> = parameters
            .iter()
            .map(|(key, value)| (key.clone(), cell(value)))
            .collect();
        let query: Vec<(&str, &str)> = texts
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let answer = cx
            .client()?
            .delete(&self.path, &query)
            .await
            .or_failed(format!("deleting {}", self.path))?;
        match answer {
            Some(secret) => print_secret(cx, &secret, self.field.name()),
            None => deleted(cx, &self.path),
        }
    }
}

/// Says that nothing is there any more.
pub(super) fn deleted(cx: &Context, path: &str) -> Outcome {
    if cx.format == Format::Table {
        cx.ui
            .line(&format!("Success! Data deleted (if it existed) at: {path}"));
    }
    Ok(())
}
