//! The dashboard's files at `/ui/`.

use bytes::Bytes;
use coffer_dashboard::{CALLBACK, File, INDEX};
use coffer_kernel::ui_headers::UiHeaders;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::outgoing::Outgoing;
use super::response::{Answer, field};

/// Where the dashboard is.
const ROOT: &str = "/ui/";
/// What every answer below `/ui/` tells browsers, whatever it is. `style-src` and `script-src` allow files of this server and
/// nothing inline; no page may frame this one; its script can not make markup out of text.
const OF_THE_DASHBOARD: [(HeaderName, HeaderValue); 7] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        ),
    ),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    // The window that signs in at an identity provider may be opened; pages that open this one get no hold of it.
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin-allow-popups"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-read=(), clipboard-write=(self)",
        ),
    ),
];

/// Whether a path is one of the dashboard's.
pub(super) fn concerns(path: &str) -> bool {
    path == "/ui" || path.starts_with(ROOT)
}

/// The answer to a request for the dashboard; none for other paths.
pub(super) fn answer(head: &Parts) -> Option<http::Response<Outgoing>> {
    let path = head.uri.path();
    let is_asked = matches!(head.method, Method::GET | Method::HEAD);
    if path == "/" && is_asked {
        return Some(Answer::redirect(ROOT).into_http());
    }
    if !concerns(path) {
        return None;
    }
    let mut response = if is_asked {
        found(path, &head.headers)
    } else {
        let mut response = Answer::silent(StatusCode::METHOD_NOT_ALLOWED).into_http();
        let methods = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, methods);
        response
    };
    response.headers_mut().extend(OF_THE_DASHBOARD);
    Some(response)
}

/// Sets the operators' own headers in place of those of the same name.
pub(super) fn decorate(headers: &UiHeaders, response: &mut HeaderMap) {
    for (name, values) in headers.all().iter() {
        let mut fields = values.iter().filter_map(|value| field(name, value));
        if let Some((name, value)) = fields.next() {
            response.insert(name, value);
        }
        for (name, value) in fields {
            response.append(name, value);
        }
    }
}

fn found(path: &str, headers: &HeaderMap) -> http::Response<Outgoing> {
    let Some(rest) = path.strip_prefix(ROOT) else {
        return Answer::redirect(ROOT).into_http();
    };
    let file = match rest {
        "" => coffer_dashboard::file(INDEX),
        rest if is_callback(rest) => {
            coffer_dashboard::file(CALLBACK).or_else(|| coffer_dashboard::file(INDEX))
        }
        rest => coffer_dashboard::file(rest),
    };
    match file {
        Some(file) => sent(file, headers),
        None => Answer::silent(StatusCode::NOT_FOUND).into_http(),
    }
}

/// Whether identity providers send people back to this path: `vault/auth/MOUNT/oidc/callback`, as it is registered for Vault.
fn is_callback(rest: &str) -> bool {
    let mount = rest
        .strip_prefix("vault/auth/")
        .and_then(|rest| rest.strip_suffix("/oidc/callback"));
    mount.is_some_and(|mount| !mount.is_empty())
}

fn sent(file: &'static File, headers: &HeaderMap) -> http::Response<Outgoing> {
    let (encoding, bytes) = variant(file, headers);
    let tag = match encoding {
        Some(encoding) => format!("\"{}-{encoding}\"", file.tag),
        None => format!("\"{}\"", file.tag),
    };
    let mut answer = Answer::empty(StatusCode::OK);
    if is_known(&tag, headers) {
        answer.status = StatusCode::NOT_MODIFIED;
    } else {
        answer.body = Outgoing::Whole(Bytes::from_static(bytes));
    }
    let mut response = answer.into_http();
    let is_sent = response.status() == StatusCode::OK;
    let to = response.headers_mut();
    to.insert(CACHE_CONTROL, keeping(file));
    to.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        to.insert(ETAG, tag);
    }
    if is_sent {
        to.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
        if let Some(encoding) = encoding {
            to.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    response
}

/// Files whose names change with their contents are kept for a year, the others asked for each time.
fn keeping(file: &File) -> HeaderValue {
    HeaderValue::from_static(if file.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    })
}

/// The smallest form that the client takes.
fn variant(file: &'static File, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    let takes = |name: &str| takes(headers, name);
    match (file.br, file.gz) {
        (Some(bytes), _) if takes("br") => (Some("br"), bytes),
        (_, Some(bytes)) if takes("gzip") => (Some("gzip"), bytes),
        _ => (None, file.plain),
    }
}

/// Whether Accept-Encoding names an encoding, and not with a quality of zero.
fn takes(headers: &HeaderMap, name: &str) -> bool {
    let lists = headers.get_all(ACCEPT_ENCODING).iter();
    let items = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    for item in items {
        let (encoding, parameters) = item.split_once(';').unwrap_or((item, ""));
        if encoding.trim().eq_ignore_ascii_case(name) {
            let quality = parameters.trim().strip_prefix("q=").map(str::trim);
            return quality
                .and_then(|text| text.parse::<f32>().ok())
                .is_none_or(|q| q > 0.0);
        }
    }
    false
}

