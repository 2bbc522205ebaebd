//! TLS of a listener: its certificate, read again on SIGHUP, versions, cipher suites and client certificates.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{ProtocolVersion, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::TlsAcceptor;
use webpki::EndEntityCert;

use super::any_client::AnyClient;
use crate::config::{ClientCertificates, Tls, TlsVersion};
use crate::error::Error;

/// What a TLS listener presents, replaceable while it runs.
pub(crate) struct Certificates {
    settings: Tls,
    current: Arc<Current>,
    acceptor: TlsAcceptor,
}

impl Certificates {
    /// Reads a listener's files.
    pub(crate) fn load(settings: &Tls) -> Result<Self, Error> {
        let provider = Arc::new(provider(settings)?);
        let current = Arc::new(Current(ArcSwap::from_pointee(certified_key(
            settings, &provider,
        )?)));
        let versions: Vec<&'static SupportedProtocolVersion> =
            [&rustls::version::TLS13, &rustls::version::TLS12]
                .into_iter()
                .filter(|version| is_allowed(settings, version.version))
                .collect();
        let wrong = |what: String| Error::Tls {
            file: settings.cert_file.clone(),
            what,
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| {
                wrong(format!(
                    "no TLS version and cipher suite is left ({error}); correct tls_cipher_suites"
                ))
            })?;
        let builder = match client_verifier(settings, &provider)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config =
            builder.with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            settings: settings.clone(),
            current,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Reads the certificate and its key again. After an error the old ones stay in use.
    pub(crate) fn reload(&self) -> Result<(), Error> {
        let key = certified_key(&self.settings, &provider(&self.settings)?)?;
        self.current.0.store(Arc::new(key));
        Ok(())
    }

    /// What takes handshakes.
    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// The number of a client's certificate, where handshakes succeed with trusted ones alone.
    pub(super) fn trusted_serial(&self, shown: &[CertificateDer<'_>]) -> Option<Arc<str>> {
        let own = shown.first();
        let own = own.filter(|_| {
            let settings = &self.settings.client_certificates;
            matches!(settings, ClientCertificates::Require { .. })
        });
        let own = EndEntityCert::try_from(own?).ok()?;
        Some(coffer_wire::digits(own.serial()).into())
    }
}

/// The certificate in use.
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current(…)")
    }
}

fn certified_key(settings: &Tls, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
    let chain = certificates(&settings.cert_file, "tls_cert_file")?;
    let wrong = |what: String| Error::Tls {
        file: settings.key_file.clone(),
        what,
    };
    let key = PrivateKeyDer::from_pem_file(&settings.key_file).map_err(|error| {
        wrong(format!(
            "holds no private key in PEM ({error}); set tls_key_file to one that is not encrypted"
        ))
    })?;
    CertifiedKey::from_der(chain, key, provider)
        .map_err(|error| wrong(format!("does not belong to the certificate in tls_cert_file ({error}); use the pair that was made together")))
}

fn certificates(file: &Path, key: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let wrong = |what: String| Error::Tls {
        file: file.to_owned(),
        what,
    };
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = read.map_err(|error| {
        wrong(format!(
            "can not be read as PEM ({error}); check the path and permissions of {key}"
        ))
    })?;
    if chain.is_empty() {
        return Err(wrong(format!(
            "holds no certificate; set {key} to a PEM file with the certificate first"
        )));
    }
    Ok(chain)
}

fn is_allowed(settings: &Tls, version: ProtocolVersion) -> bool {
    let version = match version {
        ProtocolVersion::TLSv1_3 => TlsVersion::Tls13,
        _ => TlsVersion::Tls12,
    };
    (settings.min_version..=settings.max_version).contains(&version)
}

/// The provider with the listed TLS 1.2 suites only; those of TLS 1.3 are always there, as in the reference.
fn provider(settings: &Tls) -> Result<CryptoProvider, Error> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    if settings.cipher_suites.is_empty() {
        return Ok(provider);
    }
    let listed = |suite: &str| {
        settings
            .cipher_suites
            .iter()
            .any(|name| full_name(name) == suite)
    };
    provider
        .cipher_suites
        .retain(|suite| suite.tls13().is_some() || listed(suite_name(suite).as_str()));
    let known: Vec<String> = rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES
        .iter()
        .map(suite_name)
        .collect();
    for name in &settings.cipher_suites {
        let name = full_name(name);
        if !known.contains(&name) {
            let usable: Vec<&str> = known
                .iter()
                .map(String::as_str)
                .filter(|name| name.contains("ECDHE"))
                .collect();
            tracing::warn!(
                suite = name,
                usable = usable.join(","),
                "tls_cipher_suites names a suite that is never used here"
            );
        }
    }
    Ok(provider)
}

