//! Header fields of a signed request, as clients bring them: a JSON object, or the base64 of one.

use coffer_wire::parse_foreign;
use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// How many there may be.
const FIELDS_MAX: usize = 48;
/// How long one value may be; a session token is the longest.
const VALUE_BYTES_MAX: usize = 8 * 1024;
/// How long all may be, written as base64.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Fields by their names in lower case, each once, with one value.
#[derive(Clone, Default, JsonSchema)]
#[schemars(with = "Value")]
pub(super) struct Headers(BTreeMap<String, String>);

impl Headers {
    /// The value of a field; `name` in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All, in the order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let name = name.to_ascii_lowercase();
        if !is_header_name(&name) {
            return Err(format!("{name:?} is not a name of a header field"));
        }
        if self.0.len() >= FIELDS_MAX {
            return Err(format!("there are more than {FIELDS_MAX}"));
        }
        let value = single(value).ok_or_else(|| format!("{name} is to have one value, a text"))?;
        let value = value.trim_matches(' ');
        let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !printable || value.len() > VALUE_BYTES_MAX {
            return Err(format!(
                "the value of {name} can not stand in a header field"
            ));
        }
        match self.0.insert(name.clone(), value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(format!("{name} is there twice")),
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Written)
    }
}

/// A text with one value, or a list of one.
fn single(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => match items.as_slice() {
            [item @ (Value::String(_) | Value::Number(_))] => single(item),
            _ => None,
        },
        _ => None,
    }
}

/// Reads every field, so that one that is there twice is seen.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("header fields: a JSON object, or the base64 of one")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Headers, E> {
        Ok(Headers::default())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Headers, E> {
        if text.is_empty() {
            return Ok(Headers::default());
        }
        let wrong = || E::custom("the header fields are not the base64 of a JSON object");
        if text.len() > TEXT_BYTES_MAX {
            return Err(E::custom("the header fields are too long"));
        }
        let json = STANDARD.decode(text).map_err(|_| wrong())?;
        let object: Object = parse_foreign(&json).map_err(|error| match error.is_data() {
            true => E::custom(format!("the header fields: {error}")),
            false => wrong(),
        })?;
        Ok(object.0)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Headers, M::Error> {
        let mut headers = Headers::default();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            headers.add(&name, &value).map_err(de::Error::custom)?;
        }
        Ok(headers)
    }
}

/// An object, and nothing that is read as one.
struct Object(Headers);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Written).map(Self)
    }
}

/// Whether a text in lower case can name a header field.
pub(super) fn is_header_name(name: &str) -> bool {
    let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    !name.is_empty() && name.len() <= 128 && name.chars().all(sign)
}

/// A name as it is usually written: `X-Amz-Date`.
pub(super) fn shown(name: &str) -> String {
    let word = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}", first.to_ascii_uppercase()),
        None => String::new(),
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Headers, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    fn encoded(json: &str) -> Result<Headers, String> {
        read(json!(STANDARD.encode(json)))
    }

    #[test]
    fn both_forms_are_read_alike() {
        let object = json!({ "Host": "a", "X-Amz-Date": ["b"], "Content-Length": 3 });
        for headers in [
            read(object.clone()).unwrap(),
            encoded(&object.to_string()).unwrap(),
        ] {
            let all: Vec<_> = headers.iter().collect();
            assert_eq!(
                all,
                [("content-length", "3"), ("host", "a"), ("x-amz-date", "b")]
            );
        }
        assert!(read(json!("")).unwrap().is_empty() && read(json!(null)).unwrap().is_empty());
    }

    #[test]
    fn a_field_is_there_once_and_has_one_value() {
        for wrong in [
            json!({ "Host": "a", "host": "b" }),
            json!({ "Host": ["a", "b"] }),
            json!({ "Host": [] }),
            json!({ "Host": [["a"]] }),
            json!({ "Host": { "a": "b" } }),
            json!({ "Host": true }),
            json!({ "Host": "a\r\nX-Evil: b" }),
            json!({ "Host": "a\nb" }),
            json!({ "Host": "a\u{0}" }),
            json!({ "Host": "\u{e4}" }),
            json!({ "Host\r\nX-Evil": "b" }),
            json!({ "Host ": "b" }),
            json!({ "Host:": "b" }),
            json!({ "": "b" }),
            json!({ "Host": "a".repeat(9_000) }),
            json!([["Host", "a"]]),
            json!("{}"),
            json!(7),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
        for wrong in [
            r#"{"Host": "a", "Host": "b"}"#,
            r#"{"Host": "a"} {"Host": "b"}"#,
            r#"["Host"]"#,
            r#""eyJIb3N0IjoiYSJ9""#,
            "",
        ] {
            assert!(encoded(wrong).is_err() || wrong.is_empty(), "{wrong}");
        }
    }

    #[test]
    fn names_as_they_are_shown() {
        assert_eq!(shown("x-amz-date"), "X-Amz-Date");
        assert_eq!(shown("x--a"), "X--A");
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,80}") {
            let _ = read(json!(text.clone()));
            let _ = encoded(&text);
            let _ = read(json!({ text.clone(): text }));
        }
    }
}
