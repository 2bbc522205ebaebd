//! Pages of other origins: who may read answers, and what browsers ask before they send a request
//! (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use std::sync::Arc;

use coffer_kernel::Kernel;
use coffer_kernel::cors::CorsRules;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use super::events;
use super::response::Answer;

/// The methods that pages may use.
const METHODS: &str = "DELETE,GET,OPTIONS,POST,PUT,LIST,SCAN";
/// For how long browsers may remember what they were told.
const MAX_AGE_SECS: u64 = 300;

/// A request of a page that may come.
pub(super) struct Admitted {
    rules: Arc<CorsRules>,
    origin: HeaderValue,
}

impl Admitted {
    /// Looks at the origin, where the request names one and rules are in force. The error is the answer. Pages of this
    /// server, which name it too when they write, are none of another origin.
    pub(super) fn look(kernel: &Kernel, head: &Parts) -> Result<Option<Self>, Answer> {
        let Some(origin) = head.headers.get(ORIGIN) else {
            return Ok(None);
        };
        // While the server is sealed nobody knows the rules, and nothing secret is answered.
        let rules = kernel.core().ok().and_then(|core| core.cors.rules());
        let Some(rules) = rules else {
            return Ok(None);
        };
        if events::is_own(head) && !origin.to_str().is_ok_and(|origin| rules.admit(origin)) {
            return Ok(None);
        }
        match origin.to_str().is_ok_and(|origin| rules.admit(origin)) {
            true => Ok(Some(Self {
                rules,
                origin: origin.clone(),
            })),
            false => Err(Answer::error(StatusCode::FORBIDDEN, "origin not allowed")),
        }
    }

    /// The answer to what a browser asks before it sends a request; none for the request itself.
    pub(super) fn preflight(&self, head: &Parts) -> Option<Answer> {
        if head.method != Method::OPTIONS {
            return None;
        }
        let method = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD);
        let method = method.and_then(|method| method.to_str().ok());
        let known = method.is_some_and(|method| METHODS.split(',').any(|known| known == method));
        if !known {
            return Some(Answer::empty(StatusCode::METHOD_NOT_ALLOWED));
        }
        let mut answer = Answer::empty(StatusCode::OK);
        let headers: Vec<&str> = self.rules.all_headers().collect();
        if let Ok(headers) = HeaderValue::from_str(&headers.join(",")) {
            answer.more.push((ACCESS_CONTROL_ALLOW_HEADERS, headers));
        }
        let methods = HeaderValue::from_static(METHODS);
        answer.more.push((ACCESS_CONTROL_ALLOW_METHODS, methods));
        answer
            .more
            .push((ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECS.into()));
        Some(answer)
    }

    /// Tells the browser that the page may read the answer.
    pub(super) fn admit(&self, answer: &mut Answer) {
        let vary = HeaderValue::from_static("Origin");
        answer
            .more
            .push((ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone()));
        answer.more.push((VARY, vary));
        if self.rules.credentials {
            let yes = HeaderValue::from_static("true");
            answer.more.push((ACCESS_CONTROL_ALLOW_CREDENTIALS, yes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_servers_own_page_needs_no_leave() {
        let own = |origin: &str, host: &str| {
            let request = http::Request::get("/v1/sys/health").header("host", host);
            let request = request.header("origin", origin);
            events::is_own(&request.body(()).unwrap().into_parts().0)
        };
        assert!(own("http://127.0.0.1:8200", "127.0.0.1:8200"));
        assert!(own("https://coffer.example", "coffer.example"));
        for (origin, host) in [
            ("http://evil.example", "coffer.example"),
            ("http://coffer.example.evil.example", "coffer.example"),
            ("http://coffer.example:1234", "coffer.example"),
            ("null", "null"),
            ("", ""),
            ("ftp://coffer.example", "coffer.example"),
        ] {
            assert!(!own(origin, host), "{origin}");
        }
    }
}
