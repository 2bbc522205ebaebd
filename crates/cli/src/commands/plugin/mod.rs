//! `plugin`: the engines that can be mounted.

mod deregister;
mod info;
mod list;
mod register;
mod reload;
mod reload_status;

use clap::{Args, Subcommand, ValueEnum};

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Plugins: the engines that can be mounted, and making them anew
///
/// A server of Coffer has its engines built in and refuses to register programs of others; servers of other makers
/// may take them.
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    List(list::List),
    Info(info::Info),
    Register(register::Register),
    Deregister(deregister::Deregister),
    Reload(reload::Reload),
    ReloadStatus(reload_status::ReloadStatus),
}

impl Plugin {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::List(list) => list.run(cx).await,
            Self::Info(info) => info.run(cx).await,
            Self::Register(register) => register.run(cx).await,
            Self::Deregister(deregister) => deregister.run(cx).await,
            Self::Reload(reload) => reload.run(cx).await,
            Self::ReloadStatus(status) => status.run(cx).await,
        }
    }
}

/// What a plugin does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Type {
    /// Auth methods
    Auth,
    /// Databases of the database engine
    Database,
    /// Secrets engines
    Secret,
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Database => "database",
            Self::Secret => "secret",
        }
    }
}

/// The plugin that is meant.
#[derive(Debug, Args)]
struct Target {
    /// What it does
    #[arg(value_name = "TYPE")]
    kind: Type,
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
}

impl Target {
    /// Where the server has it.
    fn at(&self) -> Result<String, Failure> {
        match self.name.is_empty() || self.name.contains('/') {
            true => Err(Failure::local(
                "a plugin's name is one word without slashes",
            )),
            false => Ok(format!(
                "sys/plugins/catalog/{}/{}",
                self.kind.word(),
                self.name
            )),
        }
    }
}
