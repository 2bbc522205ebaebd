use clap::Args;

use super::Target;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Delete a sealed namespace: what cannot be read any more is removed
///
/// Leases in it are not revoked: what was issued may live on in the target systems. Needs sudo. Unseal it and use
/// `namespace delete` if its keys are still there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  One whose unseal keys are lost:
      coffer namespace delete-sealed team
  With the namespaces within it:
      coffer namespace delete-sealed -force team")]
pub(crate) struct DeleteSealed {
    #[command(flatten)]
    target: Target,
    /// Also if there are namespaces within it, with all of them
    #[arg(long)]
    force: bool,
}

impl DeleteSealed {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = format!("{}/delete-sealed", self.target.at());
        let query: &[(&str, &str)] = match self.force {
            true => &[("force", "true")],
            false => &[],
        };
        let answer = cx.client()?.delete(&path, query).await;
        let answer = answer.or_failed("deleting sealed namespace")?;
        match answer.filter(|secret| !secret.warnings.is_empty()) {
            Some(secret) => cx.ui.warnings(&secret.warnings),
            None => cx.ui.line(&format!(
                "Success! Namespace deletion scheduled: {}/",
                self.target.path()
            )),
        }
        Ok(())
    }
}