/// A suite as Go and IANA name it.
fn suite_name(suite: &rustls::SupportedCipherSuite) -> String {
    let name = format!("{:?}", suite.suite());
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name,
    }
}

/// Go also has short names for two suites.
fn full_name(name: &str) -> String {
    let name = name.trim();
    match name.ends_with("_CHACHA20_POLY1305") {
        true => format!("{name}_SHA256"),
        false => name.to_owned(),
    }
}

/// Who may present which certificate; none where they are not asked for.
fn client_verifier(
    settings: &Tls,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, Error> {
    match &settings.client_certificates {
        ClientCertificates::Ignore => Ok(None),
        ClientCertificates::Request => Ok(Some(Arc::new(AnyClient(provider.signature_verification_algorithms)))),
        ClientCertificates::Require { ca_file: None } => Err(Error::Tls {
            file: settings.cert_file.clone(),
            what: "client certificates are required and tls_client_ca_file is not set; name the file with their authorities \
                   (the public authorities of the system would let in anybody with a certificate)"
                .to_owned(),
        }),
        ClientCertificates::Require { ca_file: Some(file) } => {
            let wrong = |what: String| Error::Tls { file: file.clone(), what };
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file, "tls_client_ca_file")? {
                roots.add(certificate).map_err(|error| wrong(format!("holds a certificate that is no authority ({error}); remove it")))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
            verifier.map(|verifier| Some(verifier as _)).map_err(|error| wrong(format!("can not be used ({error}); check tls_client_ca_file")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A certificate and its key in a directory of their own.
    fn pair() -> (tempfile::TempDir, Tls) {
        let dir = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (cert_file, key_file) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        std::fs::write(&cert_file, made.cert.pem()).unwrap();
        std::fs::write(&key_file, made.signing_key.serialize_pem()).unwrap();
        let tls = Tls {
            cert_file,
            key_file,
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            cipher_suites: Vec::new(),
            client_certificates: ClientCertificates::Request,
        };
        (dir, tls)
    }

    fn refused(tls: &Tls) -> String {
        Certificates::load(tls).err().unwrap().to_string()
    }

    #[test]
    fn a_reload_takes_the_new_pair_or_keeps_the_old() {
        let (_dir, tls) = pair();
        let loaded = Certificates::load(&tls).unwrap();
        let before = loaded.current.0.load_full();
        let (_other_dir, other) = pair();
        std::fs::copy(&other.cert_file, &tls.cert_file).unwrap();
        assert!(loaded.reload().unwrap_err().to_string().contains("key.pem"));
        assert_eq!(loaded.current.0.load_full().cert, before.cert);
        std::fs::copy(&other.key_file, &tls.key_file).unwrap();
        loaded.reload().unwrap();
        assert_ne!(loaded.current.0.load_full().cert, before.cert);
    }

    #[test]
    fn errors_name_the_file() {
        let (_dir, tls) = pair();
        assert!(
            refused(&Tls {
                cert_file: PathBuf::from("/nowhere/c.pem"),
                ..tls.clone()
            })
            .contains("/nowhere/c.pem")
        );
        assert!(
            refused(&Tls {
                key_file: tls.cert_file.clone(),
                ..tls.clone()
            })
            .contains("private key")
        );
        let require = ClientCertificates::Require { ca_file: None };
        assert!(
            refused(&Tls {
                client_certificates: require,
                ..tls.clone()
            })
            .contains("tls_client_ca_file")
        );
        let require = ClientCertificates::Require {
            ca_file: Some(tls.cert_file.clone()),
        };
        Certificates::load(&Tls {
            client_certificates: require,
            ..tls
        })
        .unwrap();
    }

    #[test]
    fn suites_have_go_s_names() {
        let (_dir, tls) = pair();
        let names = |suites: &[&str]| {
            let tls = Tls {
                cipher_suites: suites.iter().map(|name| (*name).to_owned()).collect(),
                ..tls.clone()
            };
            let provider = provider(&tls).unwrap();
            let suites = provider
                .cipher_suites
                .iter()
                .filter(|suite| suite.tls13().is_none());
            suites.map(suite_name).collect::<Vec<_>>()
        };
        assert_eq!(
            names(&["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"]),
            ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"]
        );
        assert_eq!(
            names(&[
                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "TLS_RSA_WITH_AES_128_CBC_SHA"
            ]),
            ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]
        );
        let none = vec!["TLS_RSA_WITH_AES_128_CBC_SHA".to_owned()];
        let tls = Tls {
            cipher_suites: none,
            max_version: TlsVersion::Tls12,
            ..tls.clone()
        };
        assert!(refused(&tls).contains("tls_cipher_suites"));
    }
}
