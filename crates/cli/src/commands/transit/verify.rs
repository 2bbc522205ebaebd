use clap::Args;

use super::asking::ask;
use super::batch::{BatchFlags, Job, Kind};
use super::binding::Derivation;
use super::place::Target;
use super::scheme::Scheme;
use super::source::{Input, Words};
use super::verdict;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;

/// Check a signature; ends with exit code 3 where it is not valid
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A file by its signature:
      coffer transit verify -signature=@app.tar.gz.sig release @app.tar.gz
  In a script: 0 is valid, 3 is not valid, everything else could not be checked:
      coffer transit verify -signature=\"$SIGNATURE\" release @app.tar.gz || exit
  Lines like {\"text\": \"a\", \"signature\": \"vault:v1:…\"}, as `sign -json-lines` printed them:
      coffer transit verify -json-lines -batch=@signed.jsonl release")]
pub(crate) struct Verify {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    input: Input,
    /// The signature, as `sign` printed it: itself, @FILE or -
    #[arg(long, value_name = "SIGNATURE", conflicts_with = "batch")]
    signature: Option<String>,
    #[command(flatten)]
    derivation: Derivation,
    #[command(flatten)]
    scheme: Scheme,
    #[command(flatten)]
    batch: BatchFlags,
    #[command(flatten)]
    field: Field,
}

impl Verify {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let doing = format!("checking a signature by {}", place.key());
        let mut words = Words::default();
        let each = self.derivation.body(&mut words)?;
        let common = self.scheme.body();
        if let Some(source) = self.batch.source(&mut words)? {
            let job = Job {
                kind: &Kind::VERIFY,
                path: place.path("verify"),
                doing,
                common: &common,
                each: &each,
            };
            return self.batch.run(cx, source, &job).await;
        }
        let Some(signature) = &self.signature else {
            return Err(Failure::local(
                "there is no signature to check; give -signature=@FILE or -signature=vault:v1:…",
            ));
        };
        let body = common.and(each);
        let body = body.with("signature", Some(words.text(signature)?));
        let body = body.bytes("input", &self.input.bytes(&mut words)?);
        let answer = ask(cx, &place.path("verify"), &body, &doing).await?;
        verdict::told(cx, &answer, self.field.name(), "signature")
    }
}
