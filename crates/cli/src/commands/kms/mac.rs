use clap::Args;
use serde_json::{Map, Value};

use super::target::{Target, done, file_in_base64, file_of_base64, print_text};
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Make the code that authenticates up to 4,096 bytes, or verify one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms mac -key=alias/webhooks -algorithm=HMAC_SHA_256 body.json > body.mac
  The exit code is 0 only where the code is valid:
      coffer kms mac -key=alias/webhooks -algorithm=HMAC_SHA_256 -verify=body.mac body.json")]
pub(crate) struct Mac {
    #[command(flatten)]
    target: Target,
    /// HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384 or HMAC_SHA_512, as the key is
    #[arg(long, value_name = "NAME")]
    algorithm: String,
    /// File with a code in base64 to verify
    #[arg(long, value_name = "FILE")]
    verify: Option<String>,
    /// What is authenticated; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
    #[command(flatten)]
    field: Field,
}

impl Mac {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mut body = Map::from_iter([
            ("message".to_owned(), file_in_base64(&self.file)?),
            ("mac_algorithm".to_owned(), Value::from(self.algorithm)),
        ]);
        let Some(verify) = self.verify else {
            let answer = self.target.ask(cx, "mac", &body).await?;
            return print_text(cx, &answer, "mac", self.field.name());
        };
        body.insert("mac".to_owned(), file_of_base64(&verify)?);
        let answer = self.target.ask(cx, "verify-mac", &body).await?;
        done(cx, Some(answer), "The code is valid")
    }
}
