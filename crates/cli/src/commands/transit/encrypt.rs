use clap::Args;

use super::asking::ask;
use super::batch::{BatchFlags, Job, Kind};
use super::binding::Binding;
use super::body::Body;
use super::place::Target;
use super::printing::print_value;
use super::source::{Input, Words};
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Encrypt with a key; prints the ciphertext
///
/// A key that is not there is made, if the token may do that and the mount does not forbid it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  What comes in a pipe, and back:
      printf %s \"$CARD\" | coffer transit encrypt orders - > card.enc
      coffer transit decrypt orders @card.enc
  A file (above 23 MiB: `coffer envelope encrypt`), bound to what it belongs to:
      coffer transit encrypt -associated-data=order=17 orders @invoice.pdf
  With a key that is derived for each customer:
      coffer transit encrypt -context=customer-17 orders @note.txt
  A text a line, and a ciphertext a line:
      coffer transit encrypt -batch=@cards.txt orders > cards.enc
  With references and bytes; lines like {\"text\": \"a\", \"reference\": \"1\"} or {\"base64\": \"AP8=\", \"context\": \"b\"}:
      coffer transit encrypt -json-lines -batch=@items.jsonl orders")]
pub(crate) struct Encrypt {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    binding: Binding,
    /// Encrypt with this version and not the latest
    #[arg(long, value_name = "VERSION")]
    key_version: Option<u64>,
    #[command(flatten)]
    batch: BatchFlags,
    #[command(flatten)]
    field: Field,
}

impl Encrypt {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let doing = format!("encrypting with {}", place.key());
        let mut words = Words::default();
        let each = self.binding.body(&mut words)?;
        let each = each.with("key_version", self.key_version);
        if let Some(source) = self.batch.source(&mut words)? {
            let job = Job {
                kind: &Kind::ENCRYPT,
                path: place.path("encrypt"),
                doing,
                common: &Body::default(),
                each: &each,
            };
            return self.batch.run(cx, source, &job).await;
        }
        let body = each.bytes("plaintext", &self.input.bytes(&mut words)?);
        let answer = ask(cx, &place.path("encrypt"), &body, &doing).await?;
        print_value(cx, &answer, "ciphertext", self.field.name())
    }
}
