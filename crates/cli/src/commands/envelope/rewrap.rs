use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;

use clap::Args;
use coffer_client::envelope::{Envelope, Error, Keepers, Keys, MasterKey, Recipient, replace_keys};

use super::output::Output;
use super::progress::Progress;
use super::{master_key, refused, spoilt};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Have the data keys of envelopes wrapped anew, after their master key was rotated
///
/// Only the first kilobytes of a file change, whatever its size, and its data key does not leave the keepers. With -add and
/// -remove, who can open it changes too; the data key is unwrapped for -add.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  After `coffer kms rotate -key=alias/backups`:
      coffer envelope rewrap /var/backups/*.coffer
  Move to another key:
      coffer envelope rewrap -add=kms:alias/new -remove=kms:alias/backups backup.tar.coffer")]
pub(crate) struct Rewrap {
    /// The envelopes
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// A master key that shall open them, too; may be given several times
    #[arg(long, value_name = "KEY", value_parser = master_key)]
    add: Vec<MasterKey>,
    /// A master key that shall not open them any more; may be given several times
    #[arg(long, value_name = "KEY", value_parser = master_key)]
    remove: Vec<MasterKey>,
}

impl Rewrap {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let keepers = Keepers::new(&client);
        for path in &self.files {
            self.rewrap(&keepers, path).await?;
            cx.ui.line(&format!("Success! Wrapped anew: {path}"));
        }
        Ok(())
    }

    async fn rewrap(&self, keepers: &Keepers<'_>, path: &str) -> Outcome {
        let unusable = |error: io::Error| Failure::local(format!("{path}: {error}"));
        // The file itself, not the link to it, is what has to be written anew.
        let real = std::fs::canonicalize(path).map_err(unusable)?;
        let path = &*real.to_string_lossy();
        let opened = OpenOptions::new().read(true).write(true).open(path);
        let mut file = opened.map_err(|error| Failure::local(format!("{path}: {error}")))?;
        // Two at once would each write what the other does not know of.
        file.try_lock()
            .map_err(|_| Failure::local(format!("{path} is in use by another program")))?;
        let envelope = Envelope::read(&mut file).map_err(spoilt(path))?;
        let keys = self.keys(keepers, path, &envelope).await?;
        match replace_keys(&mut file, &keys) {
            Err(Error::NoRoom { .. }) => write_anew(file, path, &envelope, &keys),
            done => done.map_err(spoilt(path)),
        }
    }

    async fn keys(
        &self,
        keepers: &Keepers<'_>,
        path: &str,
        envelope: &Envelope,
    ) -> Result<Keys, Failure> {
        let old = &envelope.keys;
        let context = &old.context;
        let mut added = Vec::new();
        if !self.add.is_empty() {
            let doing = format!("unwrapping the data key of {path}");
            let data_key = keepers.unwrap(envelope).await.map_err(refused(&doing))?;
            for key in &self.add {
                let wrapped = keepers.wrap(key, context, &data_key).await;
                added.push(wrapped.map_err(refused(&format!("wrapping by {key}")))?);
            }
        }
        let mut kept = old.clone();
        for key in &self.remove {
            let before = kept.recipients.len();
            kept.recipients.retain(|recipient| !is_by(recipient, key));
            if kept.recipients.len() == before {
                return Err(Failure::local(format!("{path} is not wrapped by {key}")));
            }
        }
        let doing = format!("wrapping the data key of {path} anew");
        let mut keys = keepers.rewrap(&kept).await.map_err(refused(&doing))?;
        keys.recipients.extend(added);
        match keys.recipients.is_empty() {
            true => Err(Failure::local(format!(
                "nobody could open {path} any more; add a master key before the last is removed"
            ))),
            false => Ok(keys),
        }
    }
}

/// Whether the recipient was made by this master key, as it was named then or by what does not change.
fn is_by(recipient: &Recipient, key: &MasterKey) -> bool {
    let (keeper, mount, key) = match key {
        MasterKey::Kms { mount, key } => ("kms", mount.as_str(), key),
        MasterKey::Transit { mount, key } => ("transit", mount.as_str(), key),
        MasterKey::Aws { key } => ("aws-kms", "", key),
    };
    recipient.keeper == keeper
        && recipient.mount == mount
        && (recipient.key == *key || recipient.alias == *key)
}

/// With more room in front: the rest is copied as it is.
fn write_anew(mut file: File, path: &str, envelope: &Envelope, keys: &Keys) -> Outcome {
    let facts = file.metadata();
    let facts = facts.map_err(|error| Failure::local(format!("{path}: {error}")))?;
    if facts.nlink() > 1 {
        return Err(Failure::local(format!(
            "{path} has several names and has to be written anew, which would leave the others as they are; make a copy with one name"
        )));
    }
    let mut copy = || -> Result<Output, Failure> {
        let mut output = Output::create(path, true, true)?;
        output.resemble(&facts)?;
        envelope
            .write_with(keys, &mut output)
            .map_err(spoilt(path))?;
        let unreadable = |error: io::Error| Failure::local(format!("{path}: {error}"));
        let payload = SeekFrom::Start(envelope.head.payload_at());
        file.seek(payload).map_err(unreadable)?;
        let mut progress = Progress::new(Some(facts.len()));
        let mut counted = Counted {
            file: &mut file,
            progress: &mut progress,
        };
        io::copy(&mut counted, &mut output).map_err(unreadable)?;
        Ok(output)
    };
    copy()?.finish()
}

struct Counted<'a> {
    file: &'a mut File,
    progress: &'a mut Progress,
}

impl io::Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let more = self.file.read(out)?;
        self.progress.add(more as u64);
        Ok(more)
    }
}
