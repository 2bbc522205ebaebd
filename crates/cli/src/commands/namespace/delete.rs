use clap::Args;

use super::Target;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Delete a namespace with all that is in it; its leases are revoked first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer namespace delete team
  coffer namespace delete -namespace=team app")]
pub(crate) struct Delete {
    #[command(flatten)]
    target: Target,
}

impl Delete {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let answer = cx.client()?.delete(&self.target.at(), &[]).await;
        let answer = answer.or_failed("deleting namespace")?;
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
