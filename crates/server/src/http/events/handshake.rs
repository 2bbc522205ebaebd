//! The opening handshake of a WebSocket (RFC 6455, section 4.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::http::response::Answer;

/// What the protocol appends to a key, so that only a server that knows it answers right.
const PROTOCOLS_OWN: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The one version there is.
const VERSION: &str = "13";
/// Bytes of a key.
const KEY_BYTES: usize = 16;

/// A handshake in order.
#[derive(Debug)]
pub(in crate::http) struct Handshake {
    accept: HeaderValue,
}

/// Whether the head asks for a WebSocket.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    has_word(headers, UPGRADE, "websocket")
}

impl Handshake {
    /// Reads a head that asks for a WebSocket; the error is the answer.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Answer> {
        let refuse = |text| Err(Answer::error(StatusCode::BAD_REQUEST, text));
        if !has_word(headers, CONNECTION, "upgrade") {
            return refuse("a WebSocket begins with Connection: Upgrade");
        }
        let has_length = headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length != "0");
        if has_length || headers.contains_key(TRANSFER_ENCODING) {
            return refuse("a WebSocket begins with a request that has no body");
        }
        let versions = headers.get_all(SEC_WEBSOCKET_VERSION).into_iter();
        if versions.map(HeaderValue::as_bytes).ne([VERSION.as_bytes()]) {
            return Err(other_version());
        }
        let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).into_iter();
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return refuse("a WebSocket begins with one Sec-WebSocket-Key");
        };
        match accept(key.as_bytes()) {
            Some(accept) => Ok(Self { accept }),
            None => refuse("Sec-WebSocket-Key is the base64 of 16 bytes"),
        }
    }

    /// The answer that takes it up.
    pub(super) fn accepted(&self) -> Answer {
        let mut answer = Answer::empty(StatusCode::SWITCHING_PROTOCOLS);
        answer.more.extend([
            (CONNECTION, HeaderValue::from_static("Upgrade")),
            (UPGRADE, HeaderValue::from_static("websocket")),
            (SEC_WEBSOCKET_ACCEPT, self.accept.clone()),
        ]);
        answer
    }
}

/// What proves that we understood.
fn accept(key: &[u8]) -> Option<HeaderValue> {
    let decoded = STANDARD.decode(key).ok()?;
    if decoded.len() != KEY_BYTES {
        return None;
    }
    let hash = coffer_crypto::sha1(&[key, PROTOCOLS_OWN.as_bytes()].concat());
    HeaderValue::from_str(&STANDARD.encode(hash)).ok()
}

fn other_version() -> Answer {
    let text =
        "of the WebSocket protocol there is version 13 here; ask with Sec-WebSocket-Version: 13";
    let mut answer = Answer::error(StatusCode::UPGRADE_REQUIRED, text);
    answer.more.extend([
        (SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION)),
        (UPGRADE, HeaderValue::from_static("websocket")),
    ]);
    answer
}

/// Whether a list field holds a word, in any case.
fn has_word(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let all = headers.get_all(name).into_iter();
    let mut words = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    words.any(|one| one.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("upgrade", "WebSocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
    ];

    fn read(headers: &[(&str, &str)]) -> Result<Handshake, u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        assert!(is_wanted(&map));
        Handshake::read(&map).map_err(|answer| answer.status.as_u16())
    }

    /// The example of RFC 6455, section 1.3.
    #[test]
    fn the_example_of_the_standard_is_answered_right() {
        let answer = read(&GOOD).unwrap().accepted();
        let proof = answer
            .more
            .iter()
            .find(|(name, _)| name == SEC_WEBSOCKET_ACCEPT);
        assert_eq!(proof.unwrap().1, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(answer.status, StatusCode::SWITCHING_PROTOCOLS);
    }

    #[test]
    fn what_is_no_handshake_is_refused() {
        let without = |name: &str| {
            GOOD.into_iter()
                .filter(|(one, _)| *one != name)
                .collect::<Vec<_>>()
        };
        let with = |name, value| [without(name), vec![(name, value)]].concat();
        let beside = |name, value| [GOOD.to_vec(), vec![(name, value)]].concat();
        for (headers, status) in [
            (without("connection"), 400),
            (without("sec-websocket-key"), 400),
            (with("sec-websocket-key", "c2hvcnQ="), 400),
            (with("sec-websocket-key", "!"), 400),
            (beside("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="), 400),
            (beside("content-length", "5"), 400),
            (beside("transfer-encoding", "chunked"), 400),
            (without("sec-websocket-version"), 426),
            (with("sec-websocket-version", "8"), 426),
            (beside("sec-websocket-version", "13"), 426),
        ] {
            assert_eq!(read(&headers).unwrap_err(), status, "{headers:?}");
        }
    }
}
