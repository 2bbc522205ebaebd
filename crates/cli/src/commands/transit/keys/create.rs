use clap::Args;

use super::settings::Settings;
use super::show::done;
use crate::commands::transit::asking::write;
use crate::commands::transit::place::Target;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;

/// What keys there are.
const TYPES: [&str; 15] = [
    "aes256-gcm96",
    "aes128-gcm96",
    "chacha20-poly1305",
    "xchacha20-poly1305",
    "ed25519",
    "ecdsa-p256",
    "ecdsa-p384",
    "ecdsa-p521",
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
    "mldsa-44",
    "mldsa-65",
    "mldsa-87",
    "hmac",
];

/// Make a key; one that is there stays as it is
#[derive(Debug, Args)]
#[command(after_help = "\
Types:
  encrypt             aes256-gcm96 (the default), aes128-gcm96, chacha20-poly1305, xchacha20-poly1305
  sign                ed25519, ecdsa-p256, ecdsa-p384, ecdsa-p521, mldsa-44, mldsa-65, mldsa-87
  encrypt and sign    rsa-2048, rsa-3072, rsa-4096
  HMAC alone          hmac (all other types make HMACs too)

Examples:
  For encryption, rotated every month:
      coffer transit keys create -auto-rotate-period=30d orders
  For signatures:
      coffer transit keys create -type=ed25519 release
  A key of its own for each context, and equal ciphertexts for equal texts, so that they can be searched for:
      coffer transit keys create -derived -convergent emails
  That may leave the server:
      coffer transit keys create -exportable -allow-plaintext-backup orders")]
pub(crate) struct Create {
    #[command(flatten)]
    target: Target,
    /// What kind of key; see below
    #[arg(long, value_name = "TYPE", value_parser = TYPES, hide_possible_values = true)]
    r#type: Option<String>,
    /// Derive a key of its own for each -context
    #[arg(long)]
    derived: bool,
    /// Have equal texts encrypted to equal ciphertexts; shows who has the same text as whom
    #[arg(long, alias = "convergent-encryption")]
    convergent: bool,
    /// Of hmac keys: how long, 32 to 512 bytes
    #[arg(long, value_name = "BYTES")]
    key_size: Option<u64>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    field: Field,
}

impl Create {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.convergent && !self.derived {
            return Err(Failure::local(
                "-convergent needs a key that is derived; add -derived",
            ));
        }
        let path = self.target.place()?.key();
        let body = self.settings.body();
        let body = body
            .with("type", self.r#type)
            .with("derived", self.derived.then_some(true))
            .with("convergent_encryption", self.convergent.then_some(true))
            .with("key_size", self.key_size);
        let answer = write(cx, &path, &body, &format!("making {path}")).await?;
        done(
            cx,
            answer,
            self.field.name(),
            &format!("Key is there: {path}"),
        )
    }
}
