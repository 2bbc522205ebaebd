//! `envelope`: files and streams of any size, encrypted by keys of their own that master keys wrap.

mod decrypt;
mod encrypt;
mod inspect;
pub(super) mod output;
mod progress;
mod rewrap;
mod source;

use clap::Subcommand;
use coffer_client::envelope::{Error, KeeperError, MasterKey};

use crate::context::Context;
use crate::failure::{Failure, Outcome};

pub(in crate::commands) use output::sync_folder;

/// Encrypt files of any size: a data key for each, wrapped by a master key
#[derive(Debug, Subcommand)]
pub(crate) enum Envelope {
    Encrypt(encrypt::Encrypt),
    Decrypt(decrypt::Decrypt),
    Rewrap(rewrap::Rewrap),
    Inspect(inspect::Inspect),
}

impl Envelope {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Encrypt(encrypt) => encrypt.run(cx).await,
            Self::Decrypt(decrypt) => decrypt.run(cx).await,
            Self::Rewrap(rewrap) => rewrap.run(cx).await,
            Self::Inspect(inspect) => inspect.run(cx),
        }
    }
}

fn master_key(text: &str) -> Result<MasterKey, String> {
    text.parse()
        .map_err(|bad: coffer_client::envelope::BadMasterKey| bad.to_string())
}

/// Puts "what was attempted" before what a keeper of master keys said.
fn refused(doing: &str) -> impl Fn(KeeperError) -> Failure {
    move |error| match error {
        KeeperError::Server(error) => Failure::remote(doing, &error),
        KeeperError::NoMasterKey => Failure::local(format!("Error {doing}: {error}")),
        other => Failure {
            code: 2,
            text: format!("Error {doing}: {other}"),
        },
    }
}

/// Names the file that is no good envelope.
fn spoilt(name: &str) -> impl Fn(Error) -> Failure {
    move |error| Failure::local(format!("{name}: {error}"))
}
