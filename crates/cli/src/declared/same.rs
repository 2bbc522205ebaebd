//! When two values mean the same to the server.

use coffer_wire::parse_duration;
use serde_json::Value;

/// Whether the server, which shows `shown`, has what a file gives as `given`.
///
/// The server answers durations in seconds, lists in an order of its own, numbers as text; files say `"1h"`.
pub(super) fn same(given: &Value, shown: &Value) -> bool {
    match (given, shown) {
        (given, Value::Null) => is_nothing(given),
        (Value::Array(given), Value::Array(shown)) => same_lists(given, shown),
        (Value::Array(given), Value::String(shown)) => same_lists(given, &split(shown)),
        (Value::String(given), Value::Array(shown)) => same_lists(&split(given), shown),
        (Value::Object(given), Value::Object(shown)) => given.iter().all(|(name, given)| {
            let shown = shown.get(name).unwrap_or(&Value::Null);
            same(given, shown)
        }),
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => {
            is_nothing(given) && is_nothing(shown)
        }
        (given, shown) => same_scalars(&scalar(given), &scalar(shown)),
    }
}

/// Whether a value says as much as none: a server leaves out what is not set.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => matches!(text.as_str(), "" | "0" | "0s" | "false"),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
    }
}

/// Lists of words are sets; lists of texts (statements) have an order.
fn same_lists(given: &[Value], shown: &[Value]) -> bool {
    let equal = |(given, shown): (&Value, &Value)| same(given, shown);
    if given.len() != shown.len() {
        return false;
    }
    if given.iter().zip(shown).all(equal) {
        return true;
    }
    let is_word = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| !text.contains(char::is_whitespace))
    };
    let words = given.iter().chain(shown).all(is_word);
    words && sorted(given) == sorted(shown)
}

fn sorted(values: &[Value]) -> Vec<&str> {
    let mut words: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    words.sort_unstable();
    words
}

fn split(text: &str) -> Vec<Value> {
    let words = text.split(',').map(str::trim);
    let words = words.filter(|word| !word.is_empty());
    words.map(Value::from).collect()
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn same_scalars(given: &str, shown: &str) -> bool {
    if given == shown {
        return true;
    }
    let numbers = given.parse::<f64>().ok().zip(shown.parse::<f64>().ok());
    if let Some((given, shown)) = numbers {
        return given.total_cmp(&shown).is_eq();
    }
    // A duration has a unit in one of its spellings at least.
    let durations = parse_duration(given).ok().zip(parse_duration(shown).ok());
    durations.is_some_and(|(given, shown)| given == shown)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spellings_of_one_value_are_the_same() {
        for (given, shown) in [
            (json!("1h"), json!(3600)),
            (json!("1h"), json!("3600")),
            (json!("60m"), json!("1h0m0s")),
            (json!(5), json!("5")),
            (json!("true"), json!(true)),
            (json!(["b", "a"]), json!(["a", "b"])),
            (json!("b, a"), json!(["a", "b"])),
            (json!(["a"]), json!("a")),
            (json!(""), Value::Null),
            (json!([]), Value::Null),
            (json!({"a": "1h"}), json!({"a": 3600, "more": 1})),
            (json!({}), Value::Null),
            (json!(1.5), json!("1.50")),
        ] {
            assert!(same(&given, &shown), "{given} {shown}");
        }
    }

    #[test]
    fn other_values_are_not() {
        for (given, shown) in [
            (json!("1h"), json!(60)),
            (json!("a"), json!("A")),
            (json!(["a"]), json!(["a", "b"])),
            // The order of statements matters.
            (json!(["GRANT a", "GRANT b"]), json!(["GRANT b", "GRANT a"])),
            (json!({"a": 1}), json!({"b": 1})),
            (json!(true), json!(false)),
            (json!("x"), Value::Null),
            (json!(["a", "a"]), json!(["a", "b"])),
        ] {
            assert!(!same(&given, &shown), "{given} {shown}");
        }
    }
}
