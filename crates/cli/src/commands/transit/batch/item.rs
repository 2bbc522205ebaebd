//! One line as an item of a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::Job;
use crate::commands::transit::printing::unpacked;
use crate::commands::transit::source::Line;

/// One item.
pub(super) struct Item {
    /// Its line.
    pub(super) number: u64,
    /// Its fields as the API wants them, or why it is none.
    pub(super) fields: Result<Map<String, Value>, String>,
    /// What its JSON line said.
    pub(super) given: Map<String, Value>,
}

impl Item {
    /// A line that is the input itself.
    pub(super) fn of_line(line: &Line, job: &Job<'_>) -> Self {
        let value = match job.kind.takes_bytes {
            true => Ok(STANDARD.encode(&line.bytes)),
            false => std::str::from_utf8(&line.bytes)
                .map(|text| text.trim().to_owned())
                .map_err(|_| "it is no text".to_owned()),
        };
        let fields = value.map(|value| {
            let mut fields = job.each.fields().clone();
            fields.insert(job.kind.input.to_owned(), value.into());
            fields
        });
        Self {
            number: line.number,
            fields,
            given: Map::new(),
        }
    }

    /// A line that is a JSON object.
    pub(super) fn of_json(line: &Line, job: &Job<'_>) -> Self {
        let given = match serde_json::from_slice::<Value>(&line.bytes) {
            Ok(Value::Object(given)) => Ok(given),
            Ok(_) => Err("it is JSON, but not an object like {\"text\": \"…\"}".to_owned()),
            Err(error) => Err(format!("it is not JSON (column {})", error.column())),
        };
        let (given, fields) = match given {
            Ok(given) => (given.clone(), fields(&given, job)),
            Err(reason) => (Map::new(), Err(reason)),
        };
        Self {
            number: line.number,
            fields,
            given,
        }
    }

    /// How many texts it is in a request.
    pub(super) fn texts(&self) -> usize {
        self.fields.as_ref().map_or(0, |fields| 2 * fields.len())
    }
}

fn fields(given: &Map<String, Value>, job: &Job<'_>) -> Result<Map<String, Value>, String> {
    if given.contains_key("error") {
        return Err("it is an item that failed before".to_owned());
    }
    let mut fields = job.each.fields().clone();
    let (input, takes_bytes) = (job.kind.input, job.kind.takes_bytes);
    let mut has_input = false;
    for (name, value) in given {
        let (name, value) = match name.as_str() {
            // What an answer says of itself; the version to use is a flag for all.
            "key_version" => continue,
            "text" if takes_bytes => (input, packed(name, value)?),
            "base64" if takes_bytes => (input, checked(name, value)?),
            "context" | "associated_data" => (name.as_str(), packed(name, value)?),
            "context_base64" => ("context", checked(name, value)?),
            "associated_data_base64" => ("associated_data", checked(name, value)?),
            "reference" => ("reference", text(name, value)?.to_owned()),
            other if other == input && !takes_bytes => (input, text(name, value)?.to_owned()),
            other if Some(other) == job.kind.proof => (other, text(name, value)?.to_owned()),
            other => return Err(format!("its field \"{other}\" means nothing here")),
        };
        if name == input && std::mem::replace(&mut has_input, true) {
            return Err("it has \"text\" and \"base64\"; give one of them".to_owned());
        }
        fields.insert(name.to_owned(), value.into());
    }
    match (has_input, job.kind.proof) {
        (false, _) if takes_bytes => Err("it has neither \"text\" nor \"base64\"".to_owned()),
        (false, _) => Err(format!("it has no \"{input}\"")),
        (true, Some(proof)) if !fields.contains_key(proof) => Err(format!("it has no \"{proof}\"")),
        _ => Ok(fields),
    }
}

fn text<'a>(name: &str, value: &'a Value) -> Result<&'a str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("its \"{name}\" is no text"))
}

fn packed(name: &str, value: &Value) -> Result<String, String> {
    text(name, value).map(|text| STANDARD.encode(text))
}

fn checked(name: &str, value: &Value) -> Result<String, String> {
    let bytes = unpacked(text(name, value)?);
    bytes
        .map(|bytes| STANDARD.encode(bytes))
        .ok_or_else(|| format!("its \"{name}\" is not base64"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::transit::batch::Kind;
    use crate::commands::transit::body::Body;

    fn read(kind: &'static Kind, line: &str) -> Result<Value, String> {
        let each = Body::default().bytes("context", b"all");
        let job = Job {
            kind,
            path: String::new(),
            doing: String::new(),
            common: &Body::default(),
            each: &each,
        };
        let line = Line {
            number: 1,
            bytes: line.as_bytes().to_vec().into(),
        };
        Item::of_json(&line, &job).fields.map(Value::Object)
    }

    #[test]
    fn lines_say_text_or_bytes_and_the_api_gets_base64() {
        assert_eq!(
            read(
                &Kind::ENCRYPT,
                r#"{"text": "hi", "context": "mine", "reference": "7"}"#
            ),
            Ok(json!({"plaintext": "aGk=", "context": "bWluZQ==", "reference": "7"}))
        );
        assert_eq!(
            read(&Kind::SIGN, r#"{"base64": "-_8", "key_version": 3}"#),
            Ok(json!({"input": "+/8=", "context": "YWxs"}))
        );
        assert_eq!(
            read(
                &Kind::DECRYPT,
                r#"{"ciphertext": "vault:v1:x", "context_base64": "AA=="}"#
            ),
            Ok(json!({"ciphertext": "vault:v1:x", "context": "AA=="}))
        );
        let checks = read(&Kind::VERIFY, r#"{"text": "", "signature": "vault:v1:x"}"#).unwrap();
        assert_eq!(checks["signature"], "vault:v1:x");
    }

    #[test]
    fn lines_that_are_no_item_say_why() {
        for (kind, line, why) in [
            (&Kind::ENCRYPT, "text", "not JSON"),
            (&Kind::ENCRYPT, "[]", "not an object"),
            (
                &Kind::ENCRYPT,
                r#"{"plaintext": "aGk="}"#,
                "\"plaintext\" means nothing",
            ),
            (&Kind::ENCRYPT, r#"{"text": 1}"#, "no text"),
            (&Kind::ENCRYPT, r#"{"base64": "!"}"#, "not base64"),
            (
                &Kind::ENCRYPT,
                r#"{"text": "a", "base64": ""}"#,
                "one of them",
            ),
            (&Kind::ENCRYPT, "{}", "neither"),
            (&Kind::DECRYPT, r#"{"error": "x"}"#, "failed before"),
            (&Kind::DECRYPT, "{}", "no \"ciphertext\""),
            (&Kind::VERIFY, r#"{"text": "a"}"#, "no \"signature\""),
            (
                &Kind::VERIFY_HMAC,
                r#"{"text": "a", "signature": "s"}"#,
                "means nothing",
            ),
        ] {
            let said = read(kind, line).unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
    }
}
