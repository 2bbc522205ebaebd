use std::path::PathBuf;

use clap::Args;

use crate::input;
use crate::output::Format;

/// Flags of every command. They may stand before or after the command's name.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Global {
    /// Address of the server [env: COFFER_ADDR] [default: https://127.0.0.1:8200]
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) address: Option<String>,
    /// Address of an agent to ask in place of the server [env: COFFER_AGENT_ADDR]
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) agent_address: Option<String>,
    /// Namespace that paths are relative to [env: COFFER_NAMESPACE]
    #[arg(
        long,
        alias = "ns",
        global = true,
        value_name = "PATH",
        hide_short_help = true
    )]
    pub(crate) namespace: Option<String>,
    /// PEM file of the authorities to trust [env: COFFER_CACERT]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Directory of PEM files of authorities to trust [env: COFFER_CAPATH]
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub(crate) ca_path: Option<PathBuf>,
    /// PEM file of this client's certificate [env: COFFER_CLIENT_CERT]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) client_cert: Option<PathBuf>,
    /// PEM file of this client's private key [env: COFFER_CLIENT_KEY]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) client_key: Option<PathBuf>,
    /// Name the server's certificate must bear [env: COFFER_TLS_SERVER_NAME]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) tls_server_name: Option<String>,
    /// Accept any certificate; gives up the protection of TLS [env: COFFER_SKIP_VERIFY]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) tls_skip_verify: bool,
    /// Do not follow redirects of the server [env: COFFER_DISABLE_REDIRECTS]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) disable_redirects: bool,
    /// Have the answer wrapped for this long, like 5m [env: COFFER_WRAP_TTL]
    #[arg(long, global = true, value_name = "DURATION", value_parser = input::duration, hide_short_help = true)]
    pub(crate) wrap_ttl: Option<String>,
    /// Extra header for every request, repeatable
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = input::pair, hide_short_help = true)]
    pub(crate) header: Vec<(String, String)>,
    /// Second-factor credential, repeatable [env: COFFER_MFA]
    #[arg(
        long,
        global = true,
        value_name = "METHOD:VALUE",
        hide_short_help = true
    )]
    pub(crate) mfa: Vec<String>,
    /// Override a policy that may be overridden
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) policy_override: bool,
    /// Send nothing; print the curl command that would do it
    #[arg(long, global = true, hide_short_help = true, help_heading = "Output")]
    pub(crate) output_curl_string: bool,
    /// Send nothing; print the rule of a policy that allows it
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        help_heading = "Output",
        conflicts_with = "output_curl_string"
    )]
    pub(crate) output_policy: bool,
    /// Never ask anything
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) non_interactive: bool,
    /// How to print the answer [env: COFFER_FORMAT] [default: table]
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) format: Option<Format>,
}
