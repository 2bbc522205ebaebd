//! Durations as Go and Vault write them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use thiserror::Error;

/// The longest duration that is accepted, in seconds: about 292 years, what Go's type can hold.
const MAX_SECS: u64 = 9_223_372_036;

/// Why a text is not a duration.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DurationError {
    /// Not a number of seconds and not a Go duration.
    #[error(
        "{0:?} is not a duration; write seconds (3600) or a number with a unit (90s, 15m, 1.5h, 7d)"
    )]
    Malformed(String),
    /// Below zero.
    #[error("a duration can not be negative: {0:?}")]
    Negative(String),
    /// Over about 292 years.
    #[error("the duration {0:?} is too long (the limit is about 292 years)")]
    TooLong(String),
}

/// A lenient duration: whole seconds as a number, or text (`"3600"`, `"90s"`, `"1.5h"`, `"7d"`).
///
/// Answers as whole seconds. An empty text is zero, as the reference has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ttl(pub Duration);

impl Ttl {
    /// This many seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// Whole seconds.
    pub fn secs(self) -> u64 {
        self.0.as_secs()
    }

    /// Whether nothing, or zero, was asked for; Vault takes both as "use the default".
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

/// Parses seconds (`"3600"`) or a Go duration with days (`"1h30m"`, `"1.5h"`, `"250ms"`, `"7d"`).
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed(text.to_owned());
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Duration::ZERO);
    }
    let (negative, mut rest) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let mut total = Duration::ZERO;
    if rest.bytes().all(|b| b.is_ascii_digit()) && !rest.is_empty() {
        let secs: u64 = rest
            .parse()
            .map_err(|_| DurationError::TooLong(text.to_owned()))?;
        total = Duration::from_secs(secs);
        rest = "";
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(malformed)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let part = scaled(number, unit_nanos(unit).ok_or_else(malformed)?).ok_or_else(malformed)?;
        total = total
            .checked_add(part)
            .ok_or_else(|| DurationError::TooLong(text.to_owned()))?;
        rest = tail;
    }
    if negative && !total.is_zero() {
        return Err(DurationError::Negative(text.to_owned()));
    }
    if total.as_secs() > MAX_SECS {
        return Err(DurationError::TooLong(text.to_owned()));
    }
    Ok(total)
}

/// Prints a duration as Go does: `1h0m0s`, `1m30s`, `10s`, `1.5s`.
pub fn format_duration(duration: Duration) -> String {
    let (secs, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if secs == 0 && nanos > 0 {
        return format!("{}ms", f64::from(nanos) / 1e6);
    }
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    let fraction = format!(".{nanos:09}");
    let seconds = format!(
        "{secs}{}s",
        fraction.trim_end_matches('0').trim_end_matches('.')
    );
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, _) => format!("{minutes}m{seconds}"),
        _ => format!("{hours}h{minutes}m{seconds}"),
    }
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    })
}

/// `number` (digits with at most one point) times `unit_nanos`, exact to the nanosecond.
fn scaled(number: &str, unit_nanos: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanos = u128::from(whole).checked_mul(u128::from(unit_nanos))?;
    let mut place = u128::from(unit_nanos);
    for digit in fraction.bytes().take(18) {
        nanos += u128::from(digit - b'0') * place / 10;
        place /= 10;
    }
    let secs = u64::try_from(nanos / 1_000_000_000).ok()?;
    let rest = u32::try_from(nanos % 1_000_000_000).ok()?;
    Some(Duration::new(secs, rest))
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.0))
    }
}

impl Serialize for Ttl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(self.secs())
    }
}

impl<'de> Deserialize<'de> for Ttl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let parsed = match Value::deserialize(from)? {
            Value::Null => return Ok(Self::default()),
            Value::String(text) => parse_duration(&text),
            Value::Number(number) => match number.as_f64().filter(|_| number.as_u64().is_none()) {
                Some(float) if float >= 0.0 && float < MAX_SECS as f64 => {
                    Ok(Duration::from_secs_f64(float.trunc()))
                }
                _ => parse_duration(&number.to_string()),
            },
            other => {
                return Err(de::Error::custom(format!(
                    "expected a duration (seconds, or text like \"1h\"), not {}",
                    kind(&other)
                )));
            }
        };
        parsed.map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for Ttl {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "format": "seconds" })
    }
}

/// The word for a JSON value's kind in an error text.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_clients_send() {
        for (text, secs) in [
            ("3600", 3600),
            ("1h", 3600),
            ("1.5h", 5400),
            ("1h30m", 5400),
            ("7d", 604_800),
            ("", 0),
            ("0", 0),
            ("-0s", 0),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs(secs)),
                "{text}"
            );
        }
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["h", "1x", "1..5h", "1h 2", "one", "1.2.3s", "5 m"] {
            assert!(
                matches!(parse_duration(text), Err(DurationError::Malformed(_))),
                "{text}"
            );
        }
        assert!(matches!(
            parse_duration("-1s"),
            Err(DurationError::Negative(_))
        ));
        assert!(matches!(
            parse_duration("99999999999999999999999"),
            Err(DurationError::TooLong(_))
        ));
        assert!(matches!(
            parse_duration("9999999999h"),
            Err(DurationError::TooLong(_))
        ));
    }

    #[test]
    fn prints_as_go_does() {
        for (secs, text) in [
            (0, "0s"),
            (10, "10s"),
            (90, "1m30s"),
            (3600, "1h0m0s"),
            (2_764_800, "768h0m0s"),
        ] {
            assert_eq!(format_duration(Duration::from_secs(secs)), text);
        }
    }

    #[test]
    fn json_numbers_and_text_agree() {
        for text in ["60", "\"60\"", "\"1m\"", "60.9"] {
            assert_eq!(
                serde_json::from_str::<Ttl>(text).unwrap(),
                Ttl::from_secs(60),
                "{text}"
            );
        }
        assert!(serde_json::from_str::<Ttl>("-5").is_err());
        assert!(serde_json::from_str::<Ttl>("[]").is_err());
        assert!(serde_json::from_str::<Ttl>("1e300").is_err());
    }
}
