use clap::Args;
use coffer_client::sys::MountEnable;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::mount_flags::MountFlags;

/// Enable a secrets engine
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  At its own name:
      coffer secrets enable database
  A key-value store with versions, elsewhere:
      coffer secrets enable -path=team -version=2 kv
  With a limit on its leases:
      coffer secrets enable -max-lease-ttl=1h database")]
pub(crate) struct Enable {
    /// The engine's name
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Where to mount it, if not at its name
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Name of an external plugin (with the type `plugin`)
    #[arg(long, value_name = "NAME")]
    plugin_name: Option<String>,
    /// Switch caching off
    #[arg(long)]
    force_no_cache: bool,
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
        // Short names of the reference, which not every server of this API knows.
        let (engine, version) = match kind.as_str() {
            "kv-v1" => ("kv", Some("1")),
            "kv-v2" => ("kv", Some("2")),
            other => (other, None),
        };
        let mut config = self.flags.config();
        if self.force_no_cache {
            config.insert("force_no_cache".to_owned(), true.into());
        }
        let mut options = self.flags.options();
        options.extend(version.map(|version| ("version".to_owned(), version.to_owned())));
        let what = MountEnable {
            r#type: engine.to_owned(),
            description: self.flags.description.clone().unwrap_or_default(),
            config,
            options,
            local: self.local,
            seal_wrap: self.seal_wrap,
            external_entropy_access: self.external_entropy_access,
        };
        cx.client()?
            .sys()
            .enable_mount(path, &what)
            .await
            .or_failed(format!("enabling {kind} at {path}/"))?;
        cx.ui.line(&format!(
            "Success! Enabled the {kind} secrets engine at: {path}/"
        ));
        Ok(())
    }
}
