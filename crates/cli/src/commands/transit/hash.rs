use clap::Args;

use super::asking::ask;
use super::body::Body;
use super::place::Mount;
use super::printing::print_value;
use super::scheme::KEYED_HASHES;
use super::source::{Input, Words};
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Hash; prints the digest
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A file:
      coffer transit hash @app.tar.gz
  Another hash, in base64:
      coffer transit hash -algorithm=sha3-512 -encoding=base64 @app.tar.gz")]
pub(crate) struct Hash {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    mount: Mount,
    /// The hash: sha2-224 … sha2-512 or sha3-224 … sha3-512 [default: sha2-256]
    #[arg(long, value_name = "HASH", value_parser = KEYED_HASHES, hide_possible_values = true)]
    algorithm: Option<String>,
    /// How it is written: hex or base64 [default: hex]
    #[arg(long, value_name = "NAME", value_parser = ["hex", "base64"], hide_possible_values = true)]
    encoding: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Hash {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = format!("{}/hash", self.mount.path()?);
        let body = Body::default()
            .with("algorithm", self.algorithm)
            .with("format", self.encoding)
            .bytes("input", &self.input.bytes(&mut Words::default())?);
        let answer = ask(cx, &path, &body, "hashing").await?;
        print_value(cx, &answer, "sum", self.field.name())
    }
}
