use clap::Args;
use coffer_client::Secret;
use serde_json::Value;

use super::mount::Target;
use super::{path_section, section};
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::output::{Format, print_field, print_secret};

/// Read a secret
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The latest version:
      coffer kv get -mount=secret app
  One value, for a script:
      coffer kv get -field=password secret/app
  An earlier version:
      coffer kv get -version=1 secret/app")]
pub(crate) struct Get {
    #[command(flatten)]
    target: Target,
    /// Read this version and not the latest
    #[arg(long, value_name = "VERSION")]
    version: Option<u64>,
    #[command(flatten)]
    field: Field,
}

impl Get {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let place = self.target.resolve(cx, &client).await?;
        let path = place.path("data");
        let answer = match place.versioned {
            true => {
                client
                    .kv2(&place.mount)
                    .get(&place.name, self.version.filter(|version| *version > 0))
                    .await
            }
            false => client.kv1(&place.mount).get(&place.name).await,
        };
        let secret = answer
            .or_failed(format!("reading {path}"))?
            .ok_or_else(|| Failure::nothing_at(&path))?;
        if secret.wrap_info.is_some() {
            return print_secret(cx, &secret, self.field.name());
        }
        let values = values(&secret, place.versioned);
        if let Some(name) = self.field.name() {
            let value = values.get(name).ok_or_else(|| {
                Failure::local(format!(
                    "{path} has no value \"{name}\"; see their names without -field"
                ))
            })?;
            return print_field(cx, value);
        }
        if cx.format != Format::Table {
            return print_secret(cx, &secret, None);
        }
        cx.ui.warnings(&secret.warnings);
        cx.ui
            .print(&table(&secret, &values, &path, place.versioned));
        Ok(())
    }
}

/// The values themselves: version 2 keeps them beside the metadata.
fn values(secret: &Secret, versioned: bool) -> Value {
    let data = secret.data.clone().unwrap_or_default();
    match versioned {
        true => data.get("data").cloned().unwrap_or_default(),
        false => data,
    }
}

fn table(secret: &Secret, values: &Value, path: &str, versioned: bool) -> String {
    if !versioned {
        return section("Data", values);
    }
    let metadata = secret
        .data
        .as_ref()
        .and_then(|data| data.get("metadata"))
        .cloned()
        .unwrap_or_default();
    format!(
        "{}\n{}\n{}",
        path_section("Secret Path", path),
        section("Metadata", &metadata),
        section("Data", values)
    )
}
