use clap::Args;
use serde_json::{Map, Value};

use super::super::mount::Target;
use super::super::{path_section, section};
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::output::{Format, print_secret};

/// Show a secret's versions and settings
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer kv metadata get -mount=secret app")]
pub(crate) struct Get {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    field: Field,
}

impl Get {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let place = self.target.resolve_versioned(cx, &client).await?;
        let path = place.path("metadata");
        let answer = client
            .kv2(&place.mount)
            .metadata(&place.name)
            .await
            .or_failed(format!("reading {path}"))?;
        let secret = answer.ok_or_else(|| Failure::nothing_at(&path))?;
        if self.field.name().is_some() || cx.format != Format::Table || secret.wrap_info.is_some() {
            return print_secret(cx, &secret, self.field.name());
        }
        cx.ui.warnings(&secret.warnings);
        let data = secret
            .data
            .as_ref()
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        cx.ui.line(&table(&path, data));
        Ok(())
    }
}

fn table(path: &str, mut data: Map<String, Value>) -> String {
    let versions = data.remove("versions").unwrap_or_default();
    let mut text = format!(
        "{}\n{}",
        path_section("Metadata Path", path),
        section("Metadata", &Value::Object(data))
    );
    let mut versions: Vec<(u64, Value)> = versions
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(number, about)| Some((number.parse().ok()?, about.clone())))
        .collect();
    versions.sort_by_key(|(number, _)| *number);
    for (number, about) in versions {
        text.push('\n');
        text.push_str(&section(&format!("Version {number}"), &about));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_come_in_order_of_their_numbers() {
        let data = json!({"max_versions": 0, "versions": {"10": {"destroyed": false}, "9": {"destroyed": true}}});
        let wanted = "\
== Metadata Path ==
secret/metadata/app

====== Metadata ======
Key             Value
---             -----
max_versions    0

==== Version 9 ====
Key          Value
---          -----
destroyed    true

=== Version 10 ===
Key          Value
---          -----
destroyed    false
";
        assert_eq!(
            table("secret/metadata/app", data.as_object().unwrap().clone()),
            wanted
        );
    }
}
