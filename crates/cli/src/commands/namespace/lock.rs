use clap::Args;
use coffer_client::Token;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::print;

/// Lock the API of a namespace and of all within it
///
/// It answers nothing until it is unlocked, with the key that is shown or by somebody who has sudo there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The one in use, and one below it:
      coffer namespace lock -namespace=team
      coffer namespace lock team/app")]
pub(crate) struct Lock {
    /// The namespace, below the one in use; that one itself when left out
    #[arg(value_name = "PATH")]
    path: Option<String>,
}

impl Lock {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = api_lock("lock", self.path.as_deref());
        let answer = cx.client()?.write(&path, &json!({})).await;
        let answer = answer.or_failed("locking namespace")?;
        let key = answer.and_then(|secret| {
            let key = secret
                .data?
                .get("unlock_key")
                .and_then(Value::as_str)?
                .to_owned();
            Some(Token::from(key))
        });
        let key = key.ok_or_else(|| Failure {
            code: 2,
            text: "the namespace is locked, but the server told no key to unlock it; sudo unlocks it without".to_owned(),
        })?;
        print(cx, &json!({ "unlock_key": key }), || {
            format!(
                "Unlock Key: {}\n\nThe namespace is locked. Keep the key: it is shown this once, and without it only somebody with sudo unlocks.",
                key.expose()
            )
        })
    }
}

/// Where the server has the lock of a namespace.
pub(super) fn api_lock(what: &str, path: Option<&str>) -> String {
    match path.unwrap_or_default().trim_matches('/') {
        "" => format!("sys/namespaces/api-lock/{what}"),
        path => format!("sys/namespaces/api-lock/{what}/{path}"),
    }
}
