use clap::Args;
use coffer_client::{Method, Request};
use serde::Deserialize;
use serde_json::Value;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::print;

/// Show the server's own help for a path
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  What an engine offers:
      coffer path-help database/
  The fields of one endpoint:
      coffer path-help database/roles/app
  As an OpenAPI document:
      coffer path-help -format=json database/")]
pub(crate) struct PathHelp {
    /// What to explain
    #[arg(value_name = "PATH")]
    path: String,
}

#[derive(Deserialize)]
struct Help {
    help: String,
    #[serde(default)]
    openapi: Value,
}

impl PathHelp {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let doing = format!("asking for help on {}", self.path);
        let request = Request::new(Method::Get, &self.path).query("help", "1");
        let answer = cx
            .client()?
            .send(request)
            .await
            .and_then(|answer| answer.ok()?.json::<Help>())
            .or_failed(&doing)?;
        if answer.help.is_empty() {
            return Err(Failure::nothing_at(&self.path));
        }
        print(cx, &answer.openapi, || answer.help.trim_end().to_owned())
    }
}
