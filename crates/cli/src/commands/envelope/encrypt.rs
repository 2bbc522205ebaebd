use std::collections::BTreeMap;

use clap::Args;
use coffer_client::envelope::{Context as Belonging, Keepers, MasterKey, Sealer};
use coffer_crypto::Random;

use super::output::Output;
use super::progress::Progress;
use super::source::Source;
use super::{master_key, refused, spoilt};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::input::pair;

/// Encrypt a file or standard input
///
/// The file gets a data key of its own, which is stored with it, wrapped by each of the master keys. Any one of them decrypts
/// it. Memory does not grow with the file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  By a key of Coffer's KMS; writes backup.tar.coffer:
      coffer envelope encrypt -key=kms:alias/backups backup.tar
  In a pipe, bound to what it belongs to:
      pg_dump shop | coffer envelope encrypt -key=kms:alias/backups -context=db=shop - > shop.coffer
  For two, each of whom can open it alone:
      coffer envelope encrypt -key=transit:backups -key=arn:aws:kms:eu-west-1:111122223333:key/… backup.tar")]
pub(crate) struct Encrypt {
    /// The file, or - for standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// A master key: kms:alias/NAME, kms:ID, kms://MOUNT/alias/NAME, transit:NAME, transit://MOUNT/NAME, aws-kms:NAME or an
    /// ARN; may be given several times
    #[arg(long, value_name = "KEY", required = true, value_parser = master_key)]
    key: Vec<MasterKey>,
    /// What it belongs to, readable by everybody and bound to it; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    /// Where the envelope goes, - for standard output [default: FILE.coffer, standard output for -]
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

impl Encrypt {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mut source = Source::open(&self.file)?;
        let path = match (&self.output, source.is_stdin()) {
            (Some(path), _) => path.clone(),
            (None, true) => "-".to_owned(),
            (None, false) => format!("{}.coffer", self.file),
        };
        let mut output = Output::create(&path, self.force, true)?;
        let belonging = belonging(self.context)?;
        let client = cx.client()?;
        let keepers = Keepers::new(&client);
        let begun = keepers.begin(&self.key, belonging).await;
        let (data_key, keys) = begun.map_err(refused("making a data key"))?;
        let mut progress = Progress::new(source.length);
        let random = Random::system();
        let name = source.name.clone();
        let sealed = Sealer::new(&mut output, &data_key, &keys, &random).and_then(|mut sealer| {
            sealer.take(&mut source, |bytes| progress.add(bytes))?;
            sealer.finish().map(drop)
        });
        drop(progress);
        sealed.map_err(spoilt(&name))?;
        output.finish()?;
        if path != "-" {
            cx.ui.line(&format!("Success! Encrypted: {path}"));
        }
        Ok(())
    }
}

fn belonging(pairs: Vec<(String, String)>) -> Result<Belonging, Failure> {
    let mut context = BTreeMap::new();
    for (name, value) in pairs {
        if context.contains_key(&name) {
            return Err(Failure::local(format!(
                "-context={name}=… is given twice; give it once"
            )));
        }
        context.insert(name, value);
    }
    Belonging::new(context).map_err(|error| Failure::local(error.to_string()))
}
