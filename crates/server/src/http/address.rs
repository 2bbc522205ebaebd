//! Where a request comes from, when a proxy stands before this server.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use crate::config::ForwardedFor;

pub(super) const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address: that of the connection, or what a trusted proxy says. The error is for the client.
pub(super) fn client(
    peer: SocketAddr,
    rules: &ForwardedFor,
    headers: &HeaderMap,
) -> Result<SocketAddr, String> {
    if !headers.contains_key(FORWARDED_FOR) {
        return match rules.reject_not_present {
            true => Err("this listener takes requests from proxies only and the X-Forwarded-For header is missing".into()),
            false => Ok(peer),
        };
    }
    if !rules.is_authorized(peer.ip()) {
        return match rules.reject_not_authorized {
            true => Err(
                "the X-Forwarded-For header is accepted from the configured proxies only".into(),
            ),
            false => Ok(peer),
        };
    }
    let hops = hops(headers)?;
    let index = hops.len().checked_sub(rules.hop_skips.saturating_add(1));
    let hop = index.and_then(|index| hops.get(index)).ok_or_else(|| {
        format!("X-Forwarded-For holds {} addresses, too few to skip {}; check x_forwarded_for_hop_skips", hops.len(), rules.hop_skips)
    })?;
    let address = address(hop).ok_or("X-Forwarded-For holds something that is no address")?;
    Ok(SocketAddr::new(address, peer.port()))
}

/// All addresses of all such headers, the nearest proxy's last.
fn hops(headers: &HeaderMap) -> Result<Vec<&str>, String> {
    let mut hops = Vec::new();
    for value in headers.get_all(FORWARDED_FOR) {
        let text = value
            .to_str()
            .map_err(|_| "X-Forwarded-For is not plain text")?;
        hops.extend(text.split(',').map(str::trim));
    }
    Ok(hops)
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> ForwardedFor {
        ForwardedFor {
            authorized: vec!["10.0.0.0/8".parse().unwrap()],
            hop_skips: 0,
            reject_not_present: true,
            reject_not_authorized: true,
            certificate: None,
        }
    }

    fn seen(peer: &str, rules: &ForwardedFor, header: &[&str]) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for value in header {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        client(peer.parse().unwrap(), rules, &headers).map(|address| address.to_string())
    }

    #[test]
    fn trusted_proxies_are_believed() {
        assert_eq!(
            seen("10.1.1.1:7", &rules(), &["1.1.1.1, 2.2.2.2"]).unwrap(),
            "2.2.2.2:7"
        );
        let skip = ForwardedFor {
            hop_skips: 1,
            ..rules()
        };
        assert_eq!(
            seen("10.1.1.1:7", &skip, &["1.1.1.1", "2.2.2.2"]).unwrap(),
            "1.1.1.1:7"
        );
        assert_eq!(
            seen("[::ffff:10.1.1.1]:7", &rules(), &["::1"]).unwrap(),
            "[::1]:7"
        );
    }

    #[test]
    fn others_are_refused_or_taken_as_they_are() {
        assert!(seen("11.1.1.1:7", &rules(), &["1.1.1.1"]).is_err());
        assert!(seen("10.1.1.1:7", &rules(), &[]).is_err());
        assert!(seen("10.1.1.1:7", &rules(), &["nonsense"]).is_err());
        assert!(
            seen(
                "10.1.1.1:7",
                &ForwardedFor {
                    hop_skips: 2,
                    ..rules()
                },
                &["1.1.1.1"]
            )
            .is_err()
        );
        let lenient = ForwardedFor {
            reject_not_present: false,
            reject_not_authorized: false,
            ..rules()
        };
        assert_eq!(
            seen("11.1.1.1:7", &lenient, &["1.1.1.1"]).unwrap(),
            "11.1.1.1:7"
        );
        assert_eq!(seen("11.1.1.1:7", &lenient, &[]).unwrap(), "11.1.1.1:7");
    }
}
