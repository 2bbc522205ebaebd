use clap::Args;
use serde_json::{Map, Value, json};

use super::{Target, print_namespace};
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::input;

/// Change a namespace's notes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Add a note and remove another:
      coffer namespace patch -custom-metadata=owner=bob -remove-custom-metadata=team team")]
pub(crate) struct Patch {
    #[command(flatten)]
    target: Target,
    /// A note to add or to change, repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = input::pair)]
    custom_metadata: Vec<(String, String)>,
    /// Remove this note, repeatable
    #[arg(long, value_name = "KEY")]
    remove_custom_metadata: Vec<String>,
    #[command(flatten)]
    field: Field,
}

impl Patch {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let removed = self.remove_custom_metadata.iter();
        let mut notes: Map<String, Value> = removed.map(|key| (key.clone(), Value::Null)).collect();
        let added = self.custom_metadata.iter();
        notes.extend(added.map(|(key, value)| (key.clone(), value.clone().into())));
        if notes.is_empty() {
            return Err(Failure::local(
                "there is nothing to change; give -custom-metadata or -remove-custom-metadata",
            ));
        }
        let body = json!({ "custom_metadata": notes });
        let answer = cx.client()?.patch(&self.target.at(), &body).await;
        let answer = answer.or_failed("patching namespace")?;
        print_namespace(cx, answer, self.field.name())
    }
}
