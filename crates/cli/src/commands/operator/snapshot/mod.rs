//! `operator snapshot`: everything that the server keeps, as one file.

mod inspect;
mod restore;
mod save;

use std::convert::Infallible;
use std::fs::File;

use clap::Subcommand;
use coffer_snapshot::{Entries, Read};

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Snapshots of the storage: save, restore, inspect
#[derive(Debug, Subcommand)]
pub(crate) enum Snapshot {
    Save(save::Save),
    Restore(restore::Restore),
    Inspect(inspect::Inspect),
}

impl Snapshot {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Save(save) => save.run(cx).await,
            Self::Restore(restore) => restore.run(cx).await,
            Self::Inspect(inspect) => inspect.run(cx),
        }
    }
}

/// Reads a snapshot to its end, which proves that it is whole; `see` gets its entries.
fn verified(path: &str, mut see: impl FnMut(Entries)) -> Result<Read, Failure> {
    let refused = |reason: String| Failure::local(format!("{path} can not be used: {reason}"));
    let file = File::open(path).map_err(|error| refused(error.to_string()))?;
    let read = coffer_snapshot::read(file, |entries| {
        see(entries);
        Ok::<_, Infallible>(())
    });
    read.map_err(|error| refused(error.to_string()))
}
