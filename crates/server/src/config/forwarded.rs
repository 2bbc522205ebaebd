use std::net::IpAddr;

use ipnet::IpNet;

use super::Error;
use super::stanza::Stanza;

/// Most networks that may be trusted to forward.
const MAX_NETWORKS: usize = 1024;

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
}

pub(super) fn read(stanza: &mut Stanza) -> Result<Option<ForwardedFor>, Error> {
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
        return Ok(None);
    }
    let hop_skips = hop_skips.unwrap_or(0);
    Ok(Some(ForwardedFor {
        authorized,
        hop_skips,
        reject_not_present,
        reject_not_authorized,
    }))
}
