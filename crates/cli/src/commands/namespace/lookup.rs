use clap::Args;

use super::{Target, print_namespace};
use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::field::Field;

/// Show a namespace
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer namespace lookup team
  coffer namespace lookup -namespace=team -field=id app")]
pub(crate) struct Lookup {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    field: Field,
}

impl Lookup {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let answer = cx.client()?.read(&self.target.at(), &[]).await;
        let answer = answer.or_failed("looking up namespace")?;
        print_namespace(cx, answer, self.field.name())
    }
}
