use clap::Args;

use super::asking::ask;
use super::batch::{BatchFlags, Job, Kind};
use super::binding::Derivation;
use super::body::Body;
use super::place::Target;
use super::printing::print_value;
use super::source::{Input, Words};
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Encrypt a ciphertext anew with the latest version of its key
///
/// What is encrypted does not leave the server, so the token need not be allowed to decrypt.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  After `coffer transit keys rotate orders`:
      coffer transit rewrap orders @card.enc > card.new
  A whole column, a ciphertext a line:
      coffer transit rewrap -batch=@cards.enc orders > cards.new
  Lines like {\"ciphertext\": \"vault:v1:…\", \"context\": \"customer-17\", \"reference\": \"1\"}:
      coffer transit rewrap -json-lines -batch=- orders < items.jsonl")]
pub(crate) struct Rewrap {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    derivation: Derivation,
    /// Encrypt with this version and not the latest
    #[arg(long, value_name = "VERSION")]
    key_version: Option<u64>,
    #[command(flatten)]
    batch: BatchFlags,
    #[command(flatten)]
    field: Field,
}

impl Rewrap {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let doing = format!("rewrapping with {}", place.key());
        let mut words = Words::default();
        let each = self.derivation.body(&mut words)?;
        let each = each.with("key_version", self.key_version);
        if let Some(source) = self.batch.source(&mut words)? {
            let job = Job {
                kind: &Kind::REWRAP,
                path: place.path("rewrap"),
                doing,
                common: &Body::default(),
                each: &each,
            };
            return self.batch.run(cx, source, &job).await;
        }
        let body = each.with("ciphertext", Some(self.input.text(&mut words)?));
        let answer = ask(cx, &place.path("rewrap"), &body, &doing).await?;
        print_value(cx, &answer, "ciphertext", self.field.name())
    }
}
