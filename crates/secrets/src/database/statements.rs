//! Statements as operators write them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use super::quoting::{Values, fill};

/// Most statements of one kind that a role may have.
const MAX_STATEMENTS: usize = 128;
/// Most text of all statements of one kind, in bytes.
const MAX_STATEMENTS_BYTES: usize = 256 * 1024;

/// A list of statements. One text is a list of one; commas and semicolons in it are the database's business.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Statements(pub Vec<String>);

impl<'de> Deserialize<'de> for Statements {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wrong = || de::Error::custom("expected a list of statements, or one as a text");
        let list = match Value::deserialize(from)? {
            Value::Null => Vec::new(),
            Value::String(text) if text.is_empty() => Vec::new(),
            Value::String(text) => vec![text],
            Value::Array(items) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text),
                    _ => Err(wrong()),
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(wrong()),
        };
        let bytes: usize = list.iter().map(String::len).sum();
        if list.len() > MAX_STATEMENTS || bytes > MAX_STATEMENTS_BYTES {
            return Err(de::Error::custom(format!(
                "at most {MAX_STATEMENTS} statements of together {MAX_STATEMENTS_BYTES} bytes are allowed"
            )));
        }
        Ok(Self(list))
    }
}

impl JsonSchema for Statements {
    fn schema_name() -> Cow<'static, str> {
        "Statements".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string" } })
    }
}

/// The SQL of all statements with the values in their places. The error is for the operator and names no value.
pub(super) fn expand(
    statements: &[String],
    values: &Values<'_>,
) -> Result<Vec<Secret<String>>, String> {
    let mut all = Vec::new();
    for written in statements {
        for text in decoded(written) {
            // A text of blanks and semicolons alone is no statement.
            if text
                .trim_matches(|c: char| c == ';' || c.is_whitespace())
                .is_empty()
            {
                continue;
            }
            all.push(fill(&text, values)?);
        }
    }
    Ok(all)
}

/// A statement may be given as base64 of SQL, and as (base64 of) a JSON list of SQL.
fn decoded(written: &str) -> Vec<String> {
    let from_base64 = STANDARD
        .decode(written.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        // Eight letters of SQL can look like base64; what comes out of them is hardly ever printable text.
        .filter(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()));
    let text = from_base64.unwrap_or_else(|| written.to_owned());
    match text.trim_start().starts_with('[') {
        true => serde_json::from_str(&text).unwrap_or_else(|_| vec![text]),
        false => vec![text],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(statement: &str, username: &str) -> Result<String, String> {
        let values = Values {
            username,
            ..Values::default()
        };
        let all = expand(&[statement.to_owned()], &values)?;
        Ok(all.iter().map(|s| s.expose().as_str()).collect())
    }

    #[test]
    fn statements_come_as_text_list_or_base64() {
        let list = |value: Value| serde_json::from_value::<Statements>(value).unwrap().0;
        assert_eq!(list(serde_json::json!("a, b")), ["a, b"]);
        assert_eq!(list(serde_json::json!(["a", "b"])), ["a", "b"]);
        assert!(serde_json::from_value::<Statements>(serde_json::json!([1])).is_err());
        let encoded = STANDARD.encode("DROP ROLE \"{{name}}\";");
        assert_eq!(one(&encoded, "a").unwrap(), "DROP ROLE \"a\";");
        let encoded = STANDARD.encode(r#"["SELECT 1;", "SELECT '{{name}}'"]"#);
        assert_eq!(one(&encoded, "a").unwrap(), "SELECT 1;SELECT 'a'");
        assert_eq!(one(" ; ", "a").unwrap(), "");
    }
}
