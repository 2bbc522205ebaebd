//! How a client wants its events.

use http::header::{ACCEPT, HeaderMap};
use http::request::Parts;
use http::{Method, StatusCode};
use url::form_urlencoded;

use super::handshake::{self, Handshake};
use super::origin;
use crate::http::cors::Admitted;
use crate::http::request;
use crate::http::response::Answer;

/// Where streams begin, below a namespace or not.
const PLACE: &str = "sys/events/subscribe/";
/// Where a browser says which event it has seen last.
const LAST_EVENT_ID: &str = "last-event-id";
/// The longest position that is looked at.
const MAX_POSITION_BYTES: usize = 64;

/// The form of a stream.
#[derive(Debug)]
pub(in crate::http) enum Asked {
    /// A WebSocket.
    WebSocket(Handshake),
    /// Server-Sent Events, after the one that was seen last.
    Sse {
        /// The position, if one is named in the head.
        since: Option<String>,
    },
}

impl Asked {
    /// Looks whether a request is for events; the error is the answer to one that can not be served. A secret may have a
    /// path that looks like this one: whatever the kernel then answers goes out as it is.
    pub(in crate::http) fn read(
        head: &Parts,
        path: &str,
        admitted: Option<&Admitted>,
    ) -> Result<Option<Self>, Answer> {
        let below_namespace = || path.contains("/sys/events/subscribe/");
        if head.method != Method::GET || !(path.starts_with(PLACE) || below_namespace()) {
            return Ok(None);
        }
        if handshake::is_wanted(&head.headers) {
            let handshake = Handshake::read(&head.headers)?;
            origin::admit(head, admitted)?;
            if !is_json(head.uri.query().unwrap_or_default()) {
                let text = "events are sent as JSON only; add ?json=true to the address";
                return Err(Answer::error(StatusCode::BAD_REQUEST, text));
            }
            return Ok(Some(Self::WebSocket(handshake)));
        }
        if !accepts_events(&head.headers) {
            return Ok(None);
        }
        let since = request::text(&head.headers, LAST_EVENT_ID).filter(|id| !id.is_empty());
        if since.is_some_and(|id| id.len() > MAX_POSITION_BYTES) {
            let text = "the header Last-Event-ID is not the id of an event";
            return Err(Answer::error(StatusCode::BAD_REQUEST, text));
        }
        Ok(Some(Self::Sse {
            since: since.map(str::to_owned),
        }))
    }

    /// What the head says beside the query about where to begin: a browser that comes back repeats the query of its first
    /// visit, so the header wins.
    pub(in crate::http) fn since(&self) -> Option<&str> {
        match self {
            Self::Sse { since } => since.as_deref(),
            Self::WebSocket(_) => None,
        }
    }
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let all = headers.get_all(ACCEPT).into_iter();
    let mut kinds = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    kinds.any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/event-stream")
    })
}

fn is_json(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
        name == "json" && matches!(&*value, "1" | "t" | "T" | "true" | "True" | "TRUE")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(target: &str, headers: &[(&str, &str)]) -> Result<Option<Asked>, u16> {
        let mut request = http::Request::builder().uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let head = request.body(()).unwrap().into_parts().0;
        let path = head.uri.path().trim_start_matches("/v1/").to_owned();
        Asked::read(&head, &path, None).map_err(|answer| answer.status.as_u16())
    }

    const UPGRADE: [(&str, &str); 4] = [
        ("upgrade", "websocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
    ];

    #[test]
    fn only_streams_of_events_are_looked_at() {
        assert!(asked("/v1/secret/data/app", &UPGRADE).unwrap().is_none());
        for target in [
            "/v1/sys/events/subscribe/*",
            "/v1/ns/sys/events/subscribe/kv*",
        ] {
            assert!(
                matches!(asked(target, &[]), Ok(None)),
                "the kernel says what is missing"
            );
            let json = format!("{target}?json=true");
            assert!(matches!(
                asked(&json, &UPGRADE),
                Ok(Some(Asked::WebSocket(_)))
            ));
        }
    }

    #[test]
    fn protobuf_and_foreign_origins_are_refused() {
        let target = "/v1/sys/events/subscribe/*?json=true";
        assert_eq!(
            asked("/v1/sys/events/subscribe/*", &UPGRADE).unwrap_err(),
            400
        );
        let with = |origin| {
            let mut headers = UPGRADE.to_vec();
            headers.extend([("host", "coffer.example:8200"), ("origin", origin)]);
            asked(target, &headers).map_or_else(|status| status, |_| 101)
        };
        assert_eq!(with("https://coffer.example:8200"), 101);
        assert_eq!(with("https://evil.example"), 403);
        assert_eq!(with("null"), 403);
    }

    #[test]
    fn what_was_seen_last_counts() {
        let target = "/v1/sys/events/subscribe/*?since=a";
        let accept = ("accept", "text/html, Text/Event-Stream;q=0.9");
        let since = |headers: &[(&str, &str)]| {
            let asked = asked(target, headers).unwrap().unwrap();
            asked.since().map(str::to_owned)
        };
        assert_eq!(since(&[accept]), None);
        assert_eq!(since(&[accept, ("last-event-id", "b")]), Some("b".into()));
    }
}
