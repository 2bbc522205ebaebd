use clap::Args;

use super::asking::read;
use super::place::Target;
use super::printing::{OutputFlags, is_for_programs, member};
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;
use crate::output::{cell, print_secret};

/// Take all of a key into a backup, which holds the key itself
///
/// The backup is not encrypted: whoever has it, has the key. The key has to allow it (`-exportable`, `-allow-plaintext-backup`).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Into a file that only you can read:
      coffer transit backup -output=orders.backup orders
  Encrypted before it touches a disk:
      coffer transit backup orders | age -r age1… > orders.backup.age")]
pub(crate) struct Backup {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

impl Backup {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let doing = format!("backing up {}", place.key());
        let answer = read(cx, &place.path("backup"), &[], &doing).await?;
        let given = self.output.is_given() && answer.wrap_info.is_none();
        if !given && is_for_programs(cx, &answer, self.field.name()) {
            return print_secret(cx, &answer, self.field.name());
        }
        cx.ui.warnings(&answer.warnings);
        let backup = zeroize::Zeroizing::new(format!("{}\n", cell(member(&answer, "backup")?)));
        self.output.write(cx, backup.as_bytes())?;
        self.output.tell(cx);
        Ok(())
    }
}
