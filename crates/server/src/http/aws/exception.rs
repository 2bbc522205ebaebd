//! What went wrong, in AWS's words.

use std::borrow::Cow;

use bytes::Bytes;
use coffer_crypto::sigv4::Unsigned;
use coffer_engine::Fault;
use coffer_kernel::Refusal;
use http::StatusCode;
use serde_json::json;

use super::super::outgoing::Outgoing;
use super::super::response::Answer;
use super::super::status;
use super::answer::{MEDIA_TYPE, request_id};

/// Longest name of an exception that is taken from the front of a fault's text, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// How the names of exceptions end.
const ENDING: &str = "Exception";

/// An exception: a name that programs look at, and a text for people.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) struct Exception {
    name: Cow<'static, str>,
    message: String,
}

impl Exception {
    pub(super) fn new(name: &'static str, message: impl Into<String>) -> Self {
        Self {
            name: Cow::Borrowed(name),
            message: message.into(),
        }
    }

    /// Something that AWS's service can do and this one can not.
    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::new("UnsupportedOperationException", what)
    }

    /// The exception that a fault is. One that begins with the name of an exception is that one.
    fn of(fault: &Fault, request_id: &str) -> Self {
        let text = status::text(fault, request_id).unwrap_or_else(|| fault.to_string());
        if let Some((name, message)) = named(&text) {
            return Self {
                name: Cow::Owned(name.to_owned()),
                message: message.to_owned(),
            };
        }
        let name = match fault {
            Fault::Invalid(_) | Fault::TooLarge(_) => "ValidationException",
            Fault::NotFound | Fault::Missing(_) | Fault::Gone(_) | Fault::Expired(_) => {
                "NotFoundException"
            }
            Fault::UnsupportedPath | Fault::UnsupportedVerb => {
                let text = "there is no kms engine at this path";
                return Self::new("UnknownOperationException", text);
            }
            Fault::Denied | Fault::Forbidden(_) => "AccessDeniedException",
            Fault::Conflict(_) => "ConflictException",
            Fault::TooMany(_) => "ThrottlingException",
            Fault::Unavailable(_) | Fault::Sealed => "ServiceUnavailableException",
            Fault::Upstream(_) => "DependencyTimeoutException",
            _ => "KMSInternalException",
        };
        Self::new(name, text)
    }

    fn status(&self) -> StatusCode {
        match &*self.name {
            "ServiceUnavailableException" | "DependencyTimeoutException" => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            "KMSInternalException" | "KeyUnavailableException" => StatusCode::INTERNAL_SERVER_ERROR,
            "RequestEntityTooLargeException" => StatusCode::PAYLOAD_TOO_LARGE,
            "RequestTimeoutException" => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The exception as an answer.
    pub(in crate::http) fn answer(&self, id: &str) -> Answer {
        let body = json!({ "__type": self.name, "message": self.message });
        Answer {
            media_type: Some(MEDIA_TYPE),
            more: request_id(id),
            body: Outgoing::Whole(Bytes::from(body.to_string())),
            ..Answer::empty(self.status())
        }
    }
}

/// What the kernel refused, as an answer; what it says about rates goes with it.
pub(super) fn refused(refusal: Refusal) -> Answer {
    let id = refusal.request_id.clone();
    let told = Exception::of(&refusal.fault, &id).answer(&id);
    let more = Answer::refused(refusal).more;
    Answer {
        more: told.more.into_iter().chain(more).collect(),
        ..told
    }
}

impl From<Unsigned> for Exception {
    fn from(why: Unsigned) -> Self {
        let name = match why {
            Unsigned::Missing => {
                return Self::new(
                    "MissingAuthenticationTokenException",
                    "Missing Authentication Token: sign the request with an access key of this server (auth/token/access-keys)",
                );
            }
            Unsigned::InQuery | Unsigned::Incomplete(_) => "IncompleteSignatureException",
            Unsigned::Wrong(_) => "InvalidSignatureException",
        };
        Self::new(name, why.to_string())
    }
}

/// A body that did not come, or is too long.
impl From<Answer> for Exception {
    fn from(answer: Answer) -> Self {
        match answer.status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                "RequestEntityTooLargeException",
                "the request's body is too large",
            ),
            StatusCode::REQUEST_TIMEOUT => Self::new(
                "RequestTimeoutException",
                "the request's body did not arrive in time",
            ),
            _ => Self::new(
                "SerializationException",
                "the request's body can not be read",
            ),
        }
    }
}

/// A text that begins with an exception's name and a colon, apart.
fn named(text: &str) -> Option<(&str, &str)> {
    let (name, message) = text.split_once(": ")?;
    let plain = name.len() <= MAX_NAME_BYTES && name.bytes().all(|b| b.is_ascii_alphanumeric());
    (plain && name.ends_with(ENDING)).then_some((name, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_have_their_names() {
        for (fault, name, message, status) in [
            (
                Fault::invalid("DisabledException: key x is disabled"),
                "DisabledException",
                "key x is disabled",
                400,
            ),
            (
                Fault::Missing("NotFoundException: no key".into()),
                "NotFoundException",
                "no key",
                400,
            ),
            (
                Fault::Forbidden("InvalidSignatureException: no".into()),
                "InvalidSignatureException",
                "no",
                400,
            ),
            (Fault::invalid("a: b"), "ValidationException", "a: b", 400),
            (
                Fault::invalid("my Exception: b"),
                "ValidationException",
                "my Exception: b",
                400,
            ),
            (
                Fault::Denied,
                "AccessDeniedException",
                "permission denied",
                400,
            ),
            (
                Fault::TooMany("slowly".into()),
                "ThrottlingException",
                "slowly",
                400,
            ),
            (
                Fault::Sealed,
                "ServiceUnavailableException",
                "Vault is sealed",
                503,
            ),
            (
                Fault::Unavailable("later".into()),
                "ServiceUnavailableException",
                "later",
                503,
            ),
            (Fault::NotFound, "NotFoundException", "not found", 400),
        ] {
            let exception = Exception::of(&fault, "r");
            assert_eq!(exception.name, name, "{fault:?}");
            assert_eq!(exception.message, message, "{fault:?}");
            assert_eq!(exception.status().as_u16(), status, "{fault:?}");
        }
        let secret = Fault::internal("shelf 7");
        let exception = Exception::of(&secret, "r");
        assert_eq!(
            (exception.name.as_ref(), exception.status().as_u16()),
            ("KMSInternalException", 500)
        );
        assert!(!exception.message.contains("shelf"));
    }

    #[test]
    fn an_answer_has_its_type_and_request() {
        let answer = Exception::new("NotFoundException", "no \"key\"").answer("id-1");
        assert_eq!(
            answer.body.whole(),
            br#"{"__type":"NotFoundException","message":"no \"key\""}"#
        );
        let http = answer.into_http();
        assert_eq!(http.headers()["x-amzn-requestid"], "id-1");
        assert_eq!(http.headers()["content-type"], "application/x-amz-json-1.1");
    }
}
