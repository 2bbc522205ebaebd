//! The JSON around answers, written in one pass; data is spliced in as the text it already is.

use coffer_crypto::{WipingBuffer, Zeroizing};
use coffer_engine::{Body, Fault, Reply};
use coffer_kernel::Response;
use coffer_wire::{ErrorBody, write_json};
use serde::Serialize;

/// Room for everything in the envelope but data, warnings and token, in bytes.
const FRAME_BYTES: usize = 320;
/// Longest text of an error. Many quote what they complain about, and nobody needs a megabyte of that back.
const MAX_ERROR_BYTES: usize = 8 * 1024;

/// The answer's envelope around the JSON text `data`.
pub(super) fn around(
    response: &Response,
    data: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut out = WipingBuffer::with_capacity(data.map_or(4, <[u8]>::len) + FRAME_BYTES);
    out.extend(b"{");
    fields(&mut out, response, data)?;
    Ok(out.into_inner())
}

/// As [`around`], with the fields of `data` at the top level, too.
///
/// They stand before the envelope's own fields: of a name that both have, readers take the last.
pub(super) fn with_data_at_top(
    response: &Response,
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let inside = data
        .strip_prefix(b"{")
        .and_then(|data| data.strip_suffix(b"}"));
    let inside = inside
        .ok_or_else(|| Fault::internal("an answer that stands at the top level is no object"))?;
    let mut out = WipingBuffer::with_capacity(2 * data.len() + FRAME_BYTES);
    out.extend(b"{");
    out.extend(inside);
    if !inside.is_empty() {
        out.extend(b",");
    }
    fields(&mut out, response, Some(data))?;
    Ok(out.into_inner())
}

/// The envelope of an answer about something that is gone.
pub(super) fn of_gone(request_id: String, reply: Reply) -> Response {
    Response {
        request_id,
        body: reply.body,
        warnings: reply.warnings,
        ..Response::default()
    }
}

/// The body of an error.
pub(super) fn error(text: Option<String>) -> Vec<u8> {
    let body = ErrorBody {
        errors: text.map(shortened).into_iter().collect(),
        warnings: Vec::new(),
    };
    let mut out = Vec::with_capacity(64);
    // Texts always serialise, and a vector takes all that is written to it.
    let _ = write_json(&mut out, &body);
    out
}

fn shortened(mut text: String) -> String {
    if text.len() > MAX_ERROR_BYTES {
        text.truncate(text.floor_char_boundary(MAX_ERROR_BYTES));
        text.push('…');
    }
    text
}

/// Whether there is nothing to tell but that it is done.
pub(super) fn is_empty(response: &Response) -> bool {
    matches!(response.body, Body::Empty)
        && response.lease_id.is_empty()
        && response.warnings.is_empty()
        && response.wrap_info.is_none()
        && response.auth.is_none()
}

/// The envelope's fields and the closing brace.
fn fields(out: &mut WipingBuffer, response: &Response, data: Option<&[u8]>) -> Result<(), Fault> {
    field(out, "\"request_id\":", &response.request_id)?;
    field(out, ",\"lease_id\":", &response.lease_id)?;
    field(out, ",\"renewable\":", &response.renewable)?;
    field(out, ",\"lease_duration\":", &response.lease_duration)?;
    out.extend(b",\"data\":");
    out.extend(data.unwrap_or(b"null"));
    field(out, ",\"wrap_info\":", &response.wrap_info)?;
    let warnings = Some(&response.warnings).filter(|warnings| !warnings.is_empty());
    field(out, ",\"warnings\":", &warnings)?;
    field(out, ",\"auth\":", &response.auth)?;
    out.extend(b"}");
    Ok(())
}

fn field(out: &mut WipingBuffer, name: &str, value: &impl Serialize) -> Result<(), Fault> {
    out.extend(name.as_bytes());
    write_json(out, value).map_err(Fault::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response() -> Response {
        Response {
            request_id: "r".into(),
            lease_duration: 5,
            ..Response::default()
        }
    }

    fn text(bytes: Result<Zeroizing<Vec<u8>>, Fault>) -> String {
        String::from_utf8(bytes.unwrap().to_vec()).unwrap()
    }

    #[test]
    fn errors_are_bounded() {
        let long = "ü".repeat(MAX_ERROR_BYTES);
        let body = String::from_utf8(error(Some(format!("x{long}")))).unwrap();
        assert!(
            body.len() < MAX_ERROR_BYTES + 32 && body.ends_with("ü…\"]}"),
            "{}",
            body.len()
        );
        assert_eq!(error(Some("short".into())), br#"{"errors":["short"]}"#);
    }

    #[test]
    fn fields_come_in_the_reference_s_order() {
        assert_eq!(
            text(around(&response(), Some(b"{\"a\":0.10}"))),
            r#"{"request_id":"r","lease_id":"","renewable":false,"lease_duration":5,"data":{"a":0.10},"wrap_info":null,"warnings":null,"auth":null}"#
        );
    }

    #[test]
    fn the_envelope_wins_over_data_at_the_top() {
        let text = text(with_data_at_top(&response(), br#"{"auth":1,"x/":2}"#));
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed["x/"], 2);
        assert_eq!(parsed["data"]["auth"], 1);
        assert!(parsed["auth"].is_null());
        assert!(with_data_at_top(&response(), b"[]").is_err());
    }

    #[test]
    fn errors_are_a_list() {
        assert_eq!(error(None), br#"{"errors":[]}"#);
        assert_eq!(
            error(Some("<no>".into())),
            br#"{"errors":["\u003cno\u003e"]}"#
        );
    }

    #[test]
    fn remarks_make_an_empty_answer_worth_a_body() {
        assert!(is_empty(&response()));
        assert!(!is_empty(&Response {
            warnings: vec!["w".into()],
            ..response()
        }));
    }
}
