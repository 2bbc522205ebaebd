use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::print;

/// Show a policy's rules
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer policy read default")]
pub(crate) struct Read {
    /// The policy's name
    #[arg(value_name = "NAME")]
    name: String,
}

impl Read {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let name = self.name.trim().to_lowercase();
        let text = cx
            .client()?
            .sys()
            .policy(&name)
            .await
            .or_failed(format!("reading policy {name}"))?;
        let text = text.ok_or_else(|| Failure {
            code: 2,
            text: format!("No policy named: {name}"),
        })?;
        print(cx, &json!({ "policy": text }), || {
            text.trim_end().to_owned()
        })
    }
}
