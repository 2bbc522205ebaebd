use clap::Args;
use serde_json::{Map, Value};

use super::target::{Target, object};
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;
use crate::input;
use crate::output::print_secret;

/// Make a key for data outside: once in plain, once encrypted with the master key
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms data-key -key=alias/app
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
    field: Field,
}

impl DataKey {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mut body = Map::from_iter([("number_of_bytes".to_owned(), Value::from(self.bytes))]);
        if !self.context.is_empty() {
            body.insert("encryption_context".to_owned(), object(self.context));
        }
        let operation = match self.without_plaintext {
            true => "data-key-without-plaintext",
            false => "data-key",
        };
        let answer = self.target.ask(cx, operation, &body).await?;
        print_secret(cx, &answer, self.field.name())
    }
}
