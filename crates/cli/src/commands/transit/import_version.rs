use clap::Args;

use super::wrapping::Wrapped;
use crate::context::Context;
use crate::failure::Outcome;

/// Import a new version of a key that was imported
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer transit import-version transit/keys/signer @newer.pem
  The private half of a version whose public half was imported:
      coffer transit import-version transit/keys/signer @key.pem version=1")]
pub(crate) struct ImportVersion {
    #[command(flatten)]
    wrapped: Wrapped,
}

impl ImportVersion {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        self.wrapped.send(cx, "import_version").await
    }
}
