//! Input types that accept every spelling Vault's clients send.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::Timestamp;
use crate::duration::kind;
use crate::json::is_parsers_word;

/// A boolean: `true`, `"true"`, `"1"`, `1`, `"t"`; anything else that Go's parser knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Flag(pub bool);

/// A whole number: `5`, `"5"`, `5.0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Int(pub i64);

/// A number: `5`, `0.5`, `"0.5"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Decimal(pub f64);

/// A point in time: RFC 3339 text, or seconds since 1970 as a number or as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Moment(pub Timestamp);

/// A text; numbers and booleans are taken as their text.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Text(pub String);

/// A list of texts: `["a", "b"]` or `"a,b"`. Blanks around items and empty items are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CommaList(pub Vec<String>);

/// Pairs of texts: an object, `"a=1,b=2"`, or `["a=1", "b=2"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct KvPairs(pub BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let parsed = match &value {
            Value::Null => Some(false),
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => number.as_f64().map(|n| n != 0.0),
            Value::String(text) => match text.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
                "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
                _ => None,
            },
            Value::Array(_) | Value::Object(_) => None,
        };
        parsed
            .map(Self)
            .ok_or_else(|| expected("true or false", &value))
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let parsed = match &value {
            Value::Null => Some(0),
            Value::Bool(flag) => Some(i64::from(*flag)),
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) if text.is_empty() => Some(0),
            Value::String(text) => text.trim().parse().ok(),
            Value::Array(_) | Value::Object(_) => None,
        };
        parsed
            .map(Self)
            .ok_or_else(|| expected("a whole number", &value))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let parsed = match &value {
            Value::Null => Some(0.0),
            Value::Bool(flag) => Some(f64::from(*flag)),
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text.is_empty() => Some(0.0),
            Value::String(text) => text.trim().parse().ok(),
            Value::Array(_) | Value::Object(_) => None,
        };
        parsed.map(Self).ok_or_else(|| expected("a number", &value))
    }
}

/// The float as an integer where it is one that fits without loss.
fn whole(float: f64) -> Option<i64> {
    (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let parsed = match &value {
            Value::Number(number) => number.as_u64().map(Timestamp::from_secs),
            Value::String(text) => match text.trim().parse() {
                Ok(secs) => Some(Timestamp::from_secs(secs)),
                Err(_) => Timestamp::parse(text),
            },
            _ => None,
        };
        parsed.map(Self).ok_or_else(|| {
            let what = "a time, for example 2026-01-31T12:00:00Z or seconds since 1970";
            expected(what, &value)
        })
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        scalar(value)
            .map(Self)
            .map_err(|value| expected("text", &value))
    }
}

impl<'de> Deserialize<'de> for CommaList {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let items = match Value::deserialize(from)? {
            Value::Null => Vec::new(),
            Value::Array(items) => items
                .into_iter()
                .map(scalar)
                .collect::<Result<_, _>>()
                .map_err(|value| expected("a list of texts", &value))?,
            other => match scalar(other) {
                Ok(text) => text.split(',').map(str::to_owned).collect(),
                Err(value) => return Err(expected("a list of texts", &value)),
            },
        };
        let items = items
            .iter()
            .map(|item| item.trim())
            .filter(|item| !item.is_empty());
        Ok(Self(items.map(str::to_owned).collect()))
    }
}

impl<'de> Deserialize<'de> for KvPairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let pairs: Vec<String> = match Value::deserialize(from)? {
            Value::Null => Vec::new(),
            Value::Object(map) => {
                let texts = map
                    .into_iter()
                    .map(|(key, value)| Ok((key, scalar(value)?)));
                return texts
                    .collect::<Result<_, Value>>()
                    .map(Self)
                    .map_err(|value| expected("texts as values", &value));
            }
            Value::Array(items) => items
                .into_iter()
                .map(scalar)
                .collect::<Result<_, _>>()
                .map_err(|value| expected("pairs like \"key=value\"", &value))?,
            Value::String(text) if text.trim_start().starts_with('{') => {
                let parsed = serde_json::from_str(&text);
                let parsed =
                    parsed.map_err(|_| de::Error::custom("expected an object of texts"))?;
                return plain(parsed).map(Self);
            }
            Value::String(text) => text
                .split(',')
                .filter(|pair| !pair.trim().is_empty())
                .map(str::to_owned)
                .collect(),
            other => return Err(expected("an object of texts", &other)),
        };
        let split = pairs.iter().map(|pair| {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| de::Error::custom("expected pairs like \"key=value\""))?;
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        });
        plain(split.collect::<Result<_, _>>()?).map(Self)
    }
}

