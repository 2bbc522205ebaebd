use clap::Args;

use super::settings::Settings;
use super::show::done;
use crate::commands::transit::asking::write;
use crate::commands::transit::place::Target;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;

/// Change what may be done with a key; what is not given stays
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Refuse ciphertexts and signatures of versions before the third:
      coffer transit keys config -min-decryption-version=3 orders
  Let it rotate by itself:
      coffer transit keys config -auto-rotate-period=30d orders
  Allow its deletion:
      coffer transit keys config -deletion-allowed orders")]
pub(crate) struct Config {
    #[command(flatten)]
    target: Target,
    /// The oldest version that still decrypts and checks
    #[arg(long, value_name = "VERSION")]
    min_decryption_version: Option<u64>,
    /// The oldest version that may be chosen to encrypt and sign; 0 for the latest alone
    #[arg(long, value_name = "VERSION")]
    min_encryption_version: Option<u64>,
    /// Whether it may be deleted
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    deletion_allowed: Option<bool>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    field: Field,
}

impl Config {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let path = format!("{}/config", place.key());
        let body = self.settings.body();
        let body = body
            .with("min_decryption_version", self.min_decryption_version)
            .with("min_encryption_version", self.min_encryption_version)
            .with("deletion_allowed", self.deletion_allowed);
        if body.fields().is_empty() {
            return Err(Failure::local(
                "there is nothing to change; give a setting, like -min-decryption-version=3",
            ));
        }
        let answer = write(cx, &path, &body, &format!("configuring {}", place.key())).await?;
        let what = format!("Configured: {}", place.key());
        done(cx, answer, self.field.name(), &what)
    }
}
