use clap::Args;
use coffer_crypto::pem;
use serde_json::{Map, Value};

use super::output_flags::OutputFlags;
use super::target::{Target, bytes, object, without};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::input;
use crate::output::print_secret;

/// Make a key pair for use outside, and its private half encrypted
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The private half in PEM into a file that only you can read, the rest is printed:
      coffer kms data-key-pair -key=alias/app -spec=ECC_NIST_P256 -output=private.pem
  Later, as PKCS #8 in DER, from the encrypted one:
      coffer kms decrypt -key=alias/app -output=private.der private.enc
  Only encrypted, for those who pass it on:
      coffer kms data-key-pair -key=alias/app -spec=RSA_3072 -without-plaintext -format=json")]
pub(crate) struct DataKeyPair {
    #[command(flatten)]
    target: Target,
    /// RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521 or ECC_NIST_EDWARDS25519
    #[arg(long, value_name = "SPEC")]
    spec: String,
    /// Only the encrypted private half
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

impl DataKeyPair {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.without_plaintext && self.output.is_given() {
            return Err(Failure::local(
                "-without-plaintext answers no private key that -output could write; leave out one of them",
            ));
        }
        let mut body = Map::from_iter([("key_pair_spec".to_owned(), Value::from(self.spec))]);
        if !self.context.is_empty() {
            body.insert("encryption_context".to_owned(), object(self.context)?);
        }
        let operation = match self.without_plaintext {
            true => "data-key-pair-without-plaintext",
            false => "data-key-pair",
        };
        let answer = self.target.ask(cx, operation, &body).await?;
        if !self.output.is_given() || answer.wrap_info.is_some() {
            return print_secret(cx, &answer, self.field.name());
        }
        let private = bytes(&answer, "private_key_plaintext")?;
        let private = pem::write("PRIVATE KEY", &private);
        // What is printed beside a file must not hold the key that went there.
        match self.output.put(cx, private.as_bytes())? {
            true => print_secret(
                cx,
                &without(answer, "private_key_plaintext"),
                self.field.name(),
            ),
            false => Ok(()),
        }
    }
}
