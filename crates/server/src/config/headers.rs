use coffer_hcl::{Body, Value};

use super::Error;
use super::stanza::Stanza;

/// Headers that a listener adds to its answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseHeaders {
    /// For which answers: `default`, a status (`307`) or a class (`2xx`).
    pub status: String,
    /// Names and values in the order they were written.
    pub headers: Vec<(String, Vec<String>)>,
}

pub(super) fn read(stanza: &mut Stanza) -> Result<Vec<ResponseHeaders>, Error> {
    let mut all = Vec::new();
    for block in stanza.blocks("custom_response_headers", 1)? {
        let status = block.label(0).to_ascii_lowercase();
        if !is_status(&status) {
            let expected = "`default`, a status as `307` or a class as `2xx`";
            return Err(block.error(
                "is for no status",
                expected,
                "correct the name of the block",
            ));
        }
        let wrong = block.error(
            "has a header that cannot be sent",
            "`\"Name\" = [\"value\"]`, not one of the X-Vault- headers",
            "correct or remove the header",
        );
        let headers = headers(block.into_body()).ok_or(wrong)?;
        all.push(ResponseHeaders { status, headers });
    }
    Ok(all)
}

fn headers(body: Body) -> Option<Vec<(String, Vec<String>)>> {
    body.items
        .into_iter()
        .map(|item| {
            let values = match &item.value {
                Value::List(values) => values.iter().map(text).collect::<Option<_>>()?,
                value => vec![text(value)?],
            };
            let name = item.key;
            let is_ours = name.to_ascii_lowercase().starts_with("x-vault-");
            (!is_ours && http::HeaderName::from_bytes(name.as_bytes()).is_ok())
                .then_some((name, values))
        })
        .collect()
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_text()?;
    http::HeaderValue::from_str(text)
        .is_ok()
        .then(|| text.to_owned())
}

fn is_status(name: &str) -> bool {
    matches!(
        name.as_bytes(),
        b"default" | [b'1'..=b'5', b'x', b'x'] | [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9']
    )
}
