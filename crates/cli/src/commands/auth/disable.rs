use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};

/// Disable an auth method: its tokens are revoked, its data is deleted
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer auth disable approle")]
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
            .disable_auth(path)
            .await
            .or_failed(format!("disabling auth method at {path}/"))?;
        cx.ui.line(&format!(
            "Success! Disabled the auth method (if it existed) at: {path}/"
        ));
        Ok(())
    }
}
