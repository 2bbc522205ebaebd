//! `policy`: what tokens may do.

mod delete;
mod explain;
mod fmt;
mod list;
mod read;
mod write;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Policies: write, read, list, delete, format, explain
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    Write(write::Write),
    Read(read::Read),
    List(list::List),
    Delete(delete::Delete),
    Fmt(fmt::Fmt),
    Explain(explain::Explain),
}

impl Policy {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Write(write) => write.run(cx).await,
            Self::Read(read) => read.run(cx).await,
            Self::List(list) => list.run(cx).await,
            Self::Delete(delete) => delete.run(cx).await,
            Self::Fmt(fmt) => fmt.run(cx),
            Self::Explain(explain) => explain.run(cx).await,
        }
    }
}
