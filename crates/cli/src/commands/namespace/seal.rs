use clap::Args;
use serde_json::json;

use super::Target;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Seal a namespace: it answers nothing until it is unsealed
///
/// The server forgets its key. Only a namespace with a seal of its own can be sealed; see `namespace create -key-shares`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer namespace seal team")]
pub(crate) struct Seal {
    #[command(flatten)]
    target: Target,
}

impl Seal {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = format!("{}/seal", self.target.at());
        let answer = cx.client()?.write(&path, &json!({})).await;
        answer.or_failed("sealing")?;
        cx.ui.line(&format!(
            "Success! Namespace \"{}\" is sealed.",
            self.target.path()
        ));
        Ok(())
    }
}
