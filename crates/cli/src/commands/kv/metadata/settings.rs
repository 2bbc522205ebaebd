use clap::Args;
use serde_json::{Map, Value};

use crate::input;

/// What a secret's metadata can be told. Only what is given is sent.
#[derive(Debug, Args)]
pub(super) struct Settings {
    /// How many versions are kept; 0 for the mount's setting
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true)]
    max_versions: Option<i64>,
    /// Whether every write must say which version it replaces
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    cas_required: Option<bool>,
    /// Delete each version this long after it is written; 0s for the mount's setting
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    delete_version_after: Option<String>,
    /// A note about the secret, repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = input::pair)]
    custom_metadata: Vec<(String, String)>,
}

impl Settings {
    /// The request's fields; `removed` notes are sent as `null`.
    pub(super) fn fields(&self, removed: &[String]) -> Map<String, Value> {
        let mut fields = Map::new();
        // A negative number is the reference's way to say "leave as it is".
        if let Some(count) = self.max_versions.filter(|count| *count >= 0) {
            fields.insert("max_versions".to_owned(), count.into());
        }
        if let Some(required) = self.cas_required {
            fields.insert("cas_required".to_owned(), required.into());
        }
        if let Some(after) = &self.delete_version_after {
            fields.insert("delete_version_after".to_owned(), after.clone().into());
        }
        let mut notes: Map<String, Value> = removed
            .iter()
            .map(|key| (key.clone(), Value::Null))
            .collect();
        notes.extend(
            self.custom_metadata
                .iter()
                .map(|(key, value)| (key.clone(), value.clone().into())),
        );
        if !notes.is_empty() {
            fields.insert("custom_metadata".to_owned(), notes.into());
        }
        fields
    }
}
