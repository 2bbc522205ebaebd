use clap::Args;
use serde_json::{Map, Value};

use super::output_flags::OutputFlags;
use super::target::{Target, bytes, object, print_text, without};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::input;
use crate::output::print_secret;

/// Make a key for data outside: once in plain, once encrypted with the master key
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms data-key -key=alias/app
  The key's bytes into a file that only you can read, the encrypted key to keep beside the data:
      coffer kms data-key -key=alias/app -output=data.key > data.key.enc
  coffer kms data-key -key=alias/app -bytes=64 -context=table=orders
  Only encrypted, for those who pass it on:
      coffer kms data-key -key=alias/app -without-plaintext -field=ciphertext_blob")]
pub(crate) struct DataKey {
    #[command(flatten)]
    target: Target,
    /// How long it is, 1 to 1024 bytes
    #[arg(long, value_name = "COUNT", default_value_t = 32)]
    bytes: u32,
    /// Only the encrypted one
    #[arg(long)]
    without_plaintext: bool,
    /// A pair of texts that it is bound to, repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = input::pair)]
    context: Vec<(String, String)>,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

impl DataKey {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.without_plaintext && self.output.is_given() {
            return Err(Failure::local(
                "-without-plaintext answers no key that -output could write; leave out one of them",
            ));
        }
        let mut body = Map::from_iter([("number_of_bytes".to_owned(), Value::from(self.bytes))]);
        if !self.context.is_empty() {
            body.insert("encryption_context".to_owned(), object(self.context)?);
        }
        let operation = match self.without_plaintext {
            true => "data-key-without-plaintext",
            false => "data-key",
        };
        let answer = self.target.ask(cx, operation, &body).await?;
        if !self.output.is_given() || answer.wrap_info.is_some() {
            return print_secret(cx, &answer, self.field.name());
        }
        // What is printed beside a file must not hold the key that went there.
        match self.output.put(cx, &bytes(&answer, "plaintext")?)? {
            true => {
                let answer = without(answer, "plaintext");
                print_text(cx, &answer, "ciphertext_blob", self.field.name())
            }
            false => Ok(()),
        }
    }
}
