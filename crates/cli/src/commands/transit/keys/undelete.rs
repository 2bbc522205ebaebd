use clap::Args;

use super::show::done;
use crate::commands::transit::asking::write;
use crate::commands::transit::body::Body;
use crate::commands::transit::place::Target;
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Bring a key back that `soft-delete` put out of use
#[derive(Debug, Args)]
#[command(
    alias = "soft-delete-restore",
    after_help = "Examples:\n  coffer transit keys undelete orders"
)]
pub(crate) struct Undelete {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    field: Field,
}

impl Undelete {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let path = format!("{}/soft-delete-restore", place.key());
        let doing = format!("bringing back {}", place.key());
        let answer = write(cx, &path, &Body::default(), &doing).await?;
        let what = format!("In use again: {}", place.key());
        done(cx, answer, self.field.name(), &what)
    }
}
