//! The page's files, and what a browser may do with them.

use bytes::Bytes;
use hyper::Response;
use hyper::header::HeaderValue;

use super::Body;

const FILES: &[(&str, &str, &str)] = &[
    (
        "/",
        "text/html; charset=utf-8",
        include_str!("../../page/index.html"),
    ),
    (
        "/page.css",
        "text/css; charset=utf-8",
        include_str!("../../page/page.css"),
    ),
    (
        "/page.js",
        "text/javascript; charset=utf-8",
        include_str!("../../page/page.js"),
    ),
    (
        "/icon.svg",
        "image/svg+xml",
        include_str!("../../page/icon.svg"),
    ),
];

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// The media type and content of one of the page's files.
pub fn file(path: &str) -> Option<(&'static str, Bytes)> {
    let (_, media, content) = FILES.iter().find(|(name, ..)| *name == path)?;
    Some((media, Bytes::from_static(content.as_bytes())))
}

/// Adds what a browser may do.
pub fn with_policy(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert("content-security-policy", HeaderValue::from_static(POLICY));
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        for (name, _, content) in FILES {
            assert!(!content.contains("style="), "{name}");
            assert!(!content.contains("https://"), "{name}");
            assert!(!content.contains("innerHTML"), "{name}");
        }
        let (_, page) = file("/").unwrap();
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script src=").count()
        );
        assert!(!page.contains("<style"));
    }
}
