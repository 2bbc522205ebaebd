//! YAML for JSON values: the little of it that is needed, quoted so that every reader gets the same value back.

use serde_json::Value;

/// A value as a YAML document. Keys are in order of their bytes.
pub(crate) fn document(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => write_object(&mut out, value, 0, false),
        Value::Array(items) if !items.is_empty() => write_array(&mut out, items, 0),
        scalar => {
            write_scalar(&mut out, scalar, 0);
            out.push('\n');
        }
    }
    out
}

/// Writes the fields, the first of them on the present line where the object is an item of a list.
fn write_object(out: &mut String, value: &Value, indent: usize, begun: bool) {
    let mut fields: Vec<(&String, &Value)> = value.as_object().into_iter().flatten().collect();
    fields.sort_by_key(|(key, _)| *key);
    for (position, (key, value)) in fields.into_iter().enumerate() {
        if position > 0 || !begun {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(&text(key));
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                write_object(out, value, indent + 2, false);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                write_array(out, items, indent);
            }
            scalar => {
                out.push(' ');
                write_scalar(out, scalar, indent + 2);
                out.push('\n');
            }
        }
    }
}

fn write_array(out: &mut String, items: &[Value], indent: usize) {
    for item in items {
        out.push_str(&" ".repeat(indent));
        out.push_str("- ");
        match item {
            Value::Object(fields) if !fields.is_empty() => {
                write_object(out, item, indent + 2, true)
            }
            Value::Array(inner) if !inner.is_empty() => {
                // A list in a list begins on its parent's line; what follows stands two further in.
                let mut nested = String::new();
                write_array(&mut nested, inner, indent + 2);
                out.push_str(nested.trim_start());
            }
            scalar => {
                write_scalar(out, scalar, indent + 2);
                out.push('\n');
            }
        }
    }
}

fn write_scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::String(string) if fits_block(string) => write_block(out, string, indent),
        Value::String(string) => out.push_str(&text(string)),
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        plain => out.push_str(&plain.to_string()),
    }
}

/// Whether a text can stand line by line in a literal block (YAML 1.2.2, 8.1.2) without any change.
fn fits_block(string: &str) -> bool {
    string.trim_end_matches('\n').contains('\n')
        && !string.starts_with([' ', '\n', '\t'])
        && string
            .chars()
            .all(|c| c == '\n' || c == '\t' || is_printable(c))
}

fn write_block(out: &mut String, string: &str, indent: usize) {
    let body = string.trim_end_matches('\n');
    let ends = string.len() - body.len();
    out.push_str(match ends {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&" ".repeat(indent));
            out.push_str(line);
        }
    }
    out.push_str(&"\n".repeat(ends.saturating_sub(1)));
}

/// A text in the plainest of the three styles that says just that text.
fn text(string: &str) -> String {
    if string.is_empty() || is_taken_for_another_type(string) {
        return double_quoted(string);
    }
    if !string.chars().all(is_printable) {
        return double_quoted(string);
    }
    if needs_quotes(string) {
        format!("'{}'", string.replace('\'', "''"))
    } else {
        string.to_owned()
    }
}

/// JSON's escapes are a subset of YAML's, and JSON leaves the rest of Unicode as it is; what YAML does not print is added.
fn double_quoted(string: &str) -> String {
    let mut out = String::with_capacity(string.len() + 2);
    for c in Value::from(string).to_string().chars() {
        match c {
            c if is_printable(c) => out.push(c),
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out
}

fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Numbers, truth values, null and times in any spelling of YAML 1.1 or 1.2.
fn is_taken_for_another_type(string: &str) -> bool {
    const WORDS: [&str; 12] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ".nan", ".inf",
    ];
    let lower = string.to_ascii_lowercase();
    let unsigned = lower.strip_prefix(['+', '-']).unwrap_or(&lower);
    let number_like = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.chars().any(|c| c.is_ascii_digit())
        && unsigned.chars().all(|c| {
            c.is_ascii_hexdigit()
                || matches!(c, '.' | '_' | '+' | '-' | ':' | 'x' | 'o' | 't' | 'z' | ' ')
        });
    // A version such as 2.7.2 is no number, whatever it looks like.
    let version = unsigned.matches('.').count() > 1
        && unsigned.chars().all(|c| c.is_ascii_digit() || c == '.');
    WORDS.contains(&unsigned)
        || string == "<<"
        || string == "="
        || number_like && !version && !is_uuid(string)
}

fn is_uuid(string: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length && part.chars().all(|c| c.is_ascii_hexdigit())
    };
    let parts: Vec<&str> = string.split('-').collect();
    parts.len() == 5
        && parts
            .iter()
            .zip([8, 4, 4, 4, 12])
            .all(|(part, length)| hex(part, length))
}

fn needs_quotes(string: &str) -> bool {
    string.starts_with([
        '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@',
        '`', ' ',
    ]) || string.ends_with([' ', ':'])
        || string.contains(": ")
        || string.contains(" #")
        || string.starts_with("---")
        || string.starts_with("...")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn looks_like_the_reference() {
        let value = json!({
            "data": {"e": "", "s": "it's: yes", "t": true, "x": {"y": [1, [2, 3], {"z": null, "a": {}}]}},
            "list": [], "n": 1, "time": "2026-11-23T22:40:08.415556076Z", "version": "2.7.2", "num": "12",
            "id": "c18ace2d-8afc-a591-442d-0c7101f0f563",
        });
        let wanted = "\
data:
  e: \"\"
  s: 'it''s: yes'
  t: true
  x:
    \"y\":
    - 1
    - - 2
      - 3
    - a: {}
      z: null
id: c18ace2d-8afc-a591-442d-0c7101f0f563
list: []
\"n\": 1
num: \"12\"
time: \"2026-11-23T22:40:08.415556076Z\"
version: 2.7.2
";
        assert_eq!(document(&value), wanted);
    }

    #[test]
    fn lines_stand_in_blocks_and_odd_characters_are_escaped() {
        assert_eq!(document(&json!({"k": "a\n\n b\n"})), "k: |\n  a\n\n   b\n");
        assert_eq!(document(&json!({"k": "a\nb"})), "k: |-\n  a\n  b\n");
        assert_eq!(document(&json!({"k": "a\nb\n\n"})), "k: |+\n  a\n  b\n\n");
        assert_eq!(document(&json!({"k": " a\nb"})), "k: \" a\\nb\"\n");
        assert_eq!(
            document(&json!("a\u{7f}\u{1b}")),
            "\"a\\U0000007F\\u001b\"\n"
        );
        assert_eq!(
            document(&json!([
                "- x", "0x1f", "1e3", "on", "a #b", "#c", "a:", "-"
            ])),
            "- '- x'\n- \"0x1f\"\n- \"1e3\"\n- \"on\"\n- 'a #b'\n- '#c'\n- 'a:'\n- '-'\n"
        );
    }
}
