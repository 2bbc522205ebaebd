use clap::Args;
use serde_json::{Map, Value};

use super::target::{Target, done, file_in_base64, file_of_base64, print_text};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;

/// Sign up to 4,096 bytes, or the digest of more
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms sign -key=alias/releases -algorithm=ECDSA_SHA_256 notes.txt > notes.sig
  A file of any size, by its digest:
      openssl dgst -sha256 -binary image.tar | coffer kms sign -key=alias/releases -algorithm=ECDSA_SHA_256 -digest")]
pub(crate) struct Sign {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    field: Field,
}

/// Verify a signature; the exit code is 0 only where it is valid
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms verify -key=alias/releases -algorithm=ECDSA_SHA_256 -signature=notes.sig notes.txt")]
pub(crate) struct Verify {
    #[command(flatten)]
    what: What,
    /// File with the signature in base64
    #[arg(long, value_name = "FILE")]
    signature: String,
}

#[derive(Debug, Args)]
struct What {
    #[command(flatten)]
    target: Target,
    /// The algorithm; `coffer kms describe` shows those of the key
    #[arg(long, value_name = "NAME")]
    algorithm: String,
    /// The file holds a digest
    #[arg(long)]
    digest: bool,
    /// What is signed; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
}

impl What {
    fn body(&self) -> Result<Map<String, Value>, Failure> {
        let kind = if self.digest { "DIGEST" } else { "RAW" };
        Ok(Map::from_iter([
            ("message".to_owned(), file_in_base64(&self.file)?),
            ("message_type".to_owned(), kind.into()),
            (
                "signing_algorithm".to_owned(),
                self.algorithm.as_str().into(),
            ),
        ]))
    }
}

impl Sign {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let answer = self.what.target.ask(cx, "sign", &self.what.body()?).await?;
        print_text(cx, &answer, "signature", self.field.name())
    }
}

impl Verify {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mut body = self.what.body()?;
        body.insert("signature".to_owned(), file_of_base64(&self.signature)?);
        let answer = self.what.target.ask(cx, "verify", &body).await?;
        done(cx, Some(answer), "The signature is valid")
    }
}
