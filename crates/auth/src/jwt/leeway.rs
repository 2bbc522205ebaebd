//! How far apart clocks may be.

use std::borrow::Cow;

use coffer_wire::parse_duration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

/// A number of seconds, as a number or as a duration. Zero is the default, and less than zero none at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Leeway(pub(super) i64);

impl<'de> Deserialize<'de> for Leeway {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(from)? {
            Value::Null => String::new(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => return Err(de::Error::custom("expected a duration")),
        };
        let (sign, size) = match text.strip_prefix('-') {
            Some(size) => (-1, size),
            None => (1, text.as_str()),
        };
        let size = parse_duration(size).map_err(de::Error::custom)?.as_secs();
        let size = i64::try_from(size).map_err(|_| de::Error::custom("expected a duration"))?;
        Ok(Self(sign * size))
    }
}

impl JsonSchema for Leeway {
    fn schema_name() -> Cow<'static, str> {
        "Leeway".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "format": "seconds" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let read = |value: Value| serde_json::from_value::<Leeway>(value).map(|leeway| leeway.0);
        for (value, seconds) in [
            (serde_json::json!(-1), -1),
            (serde_json::json!("-5m"), -300),
            (serde_json::json!("5m"), 300),
            (serde_json::json!(""), 0),
            (serde_json::json!("7"), 7),
            (serde_json::json!(null), 0),
        ] {
            assert_eq!(read(value.clone()).unwrap(), seconds, "{value}");
        }
        for wrong in [
            serde_json::json!("--5"),
            serde_json::json!("x"),
            serde_json::json!([1]),
            serde_json::json!(99_999_999_999_u64),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
