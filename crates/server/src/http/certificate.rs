//! Which certificate a client showed, when a proxy that ended its TLS stands before this server.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::address::FORWARDED_FOR;
use crate::config::{Decoder, ForwardedCertificate, ForwardedFor};

/// The certificate that a trusted proxy passes on; none where that of the connection counts. The error is for the client.
///
/// A proxy's own certificate is nobody's way in through it: where it passes on none, its client showed none. Of others the
/// header field means nothing.
pub(super) fn forwarded(
    peer: SocketAddr,
    rules: &ForwardedFor,
    headers: &HeaderMap,
) -> Result<Option<Arc<[Vec<u8>]>>, String> {
    let Some(certificate) = rules.certificate.as_ref() else {
        return Ok(None);
    };
    if !rules.is_authorized(peer.ip()) {
        return Ok(None);
    }
    let mut values = headers.get_all(&certificate.header).iter();
    let (value, more) = (values.next(), values.next());
    let value = value.filter(|value| !value.is_empty() && headers.contains_key(FORWARDED_FOR));
    match (value, more) {
        (_, Some(_)) => Err(format!(
            "there is more than one {} header",
            certificate.header
        )),
        (None, None) => Ok(Some(Arc::default())),
        (Some(value), None) => match decoded(certificate, value) {
            Some(der) => Ok(Some(Arc::new([der]))),
            None => Err(format!(
                "the {} header holds no certificate; check x_forwarded_for_client_cert_decoders",
                certificate.header
            )),
        },
    }
}

fn decoded(certificate: &ForwardedCertificate, value: &HeaderValue) -> Option<Vec<u8>> {
    let mut bytes = value.as_bytes().to_vec();
    for decoder in &certificate.decoders {
        bytes = match decoder {
            Decoder::Url => unescaped(&bytes)?,
            Decoder::Base64 => STANDARD.decode(bytes).ok()?,
            Decoder::Pem => from_pem(&bytes)?,
            Decoder::Rfc9440 => {
                let inner = bytes.strip_prefix(b":")?.strip_suffix(b":")?;
                STANDARD.decode(inner).ok()?
            }
        };
    }
    match is_der(&bytes) {
        true => Some(bytes),
        false => STANDARD.decode(bytes).ok().filter(|bytes| is_der(bytes)),
    }
}

/// Whether it begins as all certificates do. An auth method reads the rest.
fn is_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30)
}

/// Proxies put the lines of PEM behind each other, with spaces or tabs between.
fn from_pem(bytes: &[u8]) -> Option<Vec<u8>> {
    if let Ok(der) = CertificateDer::from_pem_slice(bytes) {
        return Some(der.to_vec());
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let body = text.split("-----BEGIN CERTIFICATE-----").nth(1)?;
    let body = body.split("-----END CERTIFICATE-----").next()?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}

fn unescaped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        if *byte != b'%' {
            plain.push(*byte);
            continue;
        }
        let mut digit = || char::from(*rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        plain.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DER: &[u8] = b"\x30\x03\x02\x01\xff";
    const PEM: &str = "-----BEGIN CERTIFICATE----- MAMCAf8= -----END CERTIFICATE-----";
    const ESCAPED: &str =
        "-----BEGIN%20CERTIFICATE-----%0AMAMCAf8%3D%0A-----END%20CERTIFICATE-----%0A";

    fn seen(
        peer: &str,
        decoders: &[Decoder],
        fields: &[(&'static str, &str)],
    ) -> Result<Option<Vec<Vec<u8>>>, String> {
        let rules = ForwardedFor {
            authorized: vec!["10.0.0.0/8".parse().unwrap()],
            hop_skips: 0,
            reject_not_present: false,
            reject_not_authorized: false,
            certificate: Some(ForwardedCertificate {
                header: "client-cert".parse().unwrap(),
                decoders: decoders.to_vec(),
            }),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let found = forwarded(peer.parse().unwrap(), &rules, &headers);
        found.map(|found| found.map(|found| found.to_vec()))
    }

    #[test]
    fn trusted_proxies_pass_certificates_on() {
        for (decoders, value) in [
            (&[][..], "MAMCAf8="),
            (&[Decoder::Base64], "MAMCAf8="),
            (&[Decoder::Pem], PEM),
            (&[Decoder::Url, Decoder::Pem], ESCAPED),
            (&[Decoder::Rfc9440], ":MAMCAf8=:"),
        ] {
            let fields = [("x-forwarded-for", "1.1.1.1"), ("client-cert", value)];
            let found = seen("10.1.1.1:7", decoders, &fields);
            assert_eq!(found.unwrap().unwrap(), [DER], "{value}");
        }
    }

    #[test]
    fn a_proxys_own_certificate_is_nobodys() {
        for fields in [
            &[("x-forwarded-for", "1.1.1.1")][..],
            &[("client-cert", "MAMCAf8=")],
            &[("x-forwarded-for", "1.1.1.1"), ("client-cert", "")],
            &[],
        ] {
            let found = seen("10.1.1.1:7", &[], fields).unwrap();
            assert_eq!(found.unwrap(), Vec::<Vec<u8>>::new());
        }
    }

    #[test]
    fn nobody_else_is_believed() {
        let fields = [("x-forwarded-for", "1.1.1.1"), ("client-cert", "MAMCAf8=")];
        assert_eq!(seen("11.1.1.1:7", &[], &fields), Ok(None));
    }

    #[test]
    fn what_is_no_certificate_or_more_than_one_is_refused() {
        for value in ["nonsense", "TUlJ", "%", PEM] {
            let fields = [("x-forwarded-for", "1.1.1.1"), ("client-cert", value)];
            assert!(seen("10.1.1.1:7", &[], &fields).is_err(), "{value}");
        }
        let one = ("client-cert", "MAMCAf8=");
        let fields = [("x-forwarded-for", "1.1.1.1"), one, one];
        assert!(seen("10.1.1.1:7", &[], &fields).is_err());
    }
}
