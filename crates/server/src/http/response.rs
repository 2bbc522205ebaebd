//! Answers on their way out.

use bytes::Bytes;
use coffer_engine::{Body, Fault, Streamed};
use coffer_kernel::quotas::Allowance;
use coffer_kernel::{Refusal, Response};
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, LOCATION, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, TRANSFER_ENCODING,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};

use super::outgoing::Outgoing;
use super::{envelope, status};

/// An answer before the listener's own headers are added.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) media_type: Option<HeaderValue>,
    /// Boxed: few answers have one, and refusals are handed on by value.
    pub(super) location: Option<Box<HeaderValue>>,
    pub(super) attachment: bool,
    /// What the kernel asks for besides.
    pub(super) more: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Outgoing,
}

/// What browsers are told about pages: they show themselves alone, load nothing, send their forms back here, and say
/// nowhere what address they had.
const OF_PAGES: [(HeaderName, HeaderValue); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
    ),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Fields that say where an answer ends, which no engine decides.
const OF_THE_CONNECTION: [HeaderName; 3] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];
const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Answer {
    /// A refusal by the edge itself.
    pub(super) fn error(status: StatusCode, text: impl Into<String>) -> Self {
        Self::json(status, envelope::error(Some(text.into())).into())
    }

    /// A status and nothing else.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            media_type: None,
            location: None,
            attachment: false,
            more: Vec::new(),
            body: Outgoing::EMPTY,
        }
    }

    /// An error without a word, as the reference answers where nothing is.
    pub(super) fn silent(status: StatusCode) -> Self {
        Self::json(status, Bytes::from_static(b"{\"errors\":[]}"))
    }

    /// Sends the client to another place of this server.
    pub(super) fn redirect(to: &str) -> Self {
        let Ok(location) = HeaderValue::from_str(to) else {
            return Self::silent(StatusCode::NOT_FOUND);
        };
        Self {
            status: StatusCode::TEMPORARY_REDIRECT,
            media_type: None,
            location: Some(Box::new(location)),
            attachment: false,
            more: Vec::new(),
            body: Outgoing::EMPTY,
        }
    }

    /// What the kernel answered.
    pub(super) fn granted(mut response: Response) -> Self {
        let request_id = response.request_id.clone();
        let more = more(&mut response);
        match Self::of(response, StatusCode::OK) {
            Ok(answer) => Self { more, ..answer },
            Err(fault) => Self::refused(Refusal::new(request_id, fault)),
        }
    }

    /// What the kernel refused. The source of an internal fault goes to the log, and only there.
    pub(super) fn refused(refusal: Refusal) -> Self {
        let Refusal {
            request_id,
            fault,
            allowance,
        } = refusal;
        let more = allowance.iter().flat_map(told).collect();
        Self {
            more,
            ..Self::of_fault(request_id, fault)
        }
    }

    fn of_fault(request_id: String, fault: Fault) -> Self {
        let code = status::code(&fault);
        if let Fault::Internal(source) = &fault {
            tracing::error!(request_id, error = %source, "internal error");
        }
        match fault {
            Fault::Gone(reply) => match Self::of(envelope::of_gone(request_id, *reply), code) {
                Ok(answer) => Self {
                    status: code,
                    ..answer
                },
                Err(_) => Self::silent(StatusCode::INTERNAL_SERVER_ERROR),
            },
            fault => Self::json(
                code,
                envelope::error(status::text(&fault, &request_id)).into(),
            ),
        }
    }

    /// With the headers that every answer has.
    pub(super) fn into_http(self) -> http::Response<Outgoing> {
        let mut response = http::Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.reserve(8);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
        if let Some(media_type) = self.media_type {
            if media_type.as_bytes().starts_with(b"text/html") {
                headers.extend(OF_PAGES);
            }
            headers.insert(CONTENT_TYPE, media_type);
        }
        if let Some(location) = self.location {
            headers.insert(LOCATION, *location);
        }
        if self.attachment {
            headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
        }
        headers.extend(self.more);
        response
    }

    fn of(mut response: Response, usual: StatusCode) -> Result<Self, Fault> {
        let status = response
            .status
            .and_then(|status| StatusCode::from_u16(status).ok());
        if envelope::is_empty(&response) && usual == StatusCode::OK {
            let status = status.unwrap_or(StatusCode::NO_CONTENT);
            return Ok(Self {
                status,
                media_type: None,
                location: None,
                attachment: false,
                more: Vec::new(),
                body: Outgoing::EMPTY,
            });
        }
        let status = status.unwrap_or(usual);
        let body = match std::mem::take(&mut response.body) {
            Body::Empty => envelope::around(&response, None)?,
            Body::Json(data) => envelope::around(&response, Some(&data))?,
            Body::JsonAlsoAtTop(data) => envelope::with_data_at_top(&response, &data)?,
            Body::JsonBare(text) => text,
            Body::Raw { media_type, bytes } => {
                let media_type = HeaderValue::from_str(&media_type).map_err(Fault::internal)?;
                return Ok(Self {
                    status,
                    media_type: Some(media_type),
                    location: None,
                    attachment: false,
                    more: Vec::new(),
                    body: Outgoing::Whole(Bytes::from_owner(bytes)),
                });
            }
            Body::Stream(stream) => return Ok(Self::streamed(status, stream)),
        };
        // The owner is wiped when the last reference to the bytes is gone.
        Ok(Self::json(status, Bytes::from_owner(body)))
    }

    fn json(status: StatusCode, body: Bytes) -> Self {
        Self {
            status,
            media_type: Some(JSON),
            location: None,
            attachment: false,
            more: Vec::new(),
            body: Outgoing::Whole(body),
        }
    }

    fn streamed(status: StatusCode, stream: Streamed) -> Self {
        Self {
            status,
            media_type: stream.media_type.map(HeaderValue::from_static),
            location: None,
            attachment: stream.attachment,
            more: Vec::new(),
            body: Outgoing::Stream(stream.pieces),
        }
    }
}

