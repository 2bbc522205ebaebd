use clap::Args;
use coffer_client::{Method, Request, Secret};
use serde_json::Value;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::{Format, cell, columns, print};

/// List the namespaces directly below the one in use
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer namespace list
  coffer namespace list -namespace=team -detailed")]
pub(crate) struct List {
    /// Show ids, notes and locks, too
    #[arg(long)]
    detailed: bool,
}

impl List {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        print_found(cx, "list", self.detailed).await
    }
}

/// Asks for namespaces, by `list` or `scan`, and prints them in order.
pub(super) async fn print_found(cx: &Context, how: &str, detailed: bool) -> Outcome {
    let request = Request::new(Method::Get, "sys/namespaces").query(how, "true");
    let answer = cx.client()?.send(request).await;
    let answer = answer
        .and_then(coffer_client::Response::secret)
        .or_failed("listing namespaces")?;
    let mut paths = paths(answer.as_ref());
    if paths.is_empty() {
        return nothing(cx);
    }
    paths.sort();
    if !detailed {
        let rows: Vec<[String; 1]> = paths.iter().map(|path| [path.clone()]).collect();
        return print(cx, &paths, || columns(["Keys"], &rows));
    }
    let about = answer.and_then(|secret| secret.data?.get("key_info").cloned());
    let about = about.unwrap_or_default();
    print(cx, &about, || columns(HEADING, &rows(&paths, &about)))
}

const HEADING: [&str; 7] = [
    "Keys",
    "custom_metadata",
    "id",
    "locked",
    "path",
    "tainted",
    "uuid",
];

fn rows(paths: &[String], about: &Value) -> Vec<[String; 7]> {
    let one = |path: &String| {
        HEADING.map(|name| match (name, about.get(path)) {
            ("Keys", _) => path.clone(),
            (name, Some(about)) => about.get(name).map(cell).unwrap_or_default(),
            _ => String::new(),
        })
    };
    paths.iter().map(one).collect()
}

fn paths(answer: Option<&Secret>) -> Vec<String> {
    let keys = answer.and_then(|secret| secret.data.as_ref()?.get("keys")?.as_array());
    let keys = keys.into_iter().flatten();
    keys.filter_map(|key| key.as_str().map(str::to_owned))
        .collect()
}

fn nothing(cx: &Context) -> Outcome {
    if cx.format == Format::Table {
        return Err(Failure {
            code: 2,
            text: "No namespaces found".to_owned(),
        });
    }
    cx.ui.line("{}");
    Err(Failure::silent(2))
}
