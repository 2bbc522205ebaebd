use clap::Args;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Outcome, While};

/// Make mounted engines anew
///
/// They let go of what they hold in memory (connections, caches); what is stored stays.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  All of one type:
      coffer plugin reload -plugin=database
  Those at some places:
      coffer plugin reload -mounts=database/,kv/")]
pub(crate) struct Reload {
    /// The engines of this name
    #[arg(long, value_name = "NAME", required_unless_present = "mounts")]
    plugin: Option<String>,
    /// The engines mounted at these places
    #[arg(
        long,
        value_name = "PATHS",
        value_delimiter = ',',
        conflicts_with = "plugin"
    )]
    mounts: Vec<String>,
    /// global for all nodes
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
}

impl Reload {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mut body = match &self.plugin {
            Some(plugin) => json!({ "plugin": plugin }),
            None => json!({ "mounts": self.mounts }),
        };
        if let (Some(scope), Some(fields)) = (&self.scope, body.as_object_mut()) {
            fields.insert("scope".to_owned(), scope.clone().into());
        }
        let answer = cx
            .client()?
            .write("sys/plugins/reload/backend", &body)
            .await;
        let answer = answer.or_failed("reloading plugin/mounts")?;
        if let Some(secret) = &answer {
            cx.ui.warnings(&secret.warnings);
        }
        let id = answer.and_then(|secret| {
            let id = secret
                .data?
                .get("reload_id")
                .and_then(Value::as_str)?
                .to_owned();
            Some(id)
        });
        let what = match &self.plugin {
            Some(plugin) => format!("plugin: {plugin}"),
            None => format!("mounts: [{}]", self.mounts.join(" ")),
        };
        cx.ui.line(&match (id, self.scope) {
            (Some(id), Some(_)) => format!("Success! Reloading {what}, reload_id: {id}"),
            _ => format!("Success! Reloaded {what}"),
        });
        Ok(())
    }
}
