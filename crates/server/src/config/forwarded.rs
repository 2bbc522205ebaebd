use std::net::IpAddr;

use http::HeaderName;
use ipnet::IpNet;

use super::stanza::Stanza;
use super::{Error, Warning};

/// Most networks that may be trusted to forward.
const MAX_NETWORKS: usize = 1024;
/// Most steps from a header field to a certificate.
const MAX_DECODERS: usize = 8;

/// Which proxies are believed about the client's address (`X-Forwarded-For`).
#[derive(Clone, Debug, PartialEq)]
pub struct ForwardedFor {
    /// The proxies' networks; never empty.
    pub authorized: Vec<IpNet>,
    /// How many addresses at the end of the header are proxies of one's own.
    pub hop_skips: usize,
    /// Whether a request without the header is refused.
    pub reject_not_present: bool,
    /// Whether a request with the header from elsewhere is refused.
    pub reject_not_authorized: bool,
    /// Where they say which certificate the client showed them.
    pub certificate: Option<ForwardedCertificate>,
}

/// How a proxy that ends TLS passes on a client's certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct ForwardedCertificate {
    /// The header field that it is in.
    pub header: HeaderName,
    /// What is done to the value, one after another; after that it is DER, or DER in base64.
    pub decoders: Vec<Decoder>,
}

/// One step from a header field to a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// Undoes the escapes of an address.
    Url,
    /// Undoes base64.
    Base64,
    /// Takes the certificate out of PEM. Vault's name for it is `DER`.
    Pem,
    /// Undoes a byte sequence of structured fields (RFC 9440).
    Rfc9440,
}

impl ForwardedFor {
    /// Whether the other end of a connection is a proxy that is believed.
    pub(crate) fn is_authorized(&self, peer: IpAddr) -> bool {
        let from = peer.to_canonical();
        self.authorized
            .iter()
            .any(|network| network.contains(&from))
    }
}

pub(super) fn read(
    stanza: &mut Stanza,
    warnings: &mut Vec<Warning>,
) -> Result<Option<ForwardedFor>, Error> {
    let certificate = certificate(stanza)?;
    let expected = "addresses or networks, as in \"10.0.0.0/8, 192.0.2.1\"";
    let network = |text: &str| {
        text.parse()
            .ok()
            .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    };
    let authorized: Vec<IpNet> = stanza
        .list("x_forwarded_for_authorized_addrs", expected, network)?
        .unwrap_or_default();
    let hop_skips = stanza.value("x_forwarded_for_hop_skips", "a number from 0", |value| {
        usize::try_from(value.as_i64()?).ok()
    })?;
    let reject_not_present = stanza
        .flag("x_forwarded_for_reject_not_present")?
        .unwrap_or(true);
    let reject_not_authorized = stanza
        .flag("x_forwarded_for_reject_not_authorized")?
        .unwrap_or(true);
    if authorized.len() > MAX_NETWORKS {
        let expected = format!("at most {MAX_NETWORKS} networks");
        return Err(stanza.error(
            "trusts too many proxies",
            &expected,
            "write larger networks",
        ));
    }
    if authorized.is_empty() {
        if certificate.is_some() {
            warnings.push(stanza.warning("`x_forwarded_for_client_cert_header` has no effect: nobody is believed; name the proxies in `x_forwarded_for_authorized_addrs`"));
        }
        return Ok(None);
    }
    let hop_skips = hop_skips.unwrap_or(0);
    Ok(Some(ForwardedFor {
        authorized,
        hop_skips,
        reject_not_present,
        reject_not_authorized,
        certificate,
    }))
}

fn certificate(stanza: &mut Stanza) -> Result<Option<ForwardedCertificate>, Error> {
    let header = stanza.value(
        "x_forwarded_for_client_cert_header",
        "the name of a header field",
        |value| {
            let name = value.as_text()?;
            match name.is_empty() {
                true => Some(None),
                false => HeaderName::try_from(name).ok().map(Some),
            }
        },
    )?;
    let expected = "\"URL\", \"BASE64\", \"PEM\", \"DER\" or \"RFC9440\", in the order in which they are undone";
    let ours = stanza.list("x_forwarded_for_client_cert_decoders", expected, decoder)?;
    let theirs = stanza.list(
        "x_forwarded_for_client_cert_header_decoders",
        expected,
        decoder,
    )?;
    let decoders = ours.or(theirs).unwrap_or_default();
    if decoders.len() > MAX_DECODERS {
        let expected = format!("at most {MAX_DECODERS} decoders");
        return Err(stanza.error("undoes too much", &expected, "leave out what was not done"));
    }
    let forwarded = |header| ForwardedCertificate { header, decoders };
    Ok(header.flatten().map(forwarded))
}

fn decoder(name: &str) -> Option<Decoder> {
    match name.trim().to_ascii_uppercase().as_str() {
        "URL" => Some(Decoder::Url),
        "BASE64" => Some(Decoder::Base64),
        "PEM" | "DER" => Some(Decoder::Pem),
        "RFC9440" => Some(Decoder::Rfc9440),
        _ => None,
    }
}
