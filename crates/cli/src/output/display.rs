//! Single values as people read them.

use serde_json::Value;

/// A JSON value in one table cell, as the reference prints it: `map[a:1 b:[x y]]`, `<nil>`, texts as they are.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(cell).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{key}:{}", cell(value)))
                .collect();
            format!("map[{}]", fields.join(" "))
        }
    }
}

/// A cell of a field called `key`: numbers of seconds are shown as durations.
pub(crate) fn named_cell(key: &str, value: &Value) -> String {
    match value.as_u64() {
        Some(secs) if is_duration(key) => human_secs(secs),
        _ => cell(value),
    }
}

/// Seconds as people write them: `768h`, `1h30m`, `59m58s`, `0s`.
pub(crate) fn human_secs(secs: u64) -> String {
    let parts = [(secs / 3600, 'h'), (secs / 60 % 60, 'm'), (secs % 60, 's')];
    let text: String = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// Policies of a token: `["a" "b"]`.
pub(crate) fn quoted_list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", words.join(" "))
}

/// A section's title between equals signs, about as wide as what it stands above.
pub(crate) fn title(text: &str, width: usize) -> String {
    let room = width.saturating_sub(text.chars().count() + 2);
    let side = "=".repeat(if room == 0 { 2 } else { room.div_ceil(2) });
    format!("{side} {text} {side}")
}

fn is_duration(key: &str) -> bool {
    ["ttl", "period", "duration"].iter().any(|word| {
        key == *word
            || key
                .strip_suffix(word)
                .is_some_and(|front| front.ends_with('_'))
    }) || matches!(key, "lease_max" | "ttl_max")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_look_like_the_reference() {
        assert_eq!(
            cell(&json!({"y": [1, 2, {"z": null}], "a": true})),
            "map[a:true y:[1 2 map[z:<nil>]]]"
        );
        assert_eq!(cell(&json!([])), "[]");
        assert_eq!(human_secs(2_764_800), "768h");
        assert_eq!(human_secs(3598), "59m58s");
        assert_eq!(human_secs(0), "0s");
        assert_eq!(named_cell("token_ttl", &json!(90)), "1m30s");
        assert_eq!(named_cell("creation_time", &json!(90)), "90");
        assert_eq!(
            quoted_list(&["a".to_owned(), "b".to_owned()]),
            r#"["a" "b"]"#
        );
        assert_eq!(quoted_list(&[]), "[]");
    }

    #[test]
    fn titles_are_as_wide_as_their_table() {
        assert_eq!(title("Secret Path", 15), "= Secret Path =");
        assert_eq!(title("Secret Path", 16), "== Secret Path ==");
        assert_eq!(title("Data", 10), "== Data ==");
        assert_eq!(title("Data", 3), "== Data ==");
    }
}
