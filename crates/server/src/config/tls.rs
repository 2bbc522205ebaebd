use std::path::PathBuf;

use super::stanza::Stanza;
use super::{Error, Warning};

/// How a TCP listener speaks TLS.
#[derive(Clone, Debug, PartialEq)]
pub struct Tls {
    /// The certificate chain, PEM; read again on SIGHUP.
    pub cert_file: PathBuf,
    /// The private key, PEM; read again on SIGHUP.
    pub key_file: PathBuf,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// The newest version that is spoken.
    pub max_version: TlsVersion,
    /// Names of TLS 1.2 cipher suites that are allowed; empty for the usual ones.
    pub cipher_suites: Vec<String>,
    /// What is done about client certificates.
    pub client_certificates: ClientCertificates,
}

/// The versions of TLS that are spoken at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// What a listener does about client certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are asked for; none is needed, and who signed one does not matter here.
    Request,
    /// One is needed that these authorities signed (PEM), or the system's.
    Require {
        /// The authorities' file.
        ca_file: Option<PathBuf>,
    },
    /// They are not asked for.
    Ignore,
}

/// Reads a listener's TLS settings; `None` if TLS is disabled.
pub(super) fn read(stanza: &mut Stanza, warnings: &mut Vec<Warning>) -> Result<Option<Tls>, Error> {
    let disabled = stanza.flag("tls_disable")?.unwrap_or(false);
    let cert_file = stanza.path("tls_cert_file")?;
    let key_file = stanza.path("tls_key_file")?;
    let (min_version, max_version) = versions(stanza, warnings)?;
    let cipher_suites = stanza.list("tls_cipher_suites", "names of cipher suites", |name| {
        Some(name.to_owned())
    })?;
    let client_certificates = client_certificates(stanza)?;
    if disabled {
        return Ok(None);
    }
    let (Some(cert_file), Some(key_file)) = (cert_file, key_file) else {
        return Err(stanza.error(
            "speaks TLS without a certificate",
            "`tls_cert_file` and `tls_key_file`",
            "set both, or `tls_disable = true` where the network is trusted",
        ));
    };
    let cipher_suites = cipher_suites.unwrap_or_default();
    Ok(Some(Tls {
        cert_file,
        key_file,
        min_version,
        max_version,
        cipher_suites,
        client_certificates,
    }))
}

fn versions(
    stanza: &mut Stanza,
    warnings: &mut Vec<Warning>,
) -> Result<(TlsVersion, TlsVersion), Error> {
    let known = "\"tls12\" or \"tls13\"";
    let min = stanza.value("tls_min_version", known, |value| match value.as_text()? {
        "tls13" => Some((TlsVersion::Tls13, false)),
        "" | "tls12" => Some((TlsVersion::Tls12, false)),
        "tls10" | "tls11" => Some((TlsVersion::Tls12, true)),
        _ => None,
    })?;
    let max = stanza.value("tls_max_version", known, |value| match value.as_text()? {
        "tls12" => Some(TlsVersion::Tls12),
        "" | "tls13" => Some(TlsVersion::Tls13),
        _ => None,
    })?;
    let (min, is_too_old) = min.unwrap_or((TlsVersion::Tls12, false));
    if is_too_old {
        warnings.push(
            stanza.warning("asks for a TLS version that is never spoken; the oldest is tls12"),
        );
    }
    let max = max.unwrap_or(TlsVersion::Tls13);
    if min > max {
        let expected = "`tls_min_version` at most `tls_max_version`";
        return Err(stanza.error("allows no TLS version", expected, "correct one of the two"));
    }
    Ok((min, max))
}

fn client_certificates(stanza: &mut Stanza) -> Result<ClientCertificates, Error> {
    let ca_file = stanza.path("tls_client_ca_file")?;
    let required = stanza
        .flag("tls_require_and_verify_client_cert")?
        .unwrap_or(false);
    let ignored = stanza.flag("tls_disable_client_certs")?.unwrap_or(false);
    match (required, ignored) {
        (true, true) => Err(stanza.error(
            "both requires and disables client certificates",
            "one of the two",
            "remove `tls_disable_client_certs` or `tls_require_and_verify_client_cert`",
        )),
        (true, false) => Ok(ClientCertificates::Require { ca_file }),
        (false, true) => Ok(ClientCertificates::Ignore),
        (false, false) => Ok(ClientCertificates::Request),
    }
}
