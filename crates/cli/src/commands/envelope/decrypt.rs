use clap::Args;
use coffer_client::envelope::{Envelope, Keepers, Opener};

use super::output::Output;
use super::progress::Progress;
use super::source::Source;
use super::{refused, spoilt};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::input::pair;

/// Decrypt an envelope
///
/// A file appears under its name once all of it was proved to be whole. Standard output gets it piece by piece, each proved to
/// be in its place: there only the exit code says that nothing is missing at the end.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Writes backup.tar:
      coffer envelope decrypt backup.tar.coffer
  In a pipe; set pipefail, or a cut stream goes unnoticed:
      coffer envelope decrypt shop.coffer -output=- | psql shop
  Only if it belongs to what is expected:
      coffer envelope decrypt -context=db=shop shop.coffer -output=shop.sql")]
pub(crate) struct Decrypt {
    /// The envelope, or - for standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// Refuse it unless it belongs to this; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    /// Where the content goes, - for standard output [default: FILE without .coffer, standard output for -]
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

impl Decrypt {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mut source = Source::open(&self.file)?;
        let path = self.place(source.is_stdin())?;
        let name = source.name.clone();
        let envelope = Envelope::read(&mut source).map_err(spoilt(&name))?;
        self.check(&envelope)?;
        let mut output = Output::create(&path, self.force, false)?;
        let client = cx.client()?;
        let unwrapped = Keepers::new(&client).unwrap(&envelope).await;
        let data_key = unwrapped.map_err(refused("unwrapping the data key"))?;
        let total = source
            .length
            .and_then(|length| envelope.head.plaintext_of(length));
        let mut progress = Progress::new(total);
        let opened = Opener::new(&mut source, &envelope, &data_key)
            .and_then(|opener| opener.give(&mut output, |bytes| progress.add(bytes)));
        drop(progress);
        opened.map_err(spoilt(&name))?;
        output.finish()?;
        if path != "-" {
            cx.ui.line(&format!("Success! Decrypted: {path}"));
        }
        Ok(())
    }

    fn place(&self, stdin: bool) -> Result<String, Failure> {
        match (&self.output, self.file.strip_suffix(".coffer")) {
            (Some(path), _) => Ok(path.clone()),
            (None, _) if stdin => Ok("-".to_owned()),
            (None, Some(path)) if !path.is_empty() && !path.ends_with('/') => Ok(path.to_owned()),
            _ => Err(Failure::local(format!(
                "{} does not end with .coffer, so its content has no name; give -output=FILE",
                self.file
            ))),
        }
    }

    /// What is expected has to be there; what else it belongs to does not matter.
    fn check(&self, envelope: &Envelope) -> Result<(), Failure> {
        let pairs = envelope.keys.context.pairs();
        let other = self
            .context
            .iter()
            .find(|(name, value)| pairs.get(name) != Some(value));
        match other {
            None => Ok(()),
            Some((name, value)) => Err(Failure::local(format!(
                "{} does not belong to {name}={value}; `envelope inspect` shows to what it does",
                self.file
            ))),
        }
    }
}
