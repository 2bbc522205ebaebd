use clap::Args;
use coffer_client::Client;
use serde_json::{Map, Value, json};

use super::refusal::Explained;
use super::target::Mount;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{cell, columns, print};

/// List the master keys
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms list
  coffer kms list -mount=team/kms -format=json")]
pub(crate) struct List {
    #[command(flatten)]
    mount: Mount,
}

const HEADING: [&str; 5] = ["Key", "Spec", "State", "Aliases", "Description"];

impl List {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let all = pages(&client, &self.mount.path("keys"), &[], "key_info").await?;
        let all: Map<String, Value> = all
            .into_iter()
            .filter_map(|info| match info {
                Value::Object(info) => Some(info),
                _ => None,
            })
            .flatten()
            .collect();
        print(cx, &all, || columns(HEADING, &rows(&all)))
    }
}

fn rows(all: &Map<String, Value>) -> Vec<[String; 5]> {
    let shown = |info: &Value, name: &str| info.get(name).map(cell).unwrap_or_default();
    all.iter()
        .map(|(id, info)| {
            let aliases = info.get("aliases").and_then(Value::as_array);
            let aliases: Vec<String> = aliases.into_iter().flatten().map(cell).collect();
            [
                id.clone(),
                shown(info, "key_spec"),
                shown(info, "key_state"),
                aliases.join(", "),
                shown(info, "description"),
            ]
        })
        .collect()
}

/// One field of each page of a list, to the end.
pub(super) async fn pages(
    client: &Client,
    path: &str,
    query: &[(&str, &str)],
    field: &str,
) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    let mut marker = String::new();
    loop {
        let mut query = query.to_vec();
        if !marker.is_empty() {
            query.push(("marker", &marker));
        }
        let answer = client.list(path, &query).await;
        let answer = answer.or_failed(format!("listing {path}"))?;
        let mut data = answer.and_then(|secret| secret.data).unwrap_or_default();
        found.extend(data.get_mut(field).map(Value::take));
        match data.get("next_marker").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut marker),
            None => return Ok(found),
        }
    }
}

/// The items of a list of objects, to the end.
pub(super) async fn items(
    client: &Client,
    path: &str,
    query: &[(&str, &str)],
    field: &str,
) -> Result<Vec<Value>, Failure> {
    let pages = pages(client, path, query, field).await?;
    let items = pages.into_iter().flat_map(|page| match page {
        Value::Array(items) => items,
        _ => Vec::new(),
    });
    Ok(items.collect())
}

/// The named fields of an object, as cells.
pub(super) fn cells<const N: usize>(item: &Value, names: [&str; N]) -> [String; N] {
    names.map(|name| item.get(name).map_or_else(|| cell(&json!("")), cell))
}
