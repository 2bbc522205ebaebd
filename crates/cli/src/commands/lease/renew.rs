use clap::Args;

use crate::commands::token::increment_secs;
use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::field::Field;
use crate::input;
use crate::output::print_secret;

/// Renew a lease
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  For its usual time:
      coffer lease renew database/creds/app-role/2f6a614c...
  For five minutes from now, if it may be:
      coffer lease renew -increment=5m database/creds/app-role/2f6a614c...")]
pub(crate) struct Renew {
    /// The lease
    #[arg(value_name = "LEASE")]
    lease: String,
    /// How long it should live from now; the server may give less
    #[arg(short, long, value_name = "DURATION", value_parser = input::duration)]
    increment: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Renew {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let secs = increment_secs(self.increment.as_deref());
        let answer = cx.client()?.sys().renew_lease(&self.lease, secs).await;
        print_secret(
            cx,
            &answer.or_failed(format!("renewing {}", self.lease))?,
            self.field.name(),
        )
    }
}
