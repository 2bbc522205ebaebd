//! Whose page opens a WebSocket. Browsers let every page open one and send its origin along; whether that page may is
//! for the server to say (RFC 6455, section 10.2).

use http::StatusCode;
use http::header::{HOST, ORIGIN};
use http::request::Parts;

use crate::http::cors::Admitted;
use crate::http::response::Answer;

/// Lets a request pass that no page makes, one of this server's own pages, or one of a page that `sys/config/cors` admits.
pub(super) fn admit(head: &Parts, admitted: Option<&Admitted>) -> Result<(), Answer> {
    if admitted.is_some() || !head.headers.contains_key(ORIGIN) || is_own(head) {
        return Ok(());
    }
    let text = "origin not allowed: pages of other servers need to be named in sys/config/cors";
    Err(Answer::error(StatusCode::FORBIDDEN, text))
}

/// Whether a request comes from a page of this server: its origin is one, and the host that was asked.
pub(in crate::http) fn is_own(head: &Parts) -> bool {
    let mut origins = head.headers.get_all(ORIGIN).into_iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return false;
    };
    let origin = origin.to_str().unwrap_or_default();
    let page = origin
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "http" | "https"));
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| head.uri.authority().map(|authority| authority.as_str()));
    match (page, host) {
        (Some((scheme, page)), Some(host)) => {
            !host.is_empty() && bare(page, scheme).eq_ignore_ascii_case(bare(host, scheme))
        }
        _ => false,
    }
}

/// A host without the port that its scheme has anyway.
fn bare<'a>(host: &'a str, scheme: &str) -> &'a str {
    let port = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(port).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_server_are_told_from_others() {
        let own = |host: &str, origin: &str| {
            let request = http::Request::builder()
                .header("host", host)
                .header("origin", origin);
            is_own(&request.body(()).unwrap().into_parts().0)
        };
        assert!(own("a.example:8200", "https://A.example:8200"));
        assert!(
            own("a.example:443", "https://a.example") && own("[::1]:8200", "http://[::1]:8200")
        );
        for (host, origin) in [
            ("a.example:8200", "https://b.example:8200"),
            ("a.example:8200", "https://a.example:8201"),
            ("a.example:8200", "https://a.example:8200.b.example"),
            ("a.example:8200", "https://a.example:8200/"),
            ("a.example:8200", "file://a.example:8200"),
            ("a.example:8200", "null"),
            ("null", "null"),
            ("", "http://"),
        ] {
            assert!(!own(host, origin), "{host} {origin}");
        }
    }
}
