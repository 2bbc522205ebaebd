use clap::Args;
use serde_json::json;

use super::Target;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// Register a program as an engine
///
/// A server of Coffer refuses that, as it runs no programs of others.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  At a server that takes them:
      coffer plugin register -sha256=d3f0a8b... -command=my-method auth my-method")]
pub(crate) struct Register {
    #[command(flatten)]
    target: Target,
    /// The SHA-256 of the program, in hexadecimal digits
    #[arg(long, value_name = "HASH")]
    sha256: Option<String>,
    /// The program's file in the server's plugin directory, if it is not its name
    #[arg(long, value_name = "FILE")]
    command: Option<String>,
    /// Arguments to start it with
    #[arg(long, value_name = "ARGS", value_delimiter = ',')]
    args: Vec<String>,
    /// `NAME=VALUE` for its environment, repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Its version
    #[arg(long, value_name = "VERSION", default_value = "")]
    version: String,
}

impl Register {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let name = &self.target.name;
        let sha256 = self
            .sha256
            .as_deref()
            .ok_or_else(|| Failure::local("say which program it must be: -sha256=HASH"))?;
        let body = json!({
            "name": name,
            "type": self.target.kind.word(),
            "sha256": sha256,
            "command": self.command.as_deref().unwrap_or(name),
            "args": self.args,
            "env": self.env,
            "version": self.version,
        });
        let answer = cx.client()?.write(&self.target.at()?, &body).await;
        answer.or_failed(format!("registering plugin {name}"))?;
        cx.ui.line(&format!("Success! Registered plugin: {name}"));
        Ok(())
    }
}
