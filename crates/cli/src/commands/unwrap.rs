use clap::Args;
use coffer_client::Token;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::output::print_secret;

/// Unwrap a wrapped answer; it can be done once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  With the wrapping token as a word:
      coffer unwrap hvs.CAES...
  When it is the token one is logged in with:
      coffer unwrap
  One field, for a script:
      coffer unwrap -field=secret_id hvs.CAES...")]
pub(crate) struct Unwrap {
    /// The wrapping token; without it, the token in use
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Unwrap {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let token = self.token.map(Token::from);
        let secret = cx
            .client()?
            .unwrap(token.as_ref())
            .await
            .or_failed("unwrapping")?;
        let secret = secret.ok_or_else(|| Failure {
            code: 2,
            text: "the wrapped answer was empty".to_owned(),
        })?;
        print_secret(cx, &secret, self.field.name())
    }
}
