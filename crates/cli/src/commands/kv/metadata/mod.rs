//! `kv metadata`: settings and versions of a secret.

mod delete;
mod get;
mod patch;
mod put;
mod settings;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Settings and versions of a secret
#[derive(Debug, Subcommand)]
pub(crate) enum Metadata {
    Get(get::Get),
    Put(put::Put),
    Patch(patch::Patch),
    Delete(delete::Delete),
}

impl Metadata {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Get(get) => get.run(cx).await,
            Self::Put(put) => put.run(cx).await,
            Self::Patch(patch) => patch.run(cx).await,
            Self::Delete(delete) => delete.run(cx).await,
        }
    }
}
