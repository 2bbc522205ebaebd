//! Which addresses are within networks.

use std::net::IpAddr;

use coffer_engine::Fault;
use coffer_wire::CommaList;
use ipnet::IpNet;

/// Networks with their prefix lengths, which single addresses have not.
pub(crate) fn blocks(list: &CommaList) -> Result<Vec<IpNet>, Fault> {
    let block = |text: &String| {
        text.parse().map_err(|_| {
            Fault::Invalid(format!(
                "failed to validate CIDR blocks: invalid CIDR address: {text:?}; write a network like 10.0.0.0/8"
            ))
        })
    };
    list.0.iter().map(block).collect()
}

/// Networks as they were written.
pub(crate) fn written(nets: &[IpNet]) -> Vec<String> {
    nets.iter().map(ToString::to_string).collect()
}

/// Whether an address is in one of the networks; without networks every address is. Who comes by no address (a Unix
/// socket) is in no network.
pub(crate) fn holds(nets: &[IpNet], client: Option<IpAddr>) -> bool {
    let client = client.map(|address| address.to_canonical());
    nets.is_empty() || client.is_some_and(|client| nets.iter().any(|net| net.contains(&client)))
}

/// Whether every one of `inner` lies within one of `outer`; without `outer` there is no bound.
pub(crate) fn within(inner: &[IpNet], outer: &[IpNet]) -> bool {
    let held = |net: &IpNet| outer.iter().any(|wide| wide.contains(net));
    outer.is_empty() || inner.iter().all(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let nets = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let at = |text: &str| Some(text.parse().unwrap());
        assert!(holds(&nets, at("10.9.9.9")) && holds(&nets, at("fd00::1")));
        assert!(
            holds(&nets, at("::ffff:10.1.2.3")),
            "the same address by IPv6"
        );
        assert!(!holds(&nets, at("11.0.0.1")) && !holds(&nets, None));
        assert!(holds(&[], None));
    }

    #[test]
    fn nets_in_nets() {
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        assert!(within(&[net("10.1.0.0/16")], &[net("10.0.0.0/8")]));
        assert!(!within(&[net("0.0.0.0/0")], &[net("10.0.0.0/8")]));
        assert!(within(&[net("0.0.0.0/0")], &[]));
    }
}
