use clap::Args;
use coffer_client::variable;
use coffer_server::{Dev, ServerArgs};

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
        let args = self.args()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::local(format!("cannot start: {error}")))?;
        runtime
            .block_on(coffer_server::run(args))
            .map_err(|error| Failure::local(error.to_string()))
    }

    fn args(self) -> Result<ServerArgs, Failure> {
        // As with the reference, wanting TLS in development is wanting development.
        let develops = self.dev || self.dev_tls;
        if self.config.is_empty() && !develops {
            return Err(Failure::local(
                "a server needs its configuration: -config=FILE, or -dev for a try",
            ));
        }
        let dev = develops.then(|| Dev {
            root_token_id: self
                .dev_root_token_id
                .or_else(|| variable("DEV_ROOT_TOKEN_ID")),
            listen_address: self
                .dev_listen_address
                .or_else(|| variable("DEV_LISTEN_ADDRESS")),
            no_store_token: self.dev_no_store_token,
            tls: self.dev_tls,
            tls_cert_dir: self.dev_tls_cert_dir,
            kv_v1: self.dev_kv_v1,
        });
        Ok(ServerArgs {
            config: self.config,
            dev,
            log_level: self.log_level,
            log_format: self.log_format,
            exit_on_core_shutdown: self.exit_on_core_shutdown,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        server: Server,
    }

    fn args(words: &[&str]) -> Result<ServerArgs, Failure> {
        Words::parse_from(words).server.args()
    }

    #[test]
    fn development_needs_no_configuration_but_takes_one() {
        let words = [
            "x",
            "--dev",
            "--dev-root-token-id=root",
            "--config=a",
            "--config=b",
        ];
        let args = args(&words).unwrap();
        assert_eq!(args.config.len(), 2);
        assert_eq!(args.dev.unwrap().root_token_id.unwrap(), "root");
    }

    #[test]
    fn without_a_word_it_says_what_it_needs() {
        assert!(args(&["x"]).unwrap_err().text.contains("-config"));
        assert!(args(&["x", "--config=a"]).unwrap().dev.is_none());
    }
}
