use clap::Args;
use serde_json::Value;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::{cell, columns, print};

/// Show which versions the server has been running since when
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer version-history
  coffer version-history -format=json")]
pub(crate) struct VersionHistory {}

impl VersionHistory {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let answer = cx.client()?.list("sys/version-history", &[]).await;
        let answer = answer.or_failed("reading the version history")?;
        let secret = answer.ok_or_else(|| Failure::nothing_at("sys/version-history"))?;
        let rows = secret.data.as_ref().map(rows).unwrap_or_default();
        print(cx, &secret, || {
            columns(["Version", "Installation Time", "Commit Date"], &rows)
        })
    }
}

/// One row a version, in the server's order.
fn rows(data: &Value) -> Vec<[String; 3]> {
    let versions = data.get("keys").and_then(Value::as_array);
    let about = data.get("key_info");
    let one = |version: &Value| {
        let version = cell(version);
        let of = |name: &str| {
            let value = about.and_then(|about| about.get(&version)?.get(name));
            value
                .filter(|value| !value.is_null())
                .map(cell)
                .unwrap_or_default()
        };
        let (installed, committed) = (of("timestamp_installed"), of("commit_date"));
        [version, installed, committed]
    };
    versions.into_iter().flatten().map(one).collect()
}
