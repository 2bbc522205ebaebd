use clap::Args;
use coffer_client::sys::AuditEnable;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::input;

/// Enable an audit device
///
/// Once there is one, a request that no device can record is refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer audit enable file file_path=/var/log/coffer/audit.log")]
pub(crate) struct Enable {
    /// The kind of device
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Its settings
    #[arg(value_name = "KEY=VALUE")]
    options: Vec<String>,
    /// Its name, if not that of its kind
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Do not replicate it
    #[arg(long)]
    local: bool,
}

impl Enable {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let what = AuditEnable {
            description: self.description.unwrap_or_default(),
            options: input::texts(&self.options, &cx.ui)?,
            local: self.local,
            r#type: self.kind,
        };
        let path = self
            .path
            .as_deref()
            .unwrap_or(&what.r#type)
            .trim_matches('/');
        cx.client()?
            .sys()
            .enable_audit(path, &what)
            .await
            .or_failed("enabling audit device")?;
        cx.ui.line(&format!(
            "Success! Enabled the {} audit device at: {path}/",
            what.r#type
        ));
        Ok(())
    }
}
