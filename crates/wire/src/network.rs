//! Networks of addresses, as clients write and read them.

use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;

/// A text that names no network.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "error parsing address {0:?}: it is neither an IPv4 or IPv6 address nor a network like 10.0.0.0/8"
)]
pub struct NetworkError(String);

/// Networks, or single addresses, which are networks of one.
pub fn parse_networks<'a>(
    texts: impl IntoIterator<Item = &'a String>,
) -> Result<Vec<IpNet>, NetworkError> {
    let network = |text: &String| {
        let net = text.parse::<IpNet>().ok();
        let net = net.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        net.ok_or_else(|| NetworkError(text.clone()))
    };
    texts.into_iter().map(network).collect()
}

/// Networks as text; a single address without its prefix length.
pub fn format_networks(nets: &[IpNet]) -> Vec<String> {
    let shown = |net: &IpNet| {
        if net.prefix_len() == net.max_prefix_len() {
            net.addr().to_string()
        } else {
            net.to_string()
        }
    };
    nets.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_networks_of_one() {
        let texts = ["10.0.0.0/8", "127.0.0.1", "::1", "127.0.0.1/32"].map(str::to_owned);
        let nets = parse_networks(&texts).unwrap();
        assert_eq!(
            format_networks(&nets),
            ["10.0.0.0/8", "127.0.0.1", "::1", "127.0.0.1"]
        );
    }

    #[test]
    fn what_is_none_is_named() {
        for text in [
            "nonsense",
            "10.0.0.0/33",
            "1.2.3",
            "10.0.0.1/",
            "fe80::1%eth0",
        ] {
            let error = parse_networks(&[text.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(text));
        }
    }
}
