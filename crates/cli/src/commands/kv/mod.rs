//! `kv`: secrets by name. Which version of the engine serves a path is asked of the server first.

mod delete;
mod destroy;
mod enable_versioning;
mod get;
mod list;
mod metadata;
mod mount;
mod patch;
mod put;
mod rollback;
mod undelete;

use clap::Subcommand;
use coffer_client::Secret;
use serde_json::Value;

use crate::context::Context;
use crate::failure::Outcome;
use crate::output::{Format, key_rows, key_values, print_secret, title};

/// Keep secrets by name: write, read, versions, metadata
#[derive(Debug, Subcommand)]
pub(crate) enum Kv {
    Put(put::Put),
    Get(get::Get),
    Patch(patch::Patch),
    List(list::List),
    Delete(delete::Delete),
    Undelete(undelete::Undelete),
    Destroy(destroy::Destroy),
    Rollback(rollback::Rollback),
    #[command(subcommand)]
    Metadata(metadata::Metadata),
    EnableVersioning(enable_versioning::EnableVersioning),
}

impl Kv {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Put(put) => put.run(cx).await,
            Self::Get(get) => get.run(cx).await,
            Self::Patch(patch) => patch.run(cx).await,
            Self::List(list) => list.run(cx).await,
            Self::Delete(delete) => delete.run(cx).await,
            Self::Undelete(undelete) => undelete.run(cx).await,
            Self::Destroy(destroy) => destroy.run(cx).await,
            Self::Rollback(rollback) => rollback.run(cx).await,
            Self::Metadata(metadata) => metadata.run(cx).await,
            Self::EnableVersioning(enable) => enable.run(cx).await,
        }
    }
}

/// The full path of a secret, as the heading of what follows.
fn path_section(heading: &str, path: &str) -> String {
    format!("{}\n{path}\n", title(heading, path.chars().count()))
}

/// A titled table; the title is as wide as the table's heading.
fn section(heading: &str, fields: &Value) -> String {
    let Some(fields) = fields.as_object() else {
        return String::new();
    };
    let longest = fields
        .keys()
        .map(|key| key.chars().count())
        .max()
        .unwrap_or(0);
    let width = longest + "    Value".len();
    format!(
        "{}\n{}\n",
        title(heading, width),
        key_values(&key_rows(fields))
    )
}

/// Prints what writing a version answered: the path and the version's metadata.
fn print_version(cx: &Context, secret: &Secret, path: &str, field: Option<&str>) -> Outcome {
    if field.is_some() || cx.format != Format::Table || secret.wrap_info.is_some() {
        return print_secret(cx, secret, field);
    }
    cx.ui.warnings(&secret.warnings);
    let metadata = secret
        .data
        .as_ref()
        .map(|data| section("Metadata", data))
        .unwrap_or_default();
    cx.ui.line(&format!(
        "{}\n{metadata}",
        path_section("Secret Path", path)
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sections_look_like_the_reference() {
        assert_eq!(
            path_section("Secret Path", "secret/data/deep"),
            "== Secret Path ==\nsecret/data/deep\n"
        );
        let metadata = json!({"created_time": "t", "custom_metadata": null, "deletion_time": "", "destroyed": false, "version": 1});
        let wanted = "\
======= Metadata =======
Key                Value
---                -----
created_time       t
custom_metadata    <nil>
deletion_time      n/a
destroyed          false
version            1
";
        assert_eq!(section("Metadata", &metadata), wanted);
        assert_eq!(
            section("Data", &json!({"a": "1"})),
            "== Data ==\nKey    Value\n---    -----\na      1\n"
        );
    }
}
