use clap::Args;

use super::asking::ask;
use super::batch::{BatchFlags, Job, Kind};
use super::binding::Binding;
use super::body::Body;
use super::place::Target;
use super::printing::{OutputFlags, is_for_programs, member_bytes};
use super::source::{Input, Words};
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;
use crate::output::print_secret;

/// Decrypt a ciphertext; prints the bytes that were encrypted
///
/// Nothing is added to them, no line end either, except on a terminal. `-field=plaintext` and `-format=json` have them in base64.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A ciphertext is no secret, it may stand here:
      coffer transit decrypt orders vault:v1:8SDd3WHDOjf7mq69…
  From a file into a file that only you can read:
      coffer transit decrypt -output=invoice.pdf orders @invoice.enc
  In a pipe:
      coffer transit decrypt dumps - < shop.sql.enc | psql shop
  A ciphertext a line, and a text a line:
      coffer transit decrypt -batch=@cards.enc orders
  With references, as `encrypt -json-lines` printed them; lines like {\"text\": …} or {\"base64\": …} come out:
      coffer transit decrypt -json-lines -batch=@items.jsonl orders")]
pub(crate) struct Decrypt {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    binding: Binding,
    #[command(flatten)]
    batch: BatchFlags,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

impl Decrypt {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let doing = format!("decrypting with {}", place.key());
        let mut words = Words::default();
        let each = self.binding.body(&mut words)?;
        if let Some(source) = self.batch.source(&mut words)? {
            self.output.refuse_for_many()?;
            let job = Job {
                kind: &Kind::DECRYPT,
                path: place.path("decrypt"),
                doing,
                common: &Body::default(),
                each: &each,
            };
            return self.batch.run(cx, source, &job).await;
        }
        let body = each.with("ciphertext", Some(self.input.text(&mut words)?));
        let answer = ask(cx, &place.path("decrypt"), &body, &doing).await?;
        if !self.output.is_given() && is_for_programs(cx, &answer, self.field.name()) {
            return print_secret(cx, &answer, self.field.name());
        }
        cx.ui.warnings(&answer.warnings);
        self.output
            .write(cx, &member_bytes(&answer, "plaintext")?)?;
        self.output.tell(cx);
        Ok(())
    }
}
