//! Client certificates that auth methods will judge.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, PeerMisbehaved, SignatureScheme,
};
use webpki::{EndEntityCert, RawPublicKeyEntity, anchor_from_trusted_cert, spki_for_anchor};

/// Takes any client certificate whose key the client holds, or none: who signed it is for an auth method to judge.
#[derive(Debug)]
pub(super) struct AnyClient(pub(super) WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match key_of_version_1(certificate) {
            Some(key) => self.verify_by_key(message, &key, signed),
            None => verify_tls12_signature(message, certificate, signed, &self.0),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match key_of_version_1(certificate) {
            Some(key) => verify_tls13_signature_with_raw_key(message, &key, signed, &self.0),
            None => verify_tls13_signature(message, certificate, signed, &self.0),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

impl AnyClient {
    /// Whether the holder of a key signed a handshake of TLS 1.2.
    fn verify_by_key(
        &self,
        message: &[u8],
        key: &SubjectPublicKeyInfoDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = self
            .0
            .mapping
            .iter()
            .find(|(scheme, _)| *scheme == signed.scheme);
        let (_, algorithms) =
            known.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        let bad = rustls::Error::InvalidCertificate(CertificateError::BadSignature);
        let key = RawPublicKeyEntity::try_from(key).map_err(|_| bad.clone())?;
        let mut algorithms = algorithms.iter();
        let is_by = algorithms.any(|algorithm| {
            let signature = signed.signature();
            key.verify_signature(*algorithm, message, signature).is_ok()
        });
        match is_by {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(bad),
        }
    }
}

/// The key of a certificate of version 1: what `openssl x509 -req` makes where it is given no extensions. The functions of
/// `rustls` read none of these, and who shows one would not even learn what is wrong.
fn key_of_version_1(certificate: &CertificateDer<'_>) -> Option<SubjectPublicKeyInfoDer<'static>> {
    match EndEntityCert::try_from(certificate) {
        Err(webpki::Error::UnsupportedCertVersion) => {
            let anchor = anchor_from_trusted_cert(certificate).ok()?;
            Some(spki_for_anchor(&anchor))
        }
        _ => None,
    }
}