/// The fields that the kernel asks for, those that can travel.
fn more(response: &mut Response) -> Vec<(HeaderName, HeaderValue)> {
    let asked = std::mem::take(&mut response.headers).into_iter();
    let fields = asked.filter_map(|(name, value)| field(name, &value));
    let told = response.allowance.iter().flat_map(told);
    fields.chain(told).collect()
}

/// What a rate limit leaves to the client.
fn told(allowance: &Allowance) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
    let window = allowance.window;
    let fields = [
        ("x-ratelimit-limit", window.map(|window| window.limit)),
        (
            "x-ratelimit-remaining",
            window.map(|window| window.remaining),
        ),
        ("x-ratelimit-reset", window.map(|window| window.reset_secs)),
        ("retry-after", allowance.retry_after_secs),
    ];
    let said = fields
        .into_iter()
        .filter_map(|(name, number)| Some((name, number?)));
    said.map(|(name, number)| (HeaderName::from_static(name), HeaderValue::from(number)))
}

/// A field that somebody chose, if it can travel and does not say where an answer ends.
pub(super) fn field(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let value = HeaderValue::from_str(value).ok()?;
    (!OF_THE_CONNECTION.contains(&name)).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use coffer_crypto::Zeroizing;
    use coffer_engine::Reply;
    use coffer_kernel::quotas::Window;

    use super::*;

    fn json(text: &str) -> Body {
        Body::Json(Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn nothing_to_say_is_204() {
        let answer = Answer::granted(Response::default());
        assert_eq!(
            (answer.status.as_u16(), answer.body.length()),
            (204, Some(0))
        );
        let answer = Answer::granted(Response {
            status: Some(202),
            ..Response::default()
        });
        assert_eq!(answer.status.as_u16(), 202);
    }

    #[test]
    fn a_gone_thing_is_404_with_its_envelope() {
        let reply = Reply {
            body: json("{\"data\":null}"),
            ..Reply::default()
        };
        let answer = Answer::refused(Refusal::new("r".into(), Fault::Gone(Box::new(reply))));
        assert_eq!(answer.status.as_u16(), 404);
        let parsed: serde_json::Value = serde_json::from_slice(answer.body.whole()).unwrap();
        assert!(parsed["data"]["data"].is_null() && parsed["request_id"] == "r");
    }

    #[test]
    fn fields_that_a_protocol_prescribes_go_out_beside_ours() {
        let answer = Answer::granted(Response {
            status: Some(401),
            headers: vec![
                ("www-authenticate", "Basic".into()),
                ("pragma", "no-cache\r\nx: y".into()), // can not travel
                ("content-length", "5".into()),
            ],
            ..Response::default()
        });
        let answer = answer.into_http();
        assert_eq!(answer.status().as_u16(), 401);
        assert_eq!(answer.headers()["www-authenticate"], "Basic");
        assert!(!answer.headers().contains_key("pragma"));
        assert!(!answer.headers().contains_key(CONTENT_LENGTH));
    }

    #[test]
    fn rates_are_told_in_headers() {
        let refusal = Refusal {
            request_id: "r".into(),
            fault: Fault::TooMany("slowly".into()),
            allowance: Some(Allowance {
                passes: false,
                window: Some(Window {
                    limit: 5,
                    remaining: 0,
                    reset_secs: 9,
                }),
                retry_after_secs: Some(10),
            }),
        };
        let response = Answer::refused(refusal).into_http();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        for (name, value) in [
            ("X-Ratelimit-Limit", "5"),
            ("X-Ratelimit-Remaining", "0"),
            ("X-Ratelimit-Reset", "9"),
            ("Retry-After", "10"),
        ] {
            assert_eq!(response.headers()[name], value, "{name}");
        }
    }

    #[test]
    fn raw_bytes_keep_their_media_type() {
        let body = Body::Raw {
            media_type: "text/plain".into(),
            bytes: Zeroizing::new(b"x".to_vec()),
        };
        let answer = Answer::granted(Response {
            body,
            ..Response::default()
        })
        .into_http();
        assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain");
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
    }
    #[test]
    fn pages_are_framed_by_nobody() {
        let answer = |media_type: &str| {
            let body = Body::Raw {
                media_type: media_type.into(),
                bytes: Zeroizing::new(b"x".to_vec()),
            };
            let response = Response {
                body,
                ..Response::default()
            };
            Answer::granted(response).into_http()
        };
        let page = answer("text/html; charset=utf-8");
        assert_eq!(page.headers()[X_FRAME_OPTIONS], "DENY");
        let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"));
        assert!(!answer("text/plain").headers().contains_key(X_FRAME_OPTIONS));
    }
}
