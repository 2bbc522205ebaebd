use std::collections::BTreeMap;

use clap::Args;
use coffer_snapshot::Meta;
use serde::Serialize;

use super::verified;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::{columns, key_values, print};

/// Verify a snapshot and show what is in it; no server is asked
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer operator snapshot inspect /var/backups/coffer.snap
  Down to the second folder:
      coffer operator snapshot inspect -depth=2 /var/backups/coffer.snap")]
pub(crate) struct Inspect {
    /// The snapshot
    #[arg(value_name = "FILE")]
    file: String,
    /// How many folders of the paths are told apart
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    depth: usize,
}

#[derive(Serialize)]
struct View {
    meta: Meta,
    state_bytes: u64,
    folders: BTreeMap<String, Sum>,
}

#[derive(Default, Serialize)]
struct Sum {
    entries: u64,
    bytes: u64,
}

impl Inspect {
    pub(crate) fn run(self, cx: &Context) -> Outcome {
        let mut folders: BTreeMap<String, Sum> = BTreeMap::new();
        let read = verified(&self.file, |entries| {
            for (path, value) in entries {
                let sum = folders.entry(folder(&path, self.depth)).or_default();
                sum.entries += 1;
                sum.bytes += value.len() as u64;
            }
        })?;
        let view = View {
            meta: read.meta,
            state_bytes: read.state_bytes,
            folders,
        };
        print(cx, &view, || table(&view))
    }
}

fn folder(path: &str, depth: usize) -> String {
    let ends = path.match_indices('/').map(|(at, _)| at + 1);
    let end = ends.take(depth).last().unwrap_or_default();
    path.get(..end).unwrap_or_default().to_owned()
}

fn table(view: &View) -> String {
    let meta = &view.meta;
    let row = |name: &str, value: String| [name.to_owned(), value];
    let facts = key_values(&[
        row("Created", meta.created.clone()),
        row("Cluster Name", meta.cluster_name.clone()),
        row("Cluster ID", meta.cluster_id.clone()),
        row("Server Version", meta.version.clone()),
        row("Format", meta.format.to_string()),
        row("Entries", meta.entries.to_string()),
        row("Size", view.state_bytes.to_string()),
    ]);
    let rows: Vec<[String; 3]> = view
        .folders
        .iter()
        .map(|(folder, sum)| {
            [
                folder.clone(),
                sum.entries.to_string(),
                sum.bytes.to_string(),
            ]
        })
        .collect();
    format!(
        "{facts}\n\n{}",
        columns(["Folder", "Entries", "Size"], &rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_as_deep_as_asked() {
        assert_eq!(folder("a/b/c", 1), "a/");
        assert_eq!(folder("a/b/c", 2), "a/b/");
        assert_eq!(folder("a/b/c", 9), "a/b/");
        assert_eq!(folder("a", 1), "");
        assert_eq!(folder("a/b", 0), "");
    }
}
