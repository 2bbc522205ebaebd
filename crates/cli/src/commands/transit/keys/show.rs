//! A key as people read it: its settings, then its versions.

use coffer_client::Secret;
use coffer_wire::Timestamp;
use serde_json::{Map, Value};

use crate::commands::transit::printing::is_for_programs;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::{Format, cell, columns, key_rows, key_values, print_secret};

/// Says what was done, and shows the key if the server answered it.
pub(super) fn done(
    cx: &Context,
    answer: Option<Secret>,
    field: Option<&str>,
    what: &str,
) -> Outcome {
    if field.is_none()
        && cx.format == Format::Table
        && answer
            .as_ref()
            .is_none_or(|answer| answer.wrap_info.is_none())
    {
        cx.ui.line(&format!("Success! {what}"));
    }
    match answer {
        Some(answer) => shown(cx, &answer, field),
        None => Ok(()),
    }
}

/// Prints a key.
pub(super) fn shown(cx: &Context, answer: &Secret, field: Option<&str>) -> Outcome {
    let data = answer.data.as_ref().and_then(Value::as_object);
    let Some(data) = data.filter(|_| !is_for_programs(cx, answer, field)) else {
        return print_secret(cx, answer, field);
    };
    cx.ui.warnings(&answer.warnings);
    if !data.is_empty() {
        cx.ui.line(&table(data));
    }
    Ok(())
}

fn table(data: &Map<String, Value>) -> String {
    let mut settings = data.clone();
    let versions = settings.remove("keys");
    let mut text = key_values(&key_rows(&settings));
    let mut versions: Vec<(u64, String)> = versions
        .as_ref()
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(number, about)| (number.parse().unwrap_or(0), created(about)))
        .collect();
    versions.sort();
    let rows: Vec<[String; 2]> = versions
        .into_iter()
        .map(|(number, created)| [number.to_string(), created])
        .collect();
    if !rows.is_empty() {
        text.push_str("\n\n");
        text.push_str(&columns(["Version", "Created"], &rows));
    }
    text
}

/// When a version was made: seconds for keys that have no public half, else among other things about it.
fn created(about: &Value) -> String {
    match (about.as_u64(), about.get("creation_time")) {
        (Some(secs), _) => Timestamp::from_secs(secs).to_string(),
        (None, Some(time)) => cell(time),
        (None, None) => cell(about),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_in_order_below_the_settings() {
        let key = json!({
            "name": "a", "auto_rotate_period": 86400,
            "keys": {"10": 1_795_727_367, "9": {"creation_time": "2026-11-26T21:09:27.8Z", "public_key": "PEM"}},
        });
        let wanted = "\
Key                   Value
---                   -----
auto_rotate_period    24h
name                  a

Version    Created
-------    -------
9          2026-11-26T21:09:27.8Z
10         2026-11-26T21:09:27Z";
        assert_eq!(table(key.as_object().unwrap()), wanted);
    }
}
