use clap::Args;

use super::Target;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Take a registered program out of the catalogue; what is built in stays
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer plugin deregister auth my-method")]
pub(crate) struct Deregister {
    #[command(flatten)]
    target: Target,
    /// Which version
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
}

impl Deregister {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let name = &self.target.name;
        let version = self.version.as_deref();
        let query: Vec<(&str, &str)> = version
            .map(|version| ("version", version))
            .into_iter()
            .collect();
        let answer = cx.client()?.delete(&self.target.at()?, &query).await;
        answer.or_failed(format!("deregistering plugin named {name}"))?;
        cx.ui.line(&format!(
            "Success! Deregistered plugin (if it was registered): {name}"
        ));
        Ok(())
    }
}
