use clap::Args;

use super::asking::ask;
use super::binding::Binding;
use super::place::Target;
use super::printing::{OutputFlags, member_bytes, print_value};
use super::source::Words;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::output::print_secret;

/// Make a key for data that is encrypted elsewhere, plain and encrypted
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The key's bytes into a file that only you can read, the encrypted key to keep beside the data:
      coffer transit datakey -output=data.key orders > data.key.enc
  Later:
      coffer transit decrypt -output=data.key orders @data.key.enc
  Only the encrypted key, for somebody who is not to see the key:
      coffer transit datakey -wrapped orders
  Files of any size are encrypted so by one command:
      coffer envelope encrypt -key=transit:orders backup.tar")]
pub(crate) struct Datakey {
    #[command(flatten)]
    target: Target,
    /// Answer the encrypted key alone
    #[arg(long)]
    wrapped: bool,
    /// How long the key is: 128, 256 or 512 bits [default: 256]
    #[arg(long, value_name = "BITS", value_parser = ["128", "256", "512"], hide_possible_values = true)]
    bits: Option<String>,
    #[command(flatten)]
    binding: Binding,
    /// Encrypt it with this version and not the latest
    #[arg(long, value_name = "VERSION")]
    key_version: Option<u64>,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

impl Datakey {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.wrapped && self.output.is_given() {
            return Err(Failure::local(
                "-wrapped answers no key that -output could write; leave out one of them",
            ));
        }
        let place = self.target.place()?;
        let bits = self.bits.and_then(|bits| bits.parse::<u64>().ok());
        let body = self.binding.body(&mut Words::default())?;
        let body = body
            .with("bits", bits)
            .with("key_version", self.key_version);
        let (operation, doing) = match self.wrapped {
            true => ("datakey/wrapped", "making an encrypted data key"),
            false => ("datakey/plaintext", "making a data key"),
        };
        let doing = format!("{doing} with {}", place.key());
        let answer = ask(cx, &place.path(operation), &body, &doing).await?;
        if self.wrapped {
            return print_value(cx, &answer, "ciphertext", self.field.name());
        }
        if !self.output.is_given() || answer.wrap_info.is_some() {
            return print_secret(cx, &answer, self.field.name());
        }
        // What is printed must not hold the key that was to go elsewhere.
        self.output
            .write(cx, &member_bytes(&answer, "plaintext")?)?;
        match self.output.is_stdout() {
            true => Ok(()),
            false => print_value(cx, &without_plaintext(answer), "ciphertext", None),
        }
    }
}

fn without_plaintext(mut answer: coffer_client::Secret) -> coffer_client::Secret {
    let fields = answer
        .data
        .as_mut()
        .and_then(serde_json::Value::as_object_mut);
    if let Some(fields) = fields {
        fields.remove("plaintext");
    }
    answer
}
