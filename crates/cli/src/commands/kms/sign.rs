use clap::Args;
use serde_json::{Map, Value};

use super::output_flags::OutputFlags;
use super::target::{Target, done, file_in_base64, file_of_base64};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;

/// Sign up to 4,096 bytes, or the digest of more
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms sign -key=alias/releases -algorithm=ECDSA_SHA_256 notes.txt > notes.sig
  A file of any size, by its digest:
      openssl dgst -sha256 -binary image.tar | coffer kms sign -key=alias/releases -algorithm=ECDSA_SHA_256 -digest
  For another program to check:
      coffer kms sign -key=alias/releases -algorithm=ECDSA_SHA_256 -output=notes.sig notes.txt
      coffer kms public-key -key=alias/releases > releases.pem
      openssl dgst -sha256 -verify releases.pem -signature notes.sig notes.txt")]
pub(crate) struct Sign {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

/// Verify a signature; ends with exit code 3 where it is not valid
///
/// 0 is valid, 3 is not valid, everything else could not be checked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms verify -key=alias/releases -algorithm=ECDSA_SHA_256 -signature=notes.sig notes.txt")]
pub(crate) struct Verify {
    #[command(flatten)]
    what: What,
    /// File with the signature, its own bytes or base64
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
        let field = self.field.name();
        self.output.print(cx, &answer, "signature", field)
    }
}

impl Verify {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mut body = self.what.body()?;
        body.insert("signature".to_owned(), file_of_base64(&self.signature)?);
        let target = &self.what.target;
        let answer = target.check(cx, "verify", &body, "signature").await?;
        done(cx, Some(answer), "The signature is valid")
    }
}
