use clap::Args;
use coffer_client::Token;
use serde_json::json;

use super::lock::api_lock;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Unlock the API of a namespace
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  With the key that locking it showed:
      coffer namespace unlock -unlock-key=... team
  With a token that has sudo there:
      coffer namespace unlock team")]
pub(crate) struct Unlock {
    /// The namespace, below the one in use; that one itself when left out
    #[arg(value_name = "PATH")]
    path: Option<String>,
    /// The key that was shown when it was locked (- for standard input)
    #[arg(long, value_name = "KEY")]
    unlock_key: Option<String>,
}

impl Unlock {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = api_lock("unlock", self.path.as_deref());
        let key = match self.unlock_key.as_deref() {
            Some("-") => Some(Token::new(cx.ui.stdin()?.to_string())),
            given => given.map(Token::from),
        };
        let body = match &key {
            Some(key) => json!({ "unlock_key": key }),
            None => json!({}),
        };
        let answer = cx.client()?.write(&path, &body).await;
        answer.or_failed("unlocking namespace")?;
        cx.ui.line(match key {
            Some(_) => "Success! The namespace is unlocked.",
            None => "Success! The namespace is unlocked, by sudo.",
        });
        Ok(())
    }
}
