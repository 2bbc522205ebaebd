use clap::Args;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::mount_flags::MountFlags;

/// Change settings of a secrets engine; those not named stay
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  coffer secrets tune -default-lease-ttl=10m -max-lease-ttl=1h database"
)]
pub(crate) struct Tune {
    /// Where it is mounted
    #[arg(value_name = "PATH")]
    path: String,
    #[command(flatten)]
    flags: MountFlags,
}

impl Tune {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.path.trim_matches('/');
        let settings = self.flags.tuning();
        if settings.is_empty() {
            return Err(Failure::local(
                "there is nothing to change; see the flags with -h",
            ));
        }
        cx.client()?
            .sys()
            .tune_mount(path, &settings)
            .await
            .or_failed(format!("tuning secrets engine {path}/"))?;
        cx.ui
            .line(&format!("Success! Tuned the secrets engine at: {path}/"));
        Ok(())
    }
}
