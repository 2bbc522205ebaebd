//! `namespace`: servers within the server.

mod create;
mod delete;
mod delete_sealed;
mod list;
mod lock;
mod lookup;
mod patch;
mod scan;
mod seal;
mod seal_status;
mod unlock;
mod unseal;

use clap::{Args, Subcommand};
use coffer_client::Secret;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{Format, key_rows, key_values, no_field, print, print_field};

/// Namespaces: create, list, look up, change, lock, seal, delete
#[derive(Debug, Subcommand)]
pub(crate) enum Namespace {
    Create(create::Create),
    List(list::List),
    Scan(scan::Scan),
    Lookup(lookup::Lookup),
    Patch(patch::Patch),
    Lock(lock::Lock),
    Unlock(unlock::Unlock),
    Seal(seal::Seal),
    SealStatus(seal_status::SealStatus),
    Unseal(unseal::Unseal),
    Delete(delete::Delete),
    DeleteSealed(delete_sealed::DeleteSealed),
}

impl Namespace {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Create(create) => create.run(cx).await,
            Self::List(list) => list.run(cx).await,
            Self::Scan(scan) => scan.run(cx).await,
            Self::Lookup(lookup) => lookup.run(cx).await,
            Self::Patch(patch) => patch.run(cx).await,
            Self::Lock(lock) => lock.run(cx).await,
            Self::Unlock(unlock) => unlock.run(cx).await,
            Self::Seal(seal) => seal.run(cx).await,
            Self::SealStatus(status) => status.run(cx).await,
            Self::Unseal(unseal) => unseal.run(cx).await,
            Self::Delete(delete) => delete.run(cx).await,
            Self::DeleteSealed(delete) => delete.run(cx).await,
        }
    }
}

/// The namespace that is meant.
#[derive(Debug, Args)]
struct Target {
    /// The namespace, below the one in use
    #[arg(value_name = "PATH")]
    path: String,
}

impl Target {
    /// Its path without slashes around it.
    fn path(&self) -> &str {
        self.path.trim_matches('/')
    }

    /// Where the server has it.
    fn at(&self) -> String {
        format!("sys/namespaces/{}", self.path())
    }
}

/// Prints a namespace: its data, without the envelope, as the reference does.
fn print_namespace(cx: &Context, answer: Option<Secret>, field: Option<&str>) -> Outcome {
    let secret = answer.ok_or_else(not_found)?;
    if cx.format == Format::Table {
        cx.ui.warnings(&secret.warnings);
    }
    let data = secret.data.unwrap_or_default();
    if let Some(name) = field {
        let value = data.get(name).ok_or_else(|| no_field(name))?;
        return print_field(cx, value);
    }
    let rows = data.as_object().map(key_rows).unwrap_or_default();
    print(cx, &data, || key_values(&rows))
}

fn not_found() -> Failure {
    Failure {
        code: 2,
        text: "Namespace not found".to_owned(),
    }
}
