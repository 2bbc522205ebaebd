use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};

/// Delete a policy; tokens that bear its name lose what it granted
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer policy delete app")]
pub(crate) struct Delete {
    /// The policy's name
    #[arg(value_name = "NAME")]
    name: String,
}

impl Delete {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let name = self.name.trim().to_lowercase();
        cx.client()?
            .sys()
            .delete_policy(&name)
            .await
            .or_failed(format!("deleting {name}"))?;
        cx.ui.line(&format!("Success! Deleted policy: {name}"));
        Ok(())
    }
}
