use clap::Args;
use coffer_client::Token;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::field::Field;
use crate::output::print_secret;

/// Show what a token is; without a word, the one in use
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Who am I:
      coffer token lookup
  Another token, by its accessor:
      coffer token lookup -accessor 9793c9b3...")]
pub(crate) struct Lookup {
    /// The token, or its accessor with -accessor
    #[arg(value_name = "TOKEN | ACCESSOR")]
    token: Option<String>,
    /// The word is an accessor
    #[arg(long, requires = "token")]
    accessor: bool,
    #[command(flatten)]
    field: Field,
}

impl Lookup {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let answer = match (self.token, self.accessor) {
            (None, _) => client.tokens().lookup_self().await,
            (Some(accessor), true) => client.tokens().lookup_accessor(&accessor).await,
            (Some(token), false) => client.tokens().lookup(&Token::from(token)).await,
        };
        print_secret(
            cx,
            &answer.or_failed("looking up token")?,
            self.field.name(),
        )
    }
}
