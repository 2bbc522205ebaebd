use clap::Args;
use serde_json::{Map, Value};

use super::output_flags::OutputFlags;
use super::target::{Mount, Target, file_in_base64, file_of_base64, object, segment, write};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::input;

/// Encrypt up to 4,096 bytes; for more there is `coffer envelope encrypt`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A secret that stays out of the shell's history:
      printf %s \"$PASSWORD\" | coffer kms encrypt -key=alias/app > password.txt
  A file, bound to what it is for:
      coffer kms encrypt -key=alias/app -context=app=shop -context=stage=test key.pem
  The ciphertext's own bytes:
      coffer kms encrypt -key=alias/app -output=key.enc key.pem")]
pub(crate) struct Encrypt {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    how: How,
    /// What is encrypted; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

/// Decrypt what a master key has encrypted; prints the bytes as they were
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms decrypt -key=alias/app password.txt
  coffer kms decrypt -key=alias/app -output=key.pem key.enc
  coffer kms decrypt -key=alias/app -context=app=shop -context=stage=test < key.txt > key.pem")]
pub(crate) struct Decrypt {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    how: How,
    /// The ciphertext, its own bytes or base64; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
    #[command(flatten)]
    output: OutputFlags,
}

#[derive(Debug, Args)]
struct How {
    /// A pair of texts that the ciphertext is bound to, repeatable; the same are needed to decrypt
    #[arg(long, value_name = "NAME=VALUE", value_parser = input::pair)]
    context: Vec<(String, String)>,
    /// With RSA: RSAES_OAEP_SHA_256 or RSAES_OAEP_SHA_1
    #[arg(long, value_name = "NAME")]
    algorithm: Option<String>,
}

impl How {
    fn body(self, name: &str, bytes: Value) -> Result<Map<String, Value>, Failure> {
        let mut body = Map::from_iter([(name.to_owned(), bytes)]);
        if !self.context.is_empty() {
            body.insert("encryption_context".to_owned(), object(self.context)?);
        }
        let algorithm = self.algorithm.map(Value::from);
        body.extend(algorithm.map(|name| ("encryption_algorithm".to_owned(), name)));
        Ok(body)
    }
}

impl Encrypt {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let body = self.how.body("plaintext", file_in_base64(&self.file)?)?;
        let answer = self.target.ask(cx, "encrypt", &body).await?;
        let field = self.field.name();
        self.output.print(cx, &answer, "ciphertext_blob", field)
    }
}

impl Decrypt {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let body = self
            .how
            .body("ciphertext_blob", file_of_base64(&self.file)?)?;
        let answer = self.target.ask(cx, "decrypt", &body).await?;
        self.output.print_raw(cx, &answer, "plaintext")
    }
}

/// Encrypt with another master key, or with newer material, inside the server
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms re-encrypt -from=alias/old -to=alias/app password.txt > password-new.txt")]
pub(crate) struct ReEncrypt {
    /// The key that it is encrypted with
    #[arg(long, value_name = "KEY")]
    from: String,
    /// The key to encrypt it with
    #[arg(long, value_name = "KEY")]
    to: String,
    /// A pair of texts that the ciphertext is bound to, repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = input::pair)]
    from_context: Vec<(String, String)>,
    /// A pair of texts to bind the new one to, repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = input::pair)]
    to_context: Vec<(String, String)>,
    /// The ciphertext, its own bytes or base64; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
    #[command(flatten)]
    mount: Mount,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

impl ReEncrypt {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = format!("re-encrypt/{}/{}", segment(&self.from), segment(&self.to));
        let path = self.mount.path(&path);
        let body = Map::from_iter([
            ("ciphertext_blob".to_owned(), file_of_base64(&self.file)?),
            (
                "source_encryption_context".to_owned(),
                object(self.from_context)?,
            ),
            (
                "destination_encryption_context".to_owned(),
                object(self.to_context)?,
            ),
        ]);
        let answer = write(cx, &path, &body, &format!("asking {path}")).await?;
        let answer = answer.ok_or_else(|| Failure::nothing_at(&path))?;
        let field = self.field.name();
        self.output.print(cx, &answer, "ciphertext_blob", field)
    }
}
