//! Addresses of other servers, as operators write them.

use coffer_engine::Fault;
use url::{Host, Url};

/// The address of a server: https where none is said, and nothing in it but scheme, host, port and path. `field` names
/// it for whoever wrote it.
pub(crate) fn base(field: &str, text: &str) -> Result<Url, Fault> {
    let wrong = || {
        Fault::Invalid(format!(
            "{field} is to be a host, a host and a port, or an address like https://host:port"
        ))
    };
    let whole = match text.contains("://") {
        true => text.to_owned(),
        false => format!("https://{text}"),
    };
    if whole.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(wrong());
    }
    let url = Url::parse(&whole).map_err(|_| wrong())?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match bare && url.has_host() && matches!(url.scheme(), "http" | "https") {
        true => Ok(url),
        false => Err(wrong()),
    }
}

/// Whether an address is of this machine itself, where nobody is in between.
pub(crate) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The address of what these segments lead to, below that of a server. None of them can lead elsewhere.
pub(crate) fn below(base: &Url, segments: &[&str]) -> Result<String, Fault> {
    let mut url = base.clone();
    let wrong = |()| Fault::invalid("this is no address of a server");
    url.path_segments_mut()
        .map_err(wrong)?
        .pop_if_empty()
        .extend(segments);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_server_and_a_path() {
        for (text, whole) in [
            ("h", "https://h/"),
            ("h:1", "https://h:1/"),
            ("http://[::1]:1/base/", "http://[::1]:1/base/"),
        ] {
            assert_eq!(base("x", text).unwrap().as_str(), whole);
        }
        for wrong in [
            "",
            "://",
            "ftp://h",
            "https://u@h",
            "https://u:p@h",
            "https://h?x",
            "https://h#x",
            "a b",
            "h\n",
            "file:///etc/passwd",
            "https://",
        ] {
            assert!(base("x", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn segments_stay_segments() {
        let base = base("x", "https://h/base/").unwrap();
        let at = |name: &str| below(&base, &["a", name]).unwrap();
        assert_eq!(at("x"), "https://h/base/a/x");
        assert_eq!(at("x/../y?z#w"), "https://h/base/a/x%2F..%2Fy%3Fz%23w");
        assert_eq!(at(".."), "https://h/base/a", "a step up is none");
        assert_eq!(at("%2e%2e"), "https://h/base/a/%252e%252e");
    }
}
