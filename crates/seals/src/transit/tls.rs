//! How the other server is told from others, and we are told to it.

use std::path::PathBuf;

use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::outbound::Request;

use crate::build::BuildError;
use crate::source::file;
use crate::stanza::Stanza;

/// Files and names of TLS. The files are read for each request: certificates end, and are put anew where they were.
#[derive(Clone, Debug, Default)]
pub(super) struct Tls {
    roots: Option<PathBuf>,
    pair: Option<(PathBuf, PathBuf)>,
    server_name: String,
}

impl Tls {
    pub(super) fn read(stanza: &mut Stanza<'_>) -> Result<Self, BuildError> {
        let dialects = |name: &str| [format!("BAO_{name}"), format!("VAULT_{name}")];
        let mut path = |parameter, variable: &str| {
            let [bao, vault] = dialects(variable);
            stanza.text(parameter, &[&bao, &vault]).map(PathBuf::from)
        };
        let roots = path("tls_ca_cert", "CACERT");
        let certificate = path("tls_client_cert", "CLIENT_CERT");
        let key = path("tls_client_key", "CLIENT_KEY");
        let server_name = stanza.text(
            "tls_server_name",
            &["BAO_TLS_SERVER_NAME", "VAULT_TLS_SERVER_NAME"],
        );
        stanza.refused(
            "tls_skip_verify",
            &["BAO_SKIP_VERIFY", "VAULT_SKIP_VERIFY"],
            "whoever stands between would have the root key; name the authority in `tls_ca_cert`, and the name in the \
             certificate in `tls_server_name`",
        )?;
        let pair = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Err(stanza.missing("tls_client_key", &["VAULT_CLIENT_KEY"])),
            (None, Some(_)) => {
                return Err(stanza.missing("tls_client_cert", &["VAULT_CLIENT_CERT"]));
            }
        };
        let tls = Self {
            roots,
            pair,
            server_name: server_name.unwrap_or_default(),
        };
        let probed = tls.clone().given(Request::get(""));
        probed.map_err(|(parameter, problem)| stanza.unfit(parameter, problem))?;
        Ok(tls)
    }

    /// The request with what is shown and trusted. Says what is wrong with a file.
    pub(super) async fn of(&self, request: Request) -> Result<Request, String> {
        let tls = self.clone();
        let given = match self.roots.is_none() && self.pair.is_none() {
            true => tls.given(request),
            // A file may lie on a disk that sleeps.
            false => tokio::task::spawn_blocking(move || tls.given(request))
                .await
                .map_err(|_| "the files of TLS are not read".to_owned())?,
        };
        given.map_err(|(parameter, problem)| format!("`{parameter}` {problem}"))
    }

    fn given(self, request: Request) -> Result<Request, (&'static str, String)> {
        let roots = match &self.roots {
            None => String::new(),
            Some(path) => pem("tls_ca_cert", path)?.to_string(),
        };
        let mut identity = Zeroizing::new(String::new());
        if let Some((certificate, key)) = &self.pair {
            let certificate = pem("tls_client_cert", certificate)?;
            let key = pem("tls_client_key", key)?;
            identity.reserve_exact(certificate.len() + key.len() + 1);
            identity.push_str(&certificate);
            identity.push('\n');
            identity.push_str(&key);
        }
        Ok(Request {
            identity: Secret::from(identity),
            server_name: self.server_name,
            ..request
        }
        .trusting(roots))
    }
}

fn pem(
    parameter: &'static str,
    path: &std::path::Path,
) -> Result<Zeroizing<String>, (&'static str, String)> {
    let bytes = file(path).map_err(|problem| (parameter, problem))?;
    let text = std::str::from_utf8(&bytes).ok();
    match text.filter(|text| text.contains("-----BEGIN ")) {
        Some(text) => Ok(Zeroizing::new(text.to_owned())),
        None => Err((
            parameter,
            format!("names {}, which is no PEM", path.display()),
        )),
    }
}
