//! `transit keys`: the life of keys.

mod config;
mod create;
mod csr;
mod delete;
mod list;
mod read;
mod rotate;
mod set_certificate;
mod settings;
mod show;
mod soft_delete;
mod trim;
mod undelete;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Keys: create, list, read, rotate, configure, trim, delete
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    List(list::List),
    Read(read::Read),
    Create(create::Create),
    Rotate(rotate::Rotate),
    Config(config::Config),
    Trim(trim::Trim),
    Csr(csr::Csr),
    SetCertificate(set_certificate::SetCertificate),
    SoftDelete(soft_delete::SoftDelete),
    Undelete(undelete::Undelete),
    Delete(delete::Delete),
}

impl Keys {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::List(list) => list.run(cx).await,
            Self::Read(read) => read.run(cx).await,
            Self::Create(create) => create.run(cx).await,
            Self::Rotate(rotate) => rotate.run(cx).await,
            Self::Config(config) => config.run(cx).await,
            Self::Trim(trim) => trim.run(cx).await,
            Self::Csr(csr) => csr.run(cx).await,
            Self::SetCertificate(set) => set.run(cx).await,
            Self::SoftDelete(delete) => delete.run(cx).await,
            Self::Undelete(undelete) => undelete.run(cx).await,
            Self::Delete(delete) => delete.run(cx).await,
        }
    }
}
