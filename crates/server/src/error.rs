use std::path::PathBuf;

use coffer_engine::Fault;

use crate::config;

/// Why a server does not start. Every text says what to do; none holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] config::Error),

    /// A log level or format that does not exist.
    #[error("{0}")]
    Log(String),

    /// The store can not be opened.
    #[error("cannot open the storage: {0}")]
    Storage(#[from] coffer_storage::Error),

    /// A listener can not be opened.
    #[error("cannot listen on {address}: {what}")]
    Listen {
        /// Where.
        address: String,
        /// What is wrong and what to do.
        what: String,
    },

    /// A certificate or key can not be used.
    #[error("{} {what}", file.display())]
    Tls {
        /// The file.
        file: PathBuf,
        /// What is wrong and what to do, as the end of the sentence.
        what: String,
    },

    /// A file of the server can not be written.
    #[error("cannot write {}: {source}; check the directory and its permissions", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// The kernel could not start.
    #[error("cannot start: {0}")]
    Kernel(Fault),

    /// Traces can not be sent as configured.
    #[error("traces cannot be sent: {0}; correct the stanza `traces` or the OTEL_ variables")]
    Traces(String),

    /// A seal's keeper can not be built.
    #[error("{place}: {what}")]
    Seal {
        /// Where it is declared.
        place: config::Place,
        /// What is wrong and what to do.
        what: String,
    },

    /// Dev mode could not be set up.
    #[error("cannot set up dev mode: {0}")]
    Dev(String),

    /// The registry's tables contradict themselves; a fault of this program.
    #[error("the engines' path tables have faults, please report them: {0}")]
    Registry(String),

    /// The operating system refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What it said.
        source: std::io::Error,
    },
}
