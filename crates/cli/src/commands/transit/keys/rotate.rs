use clap::Args;

use super::show::done;
use crate::commands::transit::asking::write_once;
use crate::commands::transit::body::Body;
use crate::commands::transit::place::Target;
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Give a key a new version
///
/// The new one encrypts and signs from now on, the former ones still decrypt and check.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  And have what was encrypted before encrypted by the new version:
      coffer transit keys rotate orders
      coffer transit rewrap -batch=@cards.enc orders > cards.new")]
pub(crate) struct Rotate {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    field: Field,
}

impl Rotate {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let path = format!("{}/rotate", place.key());
        let doing = format!("rotating {}", place.key());
        let answer = write_once(cx, &path, &Body::default(), &doing).await?;
        let what = format!("Rotated: {}", place.key());
        done(cx, answer, self.field.name(), &what)
    }
}
