use clap::Args;

use super::wrapping::Wrapped;
use crate::context::Context;
use crate::failure::Outcome;

/// Import a key that was made elsewhere
///
/// The key is wrapped here, so that it goes over the wire in a form that only this mount can read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A pair in PKCS #8, as openssl writes it:
      openssl genpkey -algorithm ed25519 -out key.pem
      coffer transit import transit/keys/signer @key.pem type=ed25519
  The bytes of a cipher's key in base64, from standard input:
      head -c 32 /dev/urandom | base64 | coffer transit import transit/keys/orders - exportable=true")]
pub(crate) struct Import {
    #[command(flatten)]
    wrapped: Wrapped,
}

impl Import {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        self.wrapped.send(cx, "import").await
    }
}
