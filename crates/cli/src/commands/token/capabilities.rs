use clap::Args;
use coffer_client::Token;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::output::print;

/// Show what a token may do at a path
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The token in use:
      coffer token capabilities secret/data/app
  Another:
      coffer token capabilities hvs.CAES... secret/data/app")]
pub(crate) struct Capabilities {
    /// The path; with two words the first is the token
    #[arg(value_name = "[TOKEN] PATH", num_args = 1..=2, required = true)]
    words: Vec<String>,
}

impl Capabilities {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let (token, path) = match self.words.as_slice() {
            [token, path] => (Some(Token::from(token.as_str())), path.as_str()),
            [path] => (None, path.as_str()),
            _ => (None, ""),
        };
        let client = cx.client()?;
        let mut words = client
            .sys()
            .capabilities(token.as_ref(), path)
            .await
            .or_failed("asking for capabilities")?;
        words.sort();
        print(cx, &words, || words.join(", "))
    }
}
