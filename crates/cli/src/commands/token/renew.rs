use clap::Args;
use coffer_client::Token;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::field::Field;
use crate::input;
use crate::output::print_secret;

/// Renew a token; without a word, the one in use
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  One's own:
      coffer token renew
  Another, for half an hour from now if it may be:
      coffer token renew -increment=30m hvs.CAES...")]
pub(crate) struct Renew {
    /// The token, or its accessor with -accessor
    #[arg(value_name = "TOKEN | ACCESSOR")]
    token: Option<String>,
    /// The word is an accessor
    #[arg(long, requires = "token")]
    accessor: bool,
    /// How long it should live from now; the server may give less
    #[arg(short, long, value_name = "DURATION", value_parser = input::duration)]
    increment: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Renew {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let tokens = client.tokens();
        let secs = increment_secs(self.increment.as_deref());
        let answer = match (self.token, self.accessor) {
            (None, _) => tokens.renew_self(secs).await,
            (Some(accessor), true) => tokens.renew_accessor(&accessor, secs).await,
            (Some(token), false) => tokens.renew(&Token::from(token), secs).await,
        };
        print_secret(cx, &answer.or_failed("renewing token")?, self.field.name())
    }
}

/// The flag was checked when it was read; what is no duration ("system") asks for nothing.
pub(in crate::commands) fn increment_secs(text: Option<&str>) -> Option<u64> {
    text.and_then(|text| coffer_wire::parse_duration(text).ok())
        .map(|increment| increment.as_secs())
}
