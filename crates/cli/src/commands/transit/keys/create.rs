use clap::Args;
use coffer_client::Secret;

use super::settings::Settings;
use super::show::done;
use crate::commands::transit::asking::write;
use crate::commands::transit::body::Body;
use crate::commands::transit::place::Target;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::output::cell;

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
  encrypt             aes256-gcm96 (if nobody says), aes128-gcm96, chacha20-poly1305,
                      xchacha20-poly1305
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
        same(&body, answer.as_ref(), &path)?;
        done(
            cx,
            answer,
            self.field.name(),
            &format!("Key is there: {path}"),
        )
    }
}

/// A key that was there already is answered as it is; another one than was asked for is no success.
fn same(wanted: &Body, answer: Option<&Secret>, path: &str) -> Outcome {
    let data = answer.and_then(|answer| answer.data.as_ref());
    let fields = wanted.fields().iter();
    // A duration is answered in another form, and can be set later as well.
    let fields = fields.filter(|(name, _)| *name != "auto_rotate_period");
    let mut others = fields.filter_map(|(name, value)| {
        let found = data?.get(name)?;
        (found != value).then(|| format!("{name} is {}", cell(found)))
    });
    match others.next() {
        None => Ok(()),
        Some(other) => Err(Failure {
            code: 2,
            text: format!(
                "{path} was there already, and is another one: {other}. Nothing was changed; take another name, or change its \
                 settings with `coffer transit keys config`"
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_of_another_kind_is_told_from_a_new_one() {
        let wanted = Body::default()
            .with("type", Some("ed25519"))
            .with("derived", Some(true));
        let answer = |data| Secret {
            data: Some(data),
            ..Secret::default()
        };
        let new = answer(json!({"type": "ed25519", "derived": true, "name": "a"}));
        assert!(same(&wanted, Some(&new), "p").is_ok() && same(&wanted, None, "p").is_ok());
        let other = answer(json!({"type": "ed25519", "derived": false}));
        let failure = same(&wanted, Some(&other), "p").unwrap_err();
        assert!(failure.code == 2 && failure.text.contains("derived is false"));
    }
}
