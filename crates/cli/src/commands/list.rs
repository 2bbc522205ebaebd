use clap::Args;
use coffer_client::Secret;
use serde_json::Value;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::{Format, cell, columns, print, print_secret};

/// List the names below a path
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Names of database roles:
      coffer list database/roles
  The second hundred:
      coffer list -after=NAME -limit=100 auth/token/accessors")]
pub(crate) struct List {
    /// Where to look
    #[arg(value_name = "PATH")]
    path: String,
    /// Begin after this name
    #[arg(long, value_name = "NAME")]
    after: Option<String>,
    /// At most so many names
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
    /// Show what the server says about each name
    #[arg(long)]
    detailed: bool,
}

impl List {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let limit = self.limit.map(|limit| limit.to_string());
        let mut query = Vec::new();
        query.extend(self.after.as_deref().map(|after| ("after", after)));
        query.extend(limit.as_deref().map(|limit| ("limit", limit)));
        let answer = cx
            .client()?
            .list(&self.path, &query)
            .await
            .or_failed(format!("listing {}", self.path))?;
        print_list(cx, answer, &self.path, self.detailed)
    }
}

/// Prints the names of a list; an empty one is "nothing there", as for scripts it has to be told from a list.
pub(super) fn print_list(
    cx: &Context,
    answer: Option<Secret>,
    path: &str,
    detailed: bool,
) -> Outcome {
    let Some(secret) = answer else {
        return nothing(cx, path);
    };
    if secret.wrap_info.is_some() {
        return print_secret(cx, &secret, None);
    }
    cx.ui.warnings(&secret.warnings);
    let keys = secret
        .data
        .as_ref()
        .and_then(|data| data.get("keys"))
        .and_then(Value::as_array);
    let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
        return nothing(cx, path);
    };
    let about = secret
        .data
        .as_ref()
        .and_then(|data| data.get("key_info"))
        .filter(|_| detailed);
    match about {
        Some(about) => {
            let rows: Vec<[String; 2]> = keys
                .iter()
                .map(|key| {
                    [
                        cell(key),
                        about.get(cell(key)).map(cell).unwrap_or_default(),
                    ]
                })
                .collect();
            print(cx, &secret.data, || columns(["Keys", "Info"], &rows))
        }
        None => print(cx, keys, || {
            columns(
                ["Keys"],
                &keys.iter().map(|key| [cell(key)]).collect::<Vec<_>>(),
            )
        }),
    }
}

/// Scripts that parse get something to parse, as from the reference; the exit code says the rest.
fn nothing(cx: &Context, path: &str) -> Outcome {
    if cx.format == Format::Table {
        return Err(Failure::nothing_at(path));
    }
    cx.ui.line("{}");
    Err(Failure::silent(2))
}
