use clap::Args;
use coffer_client::sys::MountEnable;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::mount_flags::MountFlags;

/// Enable an auth method
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  At its own name:
      coffer auth enable userpass
  Elsewhere, with a description:
      coffer auth enable -path=machines -description='batch jobs' approle")]
pub(crate) struct Enable {
    /// The method's name
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Where to mount it, if not at its name
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Name of an external plugin (with the type `plugin`)
    #[arg(long, value_name = "NAME")]
    plugin_name: Option<String>,
    /// Kind of the tokens it issues: service, batch, default-service, default-batch
    #[arg(long, value_name = "KIND")]
    token_type: Option<String>,
    /// Do not replicate it
    #[arg(long)]
    local: bool,
    /// Wrap its storage by the seal too
    #[arg(long)]
    seal_wrap: bool,
    /// Let it take randomness from the seal
    #[arg(long)]
    external_entropy_access: bool,
    #[command(flatten)]
    flags: MountFlags,
}

impl Enable {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let kind = self
            .plugin_name
            .filter(|_| self.kind == "plugin")
            .unwrap_or(self.kind);
        let path = self.path.unwrap_or_else(|| kind.clone());
        let path = path.trim_matches('/');
        let mut config = self.flags.config();
        if let Some(kind) = self.token_type {
            config.insert("token_type".to_owned(), kind.into());
        }
        let what = MountEnable {
            r#type: kind.clone(),
            description: self.flags.description.clone().unwrap_or_default(),
            config,
            options: self.flags.options(),
            local: self.local,
            seal_wrap: self.seal_wrap,
            external_entropy_access: self.external_entropy_access,
        };
        cx.client()?
            .sys()
            .enable_auth(path, &what)
            .await
            .or_failed(format!("enabling {kind} at {path}/"))?;
        cx.ui
            .line(&format!("Success! Enabled {kind} auth method at: {path}/"));
        Ok(())
    }
}
