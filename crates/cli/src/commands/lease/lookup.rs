use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::field::Field;
use crate::output::print_secret;

/// Show when a lease was issued and when it ends
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer lease lookup database/creds/app-role/2f6a614c...")]
pub(crate) struct Lookup {
    /// The lease
    #[arg(value_name = "LEASE")]
    lease: String,
    #[command(flatten)]
    field: Field,
}

impl Lookup {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let answer = cx.client()?.sys().lookup_lease(&self.lease).await;
        print_secret(
            cx,
            &answer.or_failed(format!("looking up lease {}", self.lease))?,
            self.field.name(),
        )
    }
}
