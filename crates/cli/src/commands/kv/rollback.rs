use clap::Args;
use coffer_client::Kv2Options;
use serde_json::Value;

use super::mount::Target;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::print_secret;

/// Make an earlier version of a secret the latest again
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  Back to version 2 (as a new version):\n      coffer kv rollback -mount=secret -version=2 app"
)]
pub(crate) struct Rollback {
    #[command(flatten)]
    target: Target,
    /// The version to bring back
    #[arg(long, value_name = "VERSION", required = true, value_parser = clap::value_parser!(u64).range(1..))]
    version: u64,
}

impl Rollback {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let place = self.target.resolve_versioned(cx, &client).await?;
        let path = place.path("data");
        let kv = client.kv2(&place.mount);
        let reading = format!("reading {path}");
        let metadata = kv
            .metadata(&place.name)
            .await
            .or_failed(&reading)?
            .and_then(|secret| secret.data);
        let current = metadata
            .as_ref()
            .and_then(|data| data.get("current_version"))
            .and_then(Value::as_u64);
        let Some(current) = current else {
            return Err(Failure::nothing_at(&path));
        };

        let earlier = kv
            .get(&place.name, Some(self.version))
            .await
            .or_failed(&reading)?;
        let earlier = earlier
            .and_then(|secret| secret.data)
            .and_then(|data| data.get("data").cloned());
        let Some(Value::Object(values)) = earlier else {
            return Err(Failure {
                code: 2,
                text: format!(
                    "version {} of {path} is deleted, destroyed or was never there; `coffer kv metadata get` shows all",
                    self.version
                ),
            });
        };
        // The condition keeps a write that came in between from being lost.
        let options = Kv2Options { cas: Some(current) };
        let answer = kv
            .put_with(&place.name, &values, options)
            .await
            .or_failed(format!("writing data to {path}"))?;
        match answer {
            Some(secret) => print_secret(cx, &secret, None),
            None => Ok(()),
        }
    }
}
