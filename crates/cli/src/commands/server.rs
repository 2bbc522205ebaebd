use clap::Args;

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Start a server
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  With a configuration:
      coffer server -config=/etc/coffer/coffer.hcl
  For a try: unsealed, in memory, on http://127.0.0.1:8200
      coffer server -dev -dev-root-token-id=root")]
pub(crate) struct Server {
    /// Configuration file, or directory of them, repeatable
    #[arg(long, value_name = "PATH")]
    config: Vec<std::path::PathBuf>,
    /// Write logs at this level: trace, debug, info, warn, error
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// standard or json
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// End the process when the server's core ends
    #[arg(long)]
    exit_on_core_shutdown: bool,
    /// A server for development: unsealed, in memory, its root token printed
    #[arg(long, help_heading = "Development")]
    dev: bool,
    /// The root token of a development server [env: COFFER_DEV_ROOT_TOKEN_ID]
    #[arg(long, value_name = "TOKEN", help_heading = "Development")]
    dev_root_token_id: Option<String>,
    /// Where a development server listens [env: COFFER_DEV_LISTEN_ADDRESS] [default: 127.0.0.1:8200]
    #[arg(long, value_name = "HOST:PORT", help_heading = "Development")]
    dev_listen_address: Option<String>,
    /// Do not keep a development server's root token in ~/.vault-token
    #[arg(long, help_heading = "Development")]
    dev_no_store_token: bool,
    /// Give a development server a certificate of its own
    #[arg(long, help_heading = "Development")]
    dev_tls: bool,
    /// Where that certificate is written
    #[arg(long, value_name = "DIR", help_heading = "Development")]
    dev_tls_cert_dir: Option<std::path::PathBuf>,
    /// Mount version 1 of the key-value engine at secret/
    #[arg(long, help_heading = "Development")]
    dev_kv_v1: bool,
}

impl Server {
    pub(crate) fn run(self, _cx: &Context) -> Outcome {
        Err(Failure::local("WAIT"))
    }
}
