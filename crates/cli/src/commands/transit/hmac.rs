use clap::Args;

use super::asking::ask;
use super::batch::{BatchFlags, Job, Kind};
use super::body::Body;
use super::place::Target;
use super::printing::print_value;
use super::scheme::KEYED_HASHES;
use super::source::{Input, Words};
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Make an HMAC with a key; prints it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Of what comes in a pipe, to find it again without keeping it:
      printf %s \"$EMAIL\" | coffer transit hmac people -
  With another hash:
      coffer transit hmac -algorithm=sha2-512 people @file
  A text a line, and an HMAC a line:
      coffer transit hmac -batch=@emails.txt people")]
pub(crate) struct Hmac {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    input: Input,
    /// The hash: sha2-224 … sha2-512 or sha3-224 … sha3-512 [default: sha2-256]
    #[arg(long, value_name = "HASH", value_parser = KEYED_HASHES, hide_possible_values = true)]
    algorithm: Option<String>,
    /// Make it with this version and not the latest
    #[arg(long, value_name = "VERSION")]
    key_version: Option<u64>,
    #[command(flatten)]
    batch: BatchFlags,
    #[command(flatten)]
    field: Field,
}

impl Hmac {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let doing = format!("making an HMAC with {}", place.key());
        let mut words = Words::default();
        let body = Body::default()
            .with("algorithm", self.algorithm)
            .with("key_version", self.key_version);
        if let Some(source) = self.batch.source(&mut words)? {
            let job = Job {
                kind: &Kind::HMAC,
                path: place.path("hmac"),
                doing,
                common: &body,
                each: &Body::default(),
            };
            return self.batch.run(cx, source, &job).await;
        }
        let body = body.bytes("input", &self.input.bytes(&mut words)?);
        let answer = ask(cx, &place.path("hmac"), &body, &doing).await?;
        print_value(cx, &answer, "hmac", self.field.name())
    }
}
