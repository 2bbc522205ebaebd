use clap::Args;

use super::asking::ask;
use super::batch::{BatchFlags, Job, Kind};
use super::body::Body;
use super::place::Target;
use super::scheme::KEYED_HASHES;
use super::source::{Input, Words};
use super::verdict;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;

/// Check an HMAC; ends with exit code 3 where it is not valid
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  One that was kept in a file:
      printf %s \"$EMAIL\" | coffer transit verify-hmac -hmac=@email.hmac people -
  Lines like {\"text\": \"a\", \"hmac\": \"vault:v1:…\"}, as `hmac -json-lines` printed them:
      coffer transit verify-hmac -json-lines -batch=@marked.jsonl people")]
pub(crate) struct VerifyHmac {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    input: Input,
    /// The HMAC, as `hmac` printed it: itself, @FILE or -
    #[arg(long, value_name = "HMAC", conflicts_with = "batch")]
    hmac: Option<String>,
    /// The hash it was made with: sha2-224 … sha2-512 or sha3-224 … sha3-512 [default: sha2-256]
    #[arg(long, value_name = "HASH", value_parser = KEYED_HASHES, hide_possible_values = true)]
    algorithm: Option<String>,
    #[command(flatten)]
    batch: BatchFlags,
    #[command(flatten)]
    field: Field,
}

impl VerifyHmac {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let doing = format!("checking an HMAC by {}", place.key());
        let mut words = Words::default();
        let body = Body::default().with("hash_algorithm", self.algorithm);
        if let Some(source) = self.batch.source(&mut words)? {
            let job = Job {
                kind: &Kind::VERIFY_HMAC,
                path: place.path("verify"),
                doing,
                common: &body,
                each: &Body::default(),
            };
            return self.batch.run(cx, source, &job).await;
        }
        let Some(hmac) = &self.hmac else {
            return Err(Failure::local(
                "there is no HMAC to check; give -hmac=@FILE or -hmac=vault:v1:…",
            ));
        };
        let body = body.with("hmac", Some(words.text(hmac)?));
        let body = body.bytes("input", &self.input.bytes(&mut words)?);
        let answer = ask(cx, &place.path("verify"), &body, &doing).await?;
        verdict::told(cx, &answer, self.field.name(), "HMAC")
    }
}
