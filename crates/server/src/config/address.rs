//! Where a TCP listener binds.

/// The port when an address has none.
const DEFAULT_PORT: u16 = 8200;

/// Completes an address to `host:port`: no host means every interface, no port 8200. `None` if it is none.
pub(super) fn complete(text: &str) -> Option<String> {
    let text = text.trim();
    let (host, port) = match text.rsplit_once(':') {
        _ if text.starts_with('[') && text.ends_with(']') => (text, DEFAULT_PORT),
        Some((host, port))
            if !host.contains(':') || (host.starts_with('[') && host.ends_with(']')) =>
        {
            (host, port.parse().ok()?)
        }
        Some(_) => {
            // A bare IPv6 address.
            let address: std::net::Ipv6Addr = text.parse().ok()?;
            return Some(format!("[{address}]:{DEFAULT_PORT}"));
        }
        None => (text, DEFAULT_PORT),
    };
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match (host, inside) {
        ("", _) => Some(format!("[::]:{port}")),
        (_, Some(inside)) => inside
            .parse::<std::net::Ipv6Addr>()
            .ok()
            .map(|_| format!("{host}:{port}")),
        (name, None) => {
            let plain = name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
            plain.then(|| format!("{name}:{port}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn addresses_are_completed() {
        for (given, expected) in [
            ("127.0.0.1:8200", "127.0.0.1:8200"),
            ("127.0.0.1", "127.0.0.1:8200"),
            (":8300", "[::]:8300"),
            ("[::1]:0", "[::1]:0"),
            ("[::1]", "[::1]:8200"),
            ("::1", "[::1]:8200"),
            ("localhost:1", "localhost:1"),
        ] {
            assert_eq!(complete(given).as_deref(), Some(expected), "{given}");
        }
        for wrong in [
            "{{ GetPrivateIP }}:8200",
            "a:b",
            "1.2.3.4:99999",
            "[x]:1",
            "1::2::3",
            "http://a:1",
        ] {
            assert_eq!(complete(wrong), None, "{wrong}");
        }
    }
}
