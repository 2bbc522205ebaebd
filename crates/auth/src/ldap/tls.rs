//! TLS to a directory by rustls.

use std::sync::Arc;

use coffer_crypto::sha256;
use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};
use rustls_platform_verifier::Verifier;
use zeroize::Zeroizing;

use super::config::Config;

/// Most certificates in one field.
const CERTIFICATES_MAX: usize = 256;
/// Longest text in PEM, in bytes.
pub(super) const PEM_BYTES_MAX: usize = 256 * 1024;

/// What was made of the latest configuration, so that not every login reads certificates.
#[derive(Default)]
pub(super) struct Kept(Mutex<Option<([u8; 32], Arc<ClientConfig>)>>);

impl Kept {
    /// How connections of this configuration are encrypted.
    pub(super) fn get(&self, config: &Config) -> Result<Arc<ClientConfig>, String> {
        let print = fingerprint(config);
        if let Some((known, made)) = self.0.lock().as_ref()
            && *known == print
        {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(client(config)?);
        *self.0.lock() = Some((print, Arc::clone(&made)));
        Ok(made)
    }
}

/// The versions that a configuration allows, of those that there are here.
pub(super) fn versions(
    min: &str,
    max: &str,
) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let (min, max) = (rank("tls_min_version", min)?, rank("tls_max_version", max)?);
    if max < min {
        return Err(
            "'tls_max_version' must be greater than or equal to 'tls_min_version'".to_owned(),
        );
    }
    let all = [(2, &TLS12), (3, &TLS13)];
    let allowed = all
        .into_iter()
        .filter(|(rank, _)| (min..=max).contains(rank));
    let allowed: Vec<_> = allowed.map(|(_, version)| version).collect();
    match allowed.is_empty() {
        true => Err(
            "'tls_max_version' is older than TLS 1.2, the oldest version that this server speaks"
                .to_owned(),
        ),
        false => Ok(allowed),
    }
}

/// Finds out what is wrong with a configuration, certificates that it does not use now included.
pub(super) fn check(config: &Config) -> Result<(), String> {
    // What the system trusts is not this configuration's, and takes a while to read.
    let tried = Config {
        insecure_tls: config.certificate.is_empty(),
        ..config.clone()
    };
    client(&tried).map(|_| ())
}

/// Makes what connections need.
fn client(config: &Config) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = versions(&config.tls_min_version, &config.tls_max_version)?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier(config, &provider)?);
    let key = config.client_tls_key.expose();
    match (config.client_tls_cert.is_empty(), key.is_empty()) {
        (true, true) => Ok(builder.with_no_client_auth()),
        (false, false) => {
            let chain = certificates("client_tls_cert", &config.client_tls_cert)?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
            let key = key.map_err(|_| "client_tls_key is not a private key in PEM")?;
            let made = builder.with_client_auth_cert(chain, key);
            made.map_err(|error| format!("client_tls_cert and client_tls_key: {error}"))
        }
        _ => Err("both client_tls_cert and client_tls_key must be set".to_owned()),
    }
}

fn verifier(
    config: &Config,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    if config.insecure_tls {
        return Ok(Arc::new(Nobody(Arc::clone(provider))));
    }
    if config.certificate.is_empty() {
        let system = Verifier::new(Arc::clone(provider));
        let system = system.map_err(|error| {
            format!("the system's certificate authorities can not be read: {error}")
        })?;
        return Ok(Arc::new(system));
    }
    let wrong = |error: &dyn std::fmt::Display| format!("certificate: {error}");
    let trusted = certificates("certificate", &config.certificate)?;
    let mut roots = RootCertStore::empty();
    for certificate in &trusted {
        roots
            .add(certificate.clone())
            .map_err(|error| wrong(&error))?;
    }
    let inner = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
    let inner = inner.build().map_err(|error| wrong(&error))?;
    Ok(Arc::new(Own { inner, trusted }))
}

fn certificates(field: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    if pem.len() > PEM_BYTES_MAX {
        return Err(format!("{field} is longer than {PEM_BYTES_MAX} bytes"));
    }
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let all = all.map_err(|_| format!("{field} is not PEM"))?;
    match all.len() {
        0 => Err(format!("{field} holds no certificate in PEM")),
        1..=CERTIFICATES_MAX => Ok(all),
        _ => Err(format!(
            "{field} holds more than {CERTIFICATES_MAX} certificates"
        )),
    }
}

fn rank(field: &str, word: &str) -> Result<u8, String> {
    match word {
        "tls10" => Ok(0),
        "tls11" => Ok(1),
        "tls12" => Ok(2),
        "tls13" => Ok(3),
        _ => Err(format!("invalid '{field}'")),
    }
}

fn fingerprint(config: &Config) -> [u8; 32] {
    let parts: [&str; 6] = [
        &config.certificate,
        &config.client_tls_cert,
        config.client_tls_key.expose(),
        &config.tls_min_version,
        &config.tls_max_version,
        if config.insecure_tls { "insecure" } else { "" },
    ];
    let mut text = Zeroizing::new(Vec::new());
    for part in parts {
        text.extend((part.len() as u64).to_le_bytes());
        text.extend(part.as_bytes());
    }
    sha256(&text)
}

/// Believes what comes from the configured certificates, and a configured certificate that the directory shows itself. Directories
/// often have one that is its own authority, which rustls takes for no server's.
#[derive(Debug)]
struct Own {
    inner: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Own {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let told = self
            .inner
            .verify_server_cert(certificate, chain, name, ocsp, now);
        match told {
            // An authority's where a server's should be: times have been looked at by then, the name has not.
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if self.trusted.contains(certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            told => told,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Believes any certificate, as `insecure_tls` wants it. The signature of the handshake is checked still.
#[derive(Debug)]
struct Nobody(Arc<CryptoProvider>);

impl ServerCertVerifier for Nobody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_that_are_allowed() {
        assert_eq!(versions("tls12", "tls12").unwrap().len(), 1);
        assert_eq!(versions("tls10", "tls13").unwrap().len(), 2);
        for (min, max) in [
            ("tls13", "tls12"),
            ("tls10", "tls11"),
            ("", "tls12"),
            ("tls12", "ssl3"),
        ] {
            assert!(versions(min, max).is_err(), "{min} {max}");
        }
    }

    /// A certificate that is its own authority, as `openssl req -x509` makes them.
    fn self_made(expired: bool) -> rcgen::Certificate {
        let mut wish = rcgen::CertificateParams::new(["ldap.example".to_owned()]).unwrap();
        wish.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let year = if expired { 2020 } else { 2090 };
        wish.not_before = rcgen::date_time_ymd(2019, 1, 1);
        wish.not_after = rcgen::date_time_ymd(year, 1, 1);
        wish.self_signed(&rcgen::KeyPair::generate().unwrap())
            .unwrap()
    }

    #[test]
    fn a_directory_may_show_a_certificate_that_is_trusted_itself() {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let told = |trusted: &rcgen::Certificate, shown: &rcgen::Certificate, name: &str| {
            let config = Config {
                certificate: trusted.pem(),
                ..Config::default()
            };
            let verifier = verifier(&config, &provider).unwrap();
            let name = ServerName::try_from(name.to_owned()).unwrap();
            verifier.verify_server_cert(shown.der(), &[], &name, &[], UnixTime::now())
        };
        let (own, other, old) = (self_made(false), self_made(false), self_made(true));
        assert!(told(&own, &own, "ldap.example").is_ok());
        assert!(told(&own, &own, "elsewhere.example").is_err());
        assert!(told(&own, &other, "ldap.example").is_err());
        assert!(told(&old, &old, "ldap.example").is_err());
    }
}
