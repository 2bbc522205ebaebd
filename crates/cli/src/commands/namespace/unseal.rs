use clap::Args;
use coffer_client::{Method, Request};
use serde_json::json;

use super::Target;
use super::seal_status::{print_seal, status};
use crate::commands::operator::unseal_key;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Give one of a namespace's unseal keys; enough of them open it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Asked for without showing it, so that it stays out of the shell's history:
      coffer namespace unseal team
  From a file:
      coffer namespace unseal team - < key
  Begin anew:
      coffer namespace unseal -reset team")]
pub(crate) struct Unseal {
    #[command(flatten)]
    target: Target,
    /// The key, or - for standard input; asked for when left out
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// Forget the keys given so far
    #[arg(long, conflicts_with = "key")]
    reset: bool,
}

impl Unseal {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let body = match self.reset {
            true => json!({ "reset": true }),
            false => json!({ "key": unseal_key(cx, self.key.as_deref())?, "reset": false }),
        };
        let path = format!("{}/unseal", self.target.at());
        let request = Request::new(Method::Put, path).json(&body);
        let request = request.or_failed("unsealing")?;
        let answer = cx.client()?.send(request).await.and_then(status);
        print_seal(cx, &answer.or_failed("unsealing")?)
    }
}
