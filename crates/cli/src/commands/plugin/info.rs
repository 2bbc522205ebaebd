use clap::Args;

use super::Target;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::output::{key_rows, key_values, no_field, print, print_field};

/// Show what is known of a plugin
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer plugin info secret kv
  coffer plugin info -field=version database postgresql-database-plugin")]
pub(crate) struct Info {
    #[command(flatten)]
    target: Target,
    /// Which version
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Info {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let name = &self.target.name;
        let version = self.version.as_deref();
        let query: Vec<(&str, &str)> = version
            .map(|version| ("version", version))
            .into_iter()
            .collect();
        let answer = cx.client()?.read(&self.target.at()?, &query).await;
        let answer = answer.or_failed(format!("reading plugin named {name}"))?;
        let data = answer
            .and_then(|secret| secret.data)
            .ok_or_else(|| Failure {
                code: 2,
                text: format!("No value found for plugin \"{name}\""),
            })?;
        if let Some(name) = self.field.name() {
            let value = data.get(name).ok_or_else(|| no_field(name))?;
            return print_field(cx, value);
        }
        let rows = data.as_object().map(key_rows).unwrap_or_default();
        print(cx, &data, || key_values(&rows))
    }
}
