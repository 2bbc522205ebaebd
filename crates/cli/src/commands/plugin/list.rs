use clap::Args;
use serde_json::{Map, Value};

use super::Type;
use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::output::{cell, columns, print};

/// List what can be mounted
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer plugin list
  coffer plugin list -detailed auth")]
pub(crate) struct List {
    /// Of this type only
    #[arg(value_name = "TYPE")]
    kind: Option<Type>,
    /// Show whether they are still supported, too
    #[arg(long)]
    detailed: bool,
}

impl List {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let answer = cx.client()?.read("sys/plugins/catalog", &[]).await;
        let answer = answer.or_failed("listing available plugins")?;
        let data = answer.and_then(|secret| secret.data).unwrap_or_default();
        let found: Vec<&Value> = data
            .get("detailed")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|plugin| {
                self.kind
                    .is_none_or(|kind| plugin.get("type").is_some_and(|word| word == kind.word()))
            })
            .collect();
        let of = |plugin: &Value, name: &str| plugin.get(name).map(cell).unwrap_or_default();
        let shown = self.shown(&data, &found);
        print(cx, &shown, || match (self.detailed, self.kind) {
            (true, _) => {
                let names = ["name", "type", "version", "deprecation_status"];
                let rows = found
                    .iter()
                    .map(|plugin| names.map(|name| of(plugin, name)));
                let heading = ["Name", "Type", "Version", "Deprecation Status"];
                columns(heading, &rows.collect::<Vec<_>>())
            }
            (false, None) => {
                let names = ["name", "type", "version"];
                let rows = found
                    .iter()
                    .map(|plugin| names.map(|name| of(plugin, name)));
                columns(["Name", "Type", "Version"], &rows.collect::<Vec<_>>())
            }
            (false, Some(_)) => {
                let names = ["name", "version"];
                let rows = found
                    .iter()
                    .map(|plugin| names.map(|name| of(plugin, name)));
                columns(["Name", "Version"], &rows.collect::<Vec<_>>())
            }
        })
    }

    /// The same for programs: names by their type, and all that is known.
    fn shown(&self, data: &Value, found: &[&Value]) -> Map<String, Value> {
        let types = ["auth", "database", "secret"].into_iter();
        let asked = types.filter(|word| self.kind.is_none_or(|kind| kind.word() == *word));
        let mut shown: Map<String, Value> = asked
            .filter_map(|word| Some((word.to_owned(), data.get(word)?.clone())))
            .collect();
        let details = found.iter().map(|plugin| (*plugin).clone());
        shown.insert("details".to_owned(), details.collect());
        shown
    }
}
