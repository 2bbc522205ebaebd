use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use super::show::shown;
use crate::commands::transit::asking;
use crate::commands::transit::place::Target;
use crate::commands::transit::source::Words;
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Show the settings and versions of a key, never the key itself
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  All of it:
      coffer transit keys read orders
  For a script:
      coffer transit keys read -field=latest_version orders
  The public keys with it:
      coffer transit keys read -format=json release
  The public key of a derived key:
      coffer transit keys read -context=customer-17 -format=json device")]
pub(crate) struct Read {
    #[command(flatten)]
    target: Target,
    /// For keys that are derived: for whom or what, as text, @FILE or -
    #[arg(long, value_name = "CONTEXT")]
    context: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Read {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.target.place()?.key();
        let context = self.context.map(|word| Words::default().bytes(&word));
        let context = context.transpose()?.map(|bytes| STANDARD.encode(bytes));
        let query: Vec<(&str, &str)> = context
            .as_deref()
            .map(|context| ("context", context))
            .into_iter()
            .collect();
        let answer = asking::read(cx, &path, &query, &format!("reading {path}")).await?;
        shown(cx, &answer, self.field.name())
    }
}
