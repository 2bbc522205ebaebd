//! Certificates from files, in the form the HTTP library takes.

use std::path::Path;

use reqwest::{Certificate, Identity};
use zeroize::Zeroizing;

use crate::{ClientBuilder, Error};

/// The most bytes read of one certificate or key file.
const MAX_PEM_BYTES: u64 = 4 * 1024 * 1024;

/// Applies trust roots, the client's certificate and the verification switch.
pub(crate) fn configure(
    mut http: reqwest::ClientBuilder,
    from: &ClientBuilder,
) -> Result<reqwest::ClientBuilder, Error> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::Config(
            "this process has no TLS provider; call rustls::crypto::aws_lc_rs::default_provider().install_default() \
             before the first client is built"
                .to_owned(),
        ));
    }
    let roots = roots(from)?;
    if !roots.is_empty() {
        http = http.tls_certs_only(roots);
    }
    if let Some(identity) = identity(from)? {
        http = http.identity(identity);
    }
    Ok(http.tls_danger_accept_invalid_certs(from.skip_verify))
}

fn roots(from: &ClientBuilder) -> Result<Vec<Certificate>, Error> {
    if let Some(file) = &from.ca_cert {
        return certificates(file);
    }
    let Some(directory) = &from.ca_path else {
        return Ok(Vec::new());
    };
    let entries =
        std::fs::read_dir(directory).map_err(|error| unreadable(directory, &error.to_string()))?;
    let mut roots = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| unreadable(directory, &error.to_string()))?
            .path();
        if path.is_file() {
            roots.extend(certificates(&path)?);
        }
    }
    if roots.is_empty() {
        return Err(unreadable(directory, "it holds no certificate"));
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, Error> {
    let pem = read(file)?;
    let found =
        Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(file, &error.to_string()))?;
    if found.is_empty() {
        return Err(unreadable(file, "it holds no PEM certificate"));
    }
    Ok(found)
}

fn identity(from: &ClientBuilder) -> Result<Option<Identity>, Error> {
    match (&from.client_cert, &from.client_key) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => {
            let mut pem = read(cert)?;
            pem.push(b'\n');
            pem.extend_from_slice(&read(key)?);
            Identity::from_pem(&pem)
                .map(Some)
                .map_err(|error| unreadable(key, &error.to_string()))
        }
        _ => Err(Error::Config(
            "a client certificate needs both its file and its key's file; give both or none"
                .to_owned(),
        )),
    }
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let size = std::fs::metadata(file)
        .map_err(|error| unreadable(file, &error.to_string()))?
        .len();
    if size > MAX_PEM_BYTES {
        return Err(unreadable(file, "it is too large to be a certificate"));
    }
    std::fs::read(file)
        .map(Zeroizing::new)
        .map_err(|error| unreadable(file, &error.to_string()))
}

fn unreadable(path: &Path, reason: &str) -> Error {
    Error::Config(format!("cannot use {} for TLS: {reason}", path.display()))
}
