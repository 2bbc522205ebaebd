//! Why a stream ended, in words for who followed it.

use coffer_engine::Fault;
use serde::Serialize;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use crate::http::status;

/// The server or this stream goes away (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;
/// The client does not speak the protocol, or sends as text what is none.
const PROTOCOL: u16 = 1002;
const NO_TEXT: u16 = 1007;
/// The client may not, or not any more.
const POLICY: u16 = 1008;
/// Our fault.
const INTERNAL: u16 = 1011;
/// What comes next is not there any more: one of the codes that the protocol leaves to servers, after the status 410.
const EXPIRED: u16 = 4410;
/// Later perhaps.
const TRY_AGAIN: u16 = 1013;
/// Most bytes of a reason in a close frame.
const MAX_REASON_BYTES: usize = 123;

/// The end of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Ending {
    /// The code of the close frame.
    pub(super) code: u16,
    /// In words.
    reason: String,
    /// The event to go on after.
    since: Option<String>,
}

impl Ending {
    /// The kernel's stream ended, with a reason or without.
    pub(super) fn of(fault: Option<Fault>) -> Self {
        let Some(fault) = fault else {
            return Self::new(GOING_AWAY, "the server ended the stream");
        };
        let code = match &fault {
            Fault::Denied | Fault::Forbidden(_) => POLICY,
            Fault::Sealed => GOING_AWAY,
            Fault::Expired(_) => EXPIRED,
            Fault::TooMany(_) | Fault::Unavailable(_) => TRY_AGAIN,
            fault => {
                tracing::error!(%fault, "a stream of events broke off");
                return Self::new(INTERNAL, "internal error; the server's log says more");
            }
        };
        let text = status::text(&fault, "").unwrap_or_default();
        Self::new(code, &text)
    }

    /// The server stops.
    pub(super) fn stopped() -> Self {
        Self::new(GOING_AWAY, "the server stops")
    }

    /// The client sends what nobody wants.
    pub(super) fn flooded() -> Self {
        Self::new(POLICY, "too much was sent; this stream goes one way")
    }

    /// The client breaks the rules of WebSockets.
    pub(super) fn broken(fault: &ProtocolError) -> Self {
        Self::new(PROTOCOL, &fault.to_string())
    }

    /// The client sends text that is not UTF-8.
    pub(super) fn garbled() -> Self {
        Self::new(NO_TEXT, "text must be UTF-8")
    }

    fn new(code: u16, reason: &str) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
            since: None,
        }
    }

    /// With the event to go on after, if there is one.
    pub(super) fn after(mut self, since: Option<&str>) -> Self {
        self.since = since.filter(|id| !id.is_empty()).map(str::to_owned);
        self
    }

    /// Reason and position as a close frame has room for them.
    pub(super) fn line(&self) -> String {
        let position = self
            .since
            .as_ref()
            .map(|since| format!("; go on with since={since}"));
        let position = position
            .filter(|text| text.len() < MAX_REASON_BYTES)
            .unwrap_or_default();
        let room = MAX_REASON_BYTES - position.len();
        let cut = self.reason.floor_char_boundary(room);
        format!("{}{position}", self.reason.get(..cut).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_holds_the_whole_position() {
        let id = "0197a2b0-0000-7000-8000-0123456789ab";
        let ending = Ending::of(Some(Fault::Forbidden("ä".repeat(200)))).after(Some(id));
        let line = ending.line();
        assert!(
            line.len() <= 123 && line.ends_with(&format!("; go on with since={id}")),
            "{line}"
        );
        assert_eq!(Ending::stopped().line(), "the server stops");
        assert_eq!(ending.code, 1008);
    }

    #[test]
    fn what_is_ours_stays_in_the_log() {
        let ending = Ending::of(Some(Fault::internal("shelf 7")));
        assert_eq!(ending.code, 1011);
        assert!(!ending.line().contains("shelf"));
    }
}
