use clap::Args;

use crate::commands::transit::body::Body;
use crate::input;

/// What a key can be told when it is made and later.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
pub(super) struct Settings {
    /// Whether the key may leave the server; can not be taken back
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    exportable: Option<bool>,
    /// Whether backups may hold the key; can not be taken back
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    allow_plaintext_backup: Option<bool>,
    /// Rotate it by itself so often, like 30d; 0 for never
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    auto_rotate_period: Option<String>,
}

impl Settings {
    pub(super) fn body(&self) -> Body {
        Body::default()
            .with("exportable", self.exportable)
            .with("allow_plaintext_backup", self.allow_plaintext_backup)
            .with("auto_rotate_period", self.auto_rotate_period.clone())
    }
}
