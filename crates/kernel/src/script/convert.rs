//! The kinds that values are made.

use serde_json::{Map, Value};

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    Fraction,
    Flag,
    Texts,
    Fields,
    List,
    Any,
}

impl Kind {
    /// The names of `eval_type`.
    pub const NAMES: [&'static str; 9] = [
        "string",
        "int",
        "float64",
        "bool",
        "[]string",
        "map",
        "map[string]interface{}",
        "any",
        "interface{}",
    ];

    /// The kind that `eval_type` names.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::Text,
            "int" => Self::Whole,
            "float64" => Self::Fraction,
            "bool" => Self::Flag,
            "[]string" => Self::Texts,
            "map" | "map[string]interface{}" => Self::Fields,
            "any" | "interface{}" => Self::Any,
            _ => return None,
        })
    }

    /// What it is called where something else was found.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Whole => "a whole number",
            Self::Fraction => "a number",
            Self::Flag => "true or false",
            Self::Texts => "a list of strings",
            Self::Fields => "a map",
            Self::List => "a list",
            Self::Any => "a value",
        }
    }

    /// Makes a value of this kind, if there is one that means the same. Nothing is the empty one of its kind.
    pub fn of(self, value: Value) -> Option<Value> {
        if value.is_null() {
            return Some(self.empty());
        }
        Some(match self {
            Self::Any => value,
            Self::Text => text(&value)?.into(),
            Self::Whole => whole(&value)?.into(),
            Self::Fraction => match &value {
                Value::Number(_) => value,
                other => serde_json::Number::from_f64(text(other)?.trim().parse().ok()?)?.into(),
            },
            Self::Flag => flag(&value)?.into(),
            Self::Texts => match &value {
                Value::Array(values) => values.iter().map(text).collect::<Option<Vec<_>>>()?.into(),
                one => vec![text(one)?].into(),
            },
            Self::Fields => value.is_object().then_some(value)?,
            Self::List => value.is_array().then_some(value)?,
        })
    }

    fn empty(self) -> Value {
        match self {
            Self::Text => "".into(),
            Self::Whole | Self::Fraction => 0.into(),
            Self::Flag => false.into(),
            Self::Texts | Self::List => Value::Array(Vec::new()),
            Self::Fields => Value::Object(Map::new()),
            Self::Any => Value::Null,
        }
    }
}

/// A string, number or boolean as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(flag) => Some(i64::from(*flag)),
        _ => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => coffer_hcl::Value::String(text.clone()).as_bool(),
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        _ => None,
    }
}
