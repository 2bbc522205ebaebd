use clap::Args;

use super::show::done;
use crate::commands::transit::asking::refused;
use crate::commands::transit::place::Target;
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Put a key out of use; `undelete` brings it back
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  To see who misses it before it is deleted:
      coffer transit keys soft-delete orders")]
pub(crate) struct SoftDelete {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    field: Field,
}

impl SoftDelete {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let path = format!("{}/soft-delete", place.key());
        let answer = cx.client()?.delete(&path, &[]).await;
        let doing = format!("putting {} out of use", place.key());
        let answer = answer.map_err(|error| refused(&doing, &error))?;
        let what = format!("Out of use: {}", place.key());
        done(cx, answer, self.field.name(), &what)
    }
}
