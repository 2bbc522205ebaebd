use clap::Args;
use serde_json::{Map, Value};

use super::output_flags::OutputFlags;
use super::target::{Target, done, file_in_base64, file_of_base64};
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Make the code that authenticates up to 4,096 bytes, or verify one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms mac -key=alias/webhooks -algorithm=HMAC_SHA_256 body.json > body.mac
  The exit code is 0 where the code is valid, 3 where it is not, and another where it could not be checked:
      coffer kms mac -key=alias/webhooks -algorithm=HMAC_SHA_256 -verify=body.mac body.json")]
pub(crate) struct Mac {
    #[command(flatten)]
    target: Target,
    /// HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384 or HMAC_SHA_512, as the key is
    #[arg(long, value_name = "NAME")]
    algorithm: String,
    /// File with a code to verify, its own bytes or base64
    #[arg(long, value_name = "FILE")]
    verify: Option<String>,
    /// What is authenticated; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
    #[command(flatten)]
    output: OutputFlags,
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
            let field = self.field.name();
            return self.output.print(cx, &answer, "mac", field);
        };
        body.insert("mac".to_owned(), file_of_base64(&verify)?);
        let target = &self.target;
        let answer = target.check(cx, "verify-mac", &body, "code").await?;
        done(cx, Some(answer), "The code is valid")
    }
}
