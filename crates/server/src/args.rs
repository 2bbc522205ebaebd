use std::path::PathBuf;

/// What the command line says about a server.
#[derive(Clone, Debug, Default)]
pub struct ServerArgs {
    /// Configuration files and directories of them.
    pub config: Vec<PathBuf>,
    /// Set for dev mode.
    pub dev: Option<Dev>,
    /// `trace`, `debug`, `info`, `warn` or `error`; wins over environment and configuration.
    pub log_level: Option<String>,
    /// `standard` or `json`; wins over environment and configuration.
    pub log_format: Option<String>,
    /// Accepted for Vault's sake: the core of this server never ends before its process does.
    pub exit_on_core_shutdown: bool,
}

/// Dev mode: unsealed, in memory unless a configuration says otherwise, with a known root token. Never for secrets
/// that matter.
#[derive(Clone, Debug, Default)]
pub struct Dev {
    /// The root token; made up if there is none.
    pub root_token_id: Option<String>,
    /// `host:port`; 127.0.0.1:8200 if there is none.
    pub listen_address: Option<String>,
    /// Leaves `~/.vault-token` alone.
    pub no_store_token: bool,
    /// Speaks TLS with a certificate made for this run.
    pub tls: bool,
    /// Where that certificate is written; a new directory for temporary files if there is none.
    pub tls_cert_dir: Option<PathBuf>,
    /// Mounts version 1 of the key-value engine at `secret/` instead of version 2.
    pub kv_v1: bool,
}