/// Refuses names that the parser would take for its own words when the pairs are read again.
fn plain<E: de::Error>(pairs: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, E> {
    match pairs.keys().any(|name| is_parsers_word(name)) {
        true => Err(E::custom("a field has a reserved name")),
        false => Ok(pairs),
    }
}

/// A JSON scalar as text; gives back what is none.
fn scalar(value: Value) -> Result<String, Value> {
    Ok(match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => if flag { "1" } else { "0" }.to_owned(),
        Value::Null => String::new(),
        other => return Err(other),
    })
}

fn expected<E: de::Error>(what: &str, got: &Value) -> E {
    E::custom(format!("expected {what}, not {}", kind(got)))
}

macro_rules! schema {
    ($type:ty, $name:literal, $schema:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema!(Moment, "Moment", { "type": ["string", "integer"], "format": "date-time" });
schema!(Flag, "Flag", { "type": "boolean" });
schema!(Int, "Int", { "type": "integer" });
schema!(Decimal, "Decimal", { "type": "number" });
schema!(Text, "Text", { "type": "string" });
schema!(CommaList, "CommaList", { "type": "array", "items": { "type": "string" } });
schema!(KvPairs, "KvPairs", { "type": "object", "format": "kvpairs" });

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn moments() {
        for value in [
            json!("2001-09-09T01:46:40Z"),
            json!(1_000_000_000),
            json!("1000000000"),
        ] {
            let secs = from_value::<Moment>(value).unwrap().0.secs();
            assert_eq!(secs, 1_000_000_000);
        }
        for wrong in [json!("soon"), json!(""), json!(-1), json!(0.5), json!({})] {
            assert!(from_value::<Moment>(wrong).is_err());
        }
    }

    #[test]
    fn decimals() {
        for (value, number) in [
            (json!(5), 5.0),
            (json!("0.5"), 0.5),
            (json!("1e3"), 1_000.0),
            (json!(null), 0.0),
            (json!(true), 1.0),
        ] {
            assert_eq!(from_value::<Decimal>(value).unwrap(), Decimal(number));
        }
        for wrong in [json!("fast"), json!([1]), json!({})] {
            assert!(from_value::<Decimal>(wrong).is_err());
        }
    }

    #[test]
    fn flags() {
        for yes in [json!(true), json!("true"), json!("1"), json!(1)] {
            assert_eq!(
                from_value::<Flag>(yes.clone()).unwrap(),
                Flag(true),
                "{yes}"
            );
        }
        assert!(from_value::<Flag>(json!("maybe")).is_err());
        assert!(from_value::<Flag>(json!([])).is_err());
    }

    #[test]
    fn integers() {
        for five in [json!(5), json!("5"), json!(5.0)] {
            assert_eq!(from_value::<Int>(five.clone()).unwrap(), Int(5), "{five}");
        }
        assert!(from_value::<Int>(json!("five")).is_err());
        assert!(from_value::<Int>(json!(5.5)).is_err());
    }

    #[test]
    fn lists_and_pairs() {
        let list = CommaList(vec!["a".into(), "b".into()]);
        for same in [json!(["a", "b"]), json!("a,b"), json!(" a , b,,")] {
            assert_eq!(
                from_value::<CommaList>(same.clone()).unwrap(),
                list,
                "{same}"
            );
        }
        let pairs = KvPairs(BTreeMap::from([
            ("a".into(), "1".into()),
            ("b".into(), "2".into()),
        ]));
        for same in [
            json!({"a": 1, "b": "2"}),
            json!("a=1,b=2"),
            json!(["a=1", "b=2"]),
        ] {
            assert_eq!(
                from_value::<KvPairs>(same.clone()).unwrap(),
                pairs,
                "{same}"
            );
        }
        assert!(from_value::<KvPairs>(json!("a")).is_err());
        assert!(from_value::<CommaList>(json!([{}])).is_err());
    }

    #[test]
    fn numbers_survive_flattening() {
        #[derive(Deserialize)]
        struct Inner {
            count: Int,
            ttl: crate::Ttl,
        }
        #[derive(Deserialize)]
        struct Outer {
            #[serde(flatten)]
            inner: Inner,
        }
        let outer: Outer = from_value(json!({"count": 3, "ttl": 60})).unwrap();
        assert_eq!(
            (outer.inner.count, outer.inner.ttl),
            (Int(3), crate::Ttl::from_secs(60))
        );
    }
}
