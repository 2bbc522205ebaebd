use clap::Args;

use super::show::done;
use crate::commands::transit::asking::write;
use crate::commands::transit::body::Body;
use crate::commands::transit::place::Target;
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Destroy old versions of a key; what they encrypted is lost for ever
///
/// Only versions that are out of use by `min_decryption_version` and `min_encryption_version` can be destroyed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  After everything was rewrapped with version 3:
      coffer transit keys config -min-decryption-version=3 -min-encryption-version=3 orders
      coffer transit keys trim -min-available-version=3 orders")]
pub(crate) struct Trim {
    #[command(flatten)]
    target: Target,
    /// The oldest version that stays
    #[arg(long, value_name = "VERSION", required = true)]
    min_available_version: u64,
    #[command(flatten)]
    field: Field,
}

impl Trim {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let path = format!("{}/trim", place.key());
        let version = Some(self.min_available_version);
        let body = Body::default().with("min_available_version", version);
        let answer = write(cx, &path, &body, &format!("trimming {}", place.key())).await?;
        let what = format!("Trimmed: {}", place.key());
        done(cx, answer, self.field.name(), &what)
    }
}
