//! Where people may be sent back to.

use url::{Host, Url};

/// Whether a role lets people be sent back there. Addresses are compared as they are written; where one is this
/// machine's own, the port may be any (RFC 8252 section 7.3): programs that listen for an answer take a free one.
pub(super) fn is_allowed(allowed: &[String], asked: &str) -> bool {
    let same = |allowed: &String| allowed == asked || same_but_port(allowed, asked);
    allowed.iter().any(same)
}

/// The namespace that an address names in its query, and the address without it.
pub(super) fn without_namespace(address: &str) -> Option<(String, String)> {
    let mut url = Url::parse(address).ok()?;
    let (named, others): (Vec<_>, Vec<_>) = url
        .query_pairs()
        .into_owned()
        .partition(|(name, _)| name == "namespace");
    let (_, namespace) = named.into_iter().find(|(_, value)| !value.is_empty())?;
    url.set_query(None);
    if !others.is_empty() {
        url.query_pairs_mut().extend_pairs(others);
    }
    Some((namespace, url.into()))
}

/// Whether an address is one of ours: that of the callback of the mount at this path.
pub(super) fn is_callback_of(mount: &str, address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let path = url.path();
    path.starts_with("/v1/") && path.ends_with(&format!("/{mount}oidc/callback"))
}

fn same_but_port(allowed: &str, asked: &str) -> bool {
    let (Some(mut allowed), Some(mut asked)) = (local(allowed), local(asked)) else {
        return false;
    };
    allowed.set_port(None).is_ok() && asked.set_port(None).is_ok() && allowed == asked
}

/// An address of this machine's own, that nobody's name or password is in, and that is written as it is meant.
fn local(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let is_as_written = url.as_str() == address;
    let is_local = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.octets() == [127, 0, 0, 1],
        Host::Ipv6(address) => address.is_loopback(),
    };
    let is_plain = url.username().is_empty() && url.password().is_none();
    (is_as_written && is_local && is_plain && matches!(url.scheme(), "http" | "https"))
        .then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_allowed() {
        let allowed = [
            "http://localhost:8250/oidc/callback".to_owned(),
            "https://app.example/back?x=1".to_owned(),
            "http://127.0.0.1/cb".to_owned(),
        ];
        for (asked, fine) in [
            ("http://localhost:8250/oidc/callback", true),
            ("http://localhost:9999/oidc/callback", true),
            ("http://localhost/oidc/callback", true),
            ("http://localhost:9999/oidc/callback?x=1", false),
            ("http://localhost:9999/oidc/callback#x", false),
            ("http://localhost:9999/oidc/callback/", false),
            ("https://localhost:8250/oidc/callback", false),
            ("http://127.0.0.1:8250/oidc/callback", false),
            ("http://127.0.0.1:5/cb", true),
            ("http://127.0.0.2:5/cb", false),
            ("http://localhost.evil.example:8250/oidc/callback", false),
            ("http://evil@localhost:8250/oidc/callback", false),
            ("http://localhost:8250@evil.example/oidc/callback", false),
            ("http://localhost:8250/oidc/../oidc/callback", false),
            ("http://localhost:82\n50/oidc/callback", false),
            (" http://localhost:1/oidc/callback", false),
            ("https://app.example/back?x=1", true),
            ("https://app.example:443/back?x=1", false),
            ("https://app.example/back", false),
            ("https://APP.example/back?x=1", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(&allowed, asked), fine, "{asked}");
        }
        assert!(!is_allowed(&[], "http://localhost/"));
    }

    #[test]
    fn namespaces_are_taken_out() {
        let taken = without_namespace("http://localhost/x?a=b&namespace=team%2Fa");
        assert_eq!(
            taken.unwrap(),
            ("team/a".into(), "http://localhost/x?a=b".into())
        );
        let taken = without_namespace("http://localhost/x?namespace=ns1");
        assert_eq!(taken.unwrap(), ("ns1".into(), "http://localhost/x".into()));
        assert_eq!(without_namespace("http://localhost/x?namespace="), None);
        assert_eq!(without_namespace("nonsense"), None);
    }

    #[test]
    fn our_own_callback() {
        let ours = |address| is_callback_of("auth/oidc/", address);
        assert!(ours("https://h:8200/v1/auth/oidc/oidc/callback"));
        assert!(ours("https://h:8200/v1/ns1/auth/oidc/oidc/callback"));
        assert!(!ours("http://localhost:8250/oidc/callback"));
        assert!(!ours("https://h/v1/auth/other/oidc/callback"));
    }
}
