use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};

/// Disable an audit device; what it recorded stays
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer audit disable file")]
pub(crate) struct Disable {
    /// The device's name
    #[arg(value_name = "PATH")]
    path: String,
}

impl Disable {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.path.trim_matches('/');
        cx.client()?
            .sys()
            .disable_audit(path)
            .await
            .or_failed("disabling audit device")?;
        cx.ui.line(&format!(
            "Success! Disabled audit device (if it was enabled) at: {path}/"
        ));
        Ok(())
    }
}
