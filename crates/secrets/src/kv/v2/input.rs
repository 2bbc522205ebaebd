//! Input that only this engine takes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use coffer_engine::Fault;
use coffer_wire::{CommaList, Int, Ttl, format_duration, parse_duration};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// How many versions one secret may keep; its record grows with each.
const MAX_VERSIONS: u16 = 4_000;

/// For `deserialize_with` beside `default`: tells a field that is `null` (which resets it) from one
/// that is missing (which leaves it).
pub(super) fn present<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}

/// How many versions of a secret to keep; 0 leaves the choice to whoever comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(super) struct MaxVersions(pub u16);

impl<'de> Deserialize<'de> for MaxVersions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Int(number) = Int::deserialize(from)?;
        let number = u16::try_from(number).ok().filter(|n| *n <= MAX_VERSIONS);
        number.map(Self).ok_or_else(|| {
            de::Error::custom(format!(
                "expected 0 (the default) to {MAX_VERSIONS} versions"
            ))
        })
    }
}

impl JsonSchema for MaxVersions {
    fn schema_name() -> Cow<'static, str> {
        "MaxVersions".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": MAX_VERSIONS })
    }
}

/// How long after its creation a version deletes itself. Travels as `3h0m0s`, whole seconds; `0s` is
/// unset, and a negative one says never, whatever a secret's own setting is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DeleteAfter {
    #[default]
    Unset,
    After(Duration),
    Never,
}

impl DeleteAfter {
    /// What holds for a secret whose own setting is `own` in a mount with this setting: the shorter.
    pub(super) fn and(self, own: Self) -> Option<Duration> {
        match (self, own) {
            (Self::Never, _) | (_, Self::Never) | (Self::Unset, Self::Unset) => None,
            (Self::After(one), Self::After(other)) => Some(one.min(other)),
            (Self::After(one), Self::Unset) | (Self::Unset, Self::After(one)) => Some(one),
        }
    }
}

impl Serialize for DeleteAfter {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unset => to.serialize_str("0s"),
            Self::After(duration) => to.serialize_str(&format_duration(*duration)),
            Self::Never => to.serialize_str("-1s"),
        }
    }
}

impl<'de> Deserialize<'de> for DeleteAfter {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        if is_negative(&value) {
            return Ok(Self::Never);
        }
        let ttl = Ttl::deserialize(value).map_err(de::Error::custom)?;
        Ok(match ttl.secs() {
            0 => Self::Unset,
            secs => Self::After(Duration::from_secs(secs)),
        })
    }
}

fn is_negative(value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return false,
    };
    let rest = text.trim().strip_prefix('-').map(parse_duration);
    matches!(rest, Some(Ok(duration)) if !duration.is_zero())
}

impl JsonSchema for DeleteAfter {
    fn schema_name() -> Cow<'static, str> {
        "DeleteAfter".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "duration" })
    }
}

/// Numbers of versions: a list, `"1,2"` or `1`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(transparent)]
pub(super) struct Versions(pub Vec<i64>);

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let CommaList(texts) = CommaList::deserialize(from)?;
        let numbers: Result<Vec<i64>, _> = texts.iter().map(|text| text.parse()).collect();
        let numbers =
            numbers.map_err(|_| de::Error::custom("expected whole numbers, for example [1, 2]"))?;
        Ok(Self(numbers))
    }
}

impl Versions {
    /// The numbers, or what to tell a client who sent none.
    pub(super) fn some(versions: Option<Self>) -> Result<BTreeSet<u64>, Fault> {
        let numbers = versions.map(|versions| versions.0).unwrap_or_default();
        if numbers.is_empty() {
            return Err(Fault::invalid(
                "no version number provided; send for example {\"versions\": [1, 2]}",
            ));
        }
        let numbers = numbers.into_iter().filter_map(|n| u64::try_from(n).ok());
        Ok(numbers.collect())
    }
}