/// Whether the client has it already.
fn is_known(tag: &str, headers: &HeaderMap) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter();
    let mut tags = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    tags.any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, path: &str, headers: &[(&str, &str)]) -> http::Response<Outgoing> {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(&request.body(()).unwrap().into_parts().0).unwrap()
    }

    fn header<'a>(response: &'a http::Response<Outgoing>, name: &str) -> &'a str {
        response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn the_page_is_sent_with_every_precaution() {
        let page = asked("GET", "/ui/", &[]);
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&page, "cache-control"), "no-cache");
        assert_eq!(header(&page, "x-frame-options"), "DENY");
        assert_eq!(header(&page, "x-content-type-options"), "nosniff");
        assert_eq!(header(&page, "referrer-policy"), "no-referrer");
        assert_eq!(
            header(&page, "cross-origin-opener-policy"),
            "same-origin-allow-popups"
        );
        assert_eq!(
            page.headers()
                .get_all("content-security-policy")
                .iter()
                .count(),
            1
        );
        let policy = header(&page, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"));
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"));
        assert!(page.body().whole().starts_with(b"<!doctype html>"));
    }

    #[test]
    fn who_has_a_file_is_not_sent_it_again() {
        for file in coffer_dashboard::files() {
            let path = format!("/ui/{}", file.path);
            for encodings in ["", "gzip, deflate", "br;q=1.0, gzip;q=0.8"] {
                let first = asked("GET", &path, &[("accept-encoding", encodings)]);
                assert_eq!(first.status(), StatusCode::OK, "{path}");
                let tag = header(&first, "etag").to_owned();
                let weak = format!("\"other\", W/{tag}");
                let again = asked(
                    "GET",
                    &path,
                    &[("accept-encoding", encodings), ("if-none-match", &weak)],
                );
                assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
                assert!(again.body().whole().is_empty());
                assert_eq!(header(&again, "etag"), tag);
                let changed = asked(
                    "GET",
                    &path,
                    &[
                        ("accept-encoding", encodings),
                        ("if-none-match", "\"other\""),
                    ],
                );
                assert_eq!(changed.status(), StatusCode::OK);
                assert_eq!(
                    header(&changed, "cache-control").contains("immutable"),
                    file.immutable
                );
            }
        }
    }

    #[test]
    fn only_encodings_that_a_client_takes_are_used() {
        let Some(file) = coffer_dashboard::files()
            .iter()
            .find(|file| file.br.is_some() && file.gz.is_some())
        else {
            return; // A binary without the dashboard has nothing that is compressed.
        };
        let path = format!("/ui/{}", file.path);
        for (accepted, used, bytes) in [
            ("gzip, br", "br", file.br.unwrap()),
            ("gzip;q=1, br;q=0", "gzip", file.gz.unwrap()),
            ("GZIP", "gzip", file.gz.unwrap()),
            ("br; q=0.000, gzip; q=0", "", file.plain),
            ("identity", "", file.plain),
            ("brr, xgzip", "", file.plain),
        ] {
            let answer = asked("GET", &path, &[("accept-encoding", accepted)]);
            assert_eq!(header(&answer, "content-encoding"), used, "{accepted}");
            assert_eq!(answer.body().whole(), bytes, "{accepted}");
            assert_eq!(header(&answer, "vary"), "Accept-Encoding");
        }
    }

    #[test]
    fn nothing_but_the_files_is_reached() {
        for path in [
            "/ui/../Cargo.toml",
            "/ui/../v1/sys/health",
            "/ui/%2e%2e/%2e%2e/etc/passwd",
            "/ui/..%2f..%2fetc/passwd",
            "/ui/assets/",
            "/ui/assets/../index.html",
            "/ui//index.html",
            "/ui/index.html/",
            "/ui/index.html%00.png",
            "/ui/index.html.br",
            "/ui/secrets",
            "/ui/vault/auth//oidc/callback",
            "/ui/vault/auth/oidc/oidc/callback/more",
            "/ui/vault/secrets",
        ] {
            let answer = asked("GET", path, &[]);
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            assert!(header(&answer, "content-security-policy").contains("default-src 'none'"));
        }
    }

    #[test]
    fn people_who_come_back_from_their_provider_find_a_page() {
        for path in [
            "/ui/vault/auth/oidc/oidc/callback?code=a&state=b",
            "/ui/vault/auth/team/eu/oidc/callback",
        ] {
            let answer = asked("GET", path, &[]);
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            assert_eq!(header(&answer, "cache-control"), "no-cache");
        }
    }

    #[test]
    fn the_beginning_leads_to_the_page_and_nothing_can_be_written_there() {
        for path in ["/", "/ui"] {
            let answer = asked("GET", path, &[]);
            assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
            assert_eq!(header(&answer, "location"), "/ui/");
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "LIST"] {
            let answer = asked(method, "/ui/", &[]);
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert_eq!(header(&answer, "allow"), "GET, HEAD");
        }
        let parts = |path: &str| http::Request::get(path).body(()).unwrap().into_parts().0;
        assert!(answer(&parts("/v1/sys/health")).is_none() && answer(&parts("/uix")).is_none());
    }
}
