use clap::Args;
use coffer_wire::Timestamp;
use serde_json::json;

use super::wish::Wish;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// How long an access key lives if nothing is said. Clients ask for another some minutes before that.
const USUAL_TTL: &str = "15m";

/// Issue a short-lived access key, as a credential_process of AWS's clients
///
/// So no client needs an access key that lives long: it runs this whenever the last one is about to end, with the token of
/// whoever is logged in.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  In ~/.aws/config:
      [profile coffer]
      region = us-east-1
      endpoint_url = https://coffer.example:8200/v1/kms/aws
      credential_process = coffer kms credentials -policy=app")]
pub(crate) struct Credentials {
    #[command(flatten)]
    wish: Wish,
}

impl Credentials {
    pub(crate) async fn run(mut self, cx: &Context) -> Outcome {
        self.wish.ttl.get_or_insert_with(|| USUAL_TTL.to_owned());
        let client = cx.client()?;
        let wish = self.wish.into_request();
        let made = client.access_keys().create(&wish).await;
        let made = made.or_failed("creating access key")?;
        let data = made.data.unwrap_or_default();
        let text = |name: &str| {
            let text = data.get(name).and_then(|value| value.as_str());
            text.ok_or_else(|| Failure::local(format!("the server's answer has no {name}")))
        };
        let end = text("expire_time")?;
        let told = json!({
            "Version": 1,
            "AccessKeyId": text("access_key_id")?,
            "SecretAccessKey": text("secret_access_key")?,
            "Expiration": Timestamp::parse(end).map_or(end.to_owned(), |end| end.whole_seconds().to_string()),
        });
        cx.ui.line(&told.to_string());
        Ok(())
    }
}
