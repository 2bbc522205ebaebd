use clap::Args;
use serde_json::{Map, Value};

use super::list::cells;
use super::refusal::Explained;
use super::target::{Target, object, write};
use crate::context::Context;
use crate::failure::Outcome;
use crate::input;
use crate::output::{columns, print};

/// Tag a master key, and show its tags
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms tag -key=alias/app team=payments stage=production
  coffer kms tag -key=alias/app -remove=stage
  coffer kms tag -key=alias/app")]
pub(crate) struct Tag {
    #[command(flatten)]
    target: Target,
    /// Tags to add, or to change
    #[arg(value_name = "KEY=VALUE", value_parser = input::pair)]
    tags: Vec<(String, String)>,
    /// Remove the tag of that key, repeatable
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,
}

impl Tag {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.target.part("tags");
        let client = cx.client()?;
        let doing = format!("tagging {}", self.target.name());
        if !self.tags.is_empty() {
            let body = Map::from_iter([("tags".to_owned(), object(self.tags)?)]);
            write(cx, &path, &body, &doing).await?;
        }
        if !self.remove.is_empty() {
            let keys = self.remove.join(",");
            let gone = client.delete(&path, &[("tag_keys", &keys)]).await;
            gone.or_failed(&doing)?;
        }
        let answer = client.read(&path, &[]).await;
        let answer = answer.or_failed(format!("reading {path}"))?;
        let data = answer.and_then(|secret| secret.data).unwrap_or_default();
        let all = data.get("tags").cloned().unwrap_or_default();
        let items: Vec<Value> = all.as_array().cloned().unwrap_or_default();
        let rows: Vec<[String; 2]> = items
            .iter()
            .map(|item| cells(item, ["tag_key", "tag_value"]))
            .collect();
        print(cx, &all, || columns(["Tag", "Value"], &rows))
    }
}
