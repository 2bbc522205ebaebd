use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};

/// Disable a secrets engine: its leases are revoked, its data is deleted
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer secrets disable database")]
pub(crate) struct Disable {
    /// Where it is mounted
    #[arg(value_name = "PATH")]
    path: String,
}

impl Disable {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.path.trim_matches('/');
        cx.client()?
            .sys()
            .disable_mount(path)
            .await
            .or_failed(format!("disabling secrets engine at {path}/"))?;
        cx.ui.line(&format!(
            "Success! Disabled the secrets engine (if it existed) at: {path}/"
        ));
        Ok(())
    }
}
