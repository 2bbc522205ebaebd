use std::path::Path;

use clap::Args;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::verified;
use crate::commands::envelope::sync_folder;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// Save a snapshot: everything in the storage as it is now, encrypted
///
/// The file appears under its name once it is whole. Who restores it needs the unseal keys of now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer operator snapshot save /var/backups/coffer.snap")]
pub(crate) struct Save {
    /// Where to put it
    #[arg(value_name = "FILE")]
    file: String,
}

impl Save {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let partial = format!("{}.partial", self.file);
        let saved = self.receive(cx, &partial).await;
        if saved.is_err() {
            let _ = tokio::fs::remove_file(&partial).await;
        }
        let (entries, bytes) = saved?;
        cx.ui.line(&format!(
            "Success! Saved {entries} entries in {bytes} bytes: {}",
            self.file
        ));
        Ok(())
    }

    async fn receive(&self, cx: &Context, partial: &str) -> Result<(u64, u64), Failure> {
        let unwritable = |error: std::io::Error| {
            Failure::local(format!("{} can not be written: {error}", self.file))
        };
        let client = cx.client()?;
        let mut file = create(partial).await.map_err(unwritable)?;
        let answer = client.sys().save_snapshot().await;
        let mut answer = answer.or_failed("taking the snapshot")?;
        let mut bytes = 0;
        while let Some(chunk) = answer.chunk().await.or_failed("taking the snapshot")? {
            bytes += chunk.len() as u64;
            file.write_all(&chunk).await.map_err(unwritable)?;
        }
        file.sync_all().await.map_err(unwritable)?;
        let read = verified(partial, drop)?;
        tokio::fs::rename(partial, &self.file)
            .await
            .map_err(unwritable)?;
        sync_folder(Path::new(&self.file)).map_err(unwritable)?;
        Ok((read.meta.entries, bytes))
    }
}

/// A file for its owner alone, as it holds the names of everything.
async fn create(path: &str) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).await
}
