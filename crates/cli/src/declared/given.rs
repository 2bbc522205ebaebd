//! Values as files give them.

use std::path::Path;

use coffer_hcl::{Body, Value as Written};
use serde_json::{Map, Number, Value};

use crate::ui::read_file;

/// A value from the environment, like `env:DB_PASSWORD`.
const ENV: &str = "env:";
/// A value from a file beside the declarations, like `file:db-password`.
const FILE: &str = "file:";
/// A text that begins like one of these and is meant as it stands, like `text:env:x`.
const TEXT: &str = "text:";

/// A value, and whether any part of it came from elsewhere.
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) is_secret: bool,
}

/// Reads a value as it is written; `folder` is what file names are relative to.
pub(super) fn value(written: &Written, folder: &Path) -> Result<Given, String> {
    let plain = |value| {
        Ok(Given {
            value,
            is_secret: false,
        })
    };
    match written {
        Written::Bool(flag) => plain(Value::Bool(*flag)),
        Written::Number(text) => plain(number(text)),
        Written::String(text) => text_or_elsewhere(text, folder),
        Written::List(values) => {
            let values: Vec<Given> = values
                .iter()
                .map(|written| value(written, folder))
                .collect::<Result<_, _>>()?;
            let is_secret = values.iter().any(|given| given.is_secret);
            let value = values.into_iter().map(|given| given.value).collect();
            Ok(Given { value, is_secret })
        }
        Written::Object(body) => {
            let (fields, secrets) = object(body, folder)?;
            Ok(Given {
                value: Value::Object(fields),
                is_secret: !secrets.is_empty(),
            })
        }
    }
}

/// Reads a block's attributes; the names of those with a secret in them come beside. A name that is written several
/// times is a list.
pub(super) fn object(
    body: &Body,
    folder: &Path,
) -> Result<(Map<String, Value>, Vec<String>), String> {
    let (mut fields, mut secrets) = (Map::new(), Vec::new());
    for item in &body.items {
        let given = value(&item.value, folder)
            .map_err(|reason| format!("{}: {}: {reason}", item.position, item.key))?;
        let given_value = item.labels.iter().rev().fold(given.value, |inner, label| {
            Value::Object(Map::from_iter([(label.clone(), inner)]))
        });
        if given.is_secret {
            secrets.push(item.key.clone());
        }
        match (fields.get_mut(&item.key), given_value) {
            (None, value) => drop(fields.insert(item.key.clone(), value)),
            // `options "a" { }` twice is one object with two fields.
            (Some(Value::Object(old)), Value::Object(new)) if !item.labels.is_empty() => {
                old.extend(new);
            }
            (Some(Value::Array(values)), value) => values.push(value),
            (Some(first), value) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok((fields, secrets))
}

fn text_or_elsewhere(text: &str, folder: &Path) -> Result<Given, String> {
    let secret = |text: String| Given {
        value: Value::String(text),
        is_secret: true,
    };
    if let Some(name) = text.strip_prefix(ENV) {
        return match std::env::var(name) {
            Ok(value) => Ok(secret(value)),
            Err(_) => Err(format!("the environment has no variable {name}")),
        };
    }
    if let Some(name) = text.strip_prefix(FILE) {
        let path = folder.join(name);
        let content = read_file(&path.to_string_lossy()).map_err(|failure| failure.text)?;
        let content = content.strip_suffix('\n').unwrap_or(&content);
        let content = content.strip_suffix('\r').unwrap_or(content);
        return Ok(secret(content.to_owned()));
    }
    let text = text.strip_prefix(TEXT).unwrap_or(text);
    Ok(Given {
        value: Value::String(text.to_owned()),
        is_secret: false,
    })
}

/// Numbers keep their text where JSON has such a number; `0x1F` becomes one.
fn number(text: &str) -> Value {
    let parsed = serde_json::from_str::<Number>(text).ok();
    let parsed = parsed.or_else(|| Written::Number(text.to_owned()).as_i64().map(Number::from));
    parsed.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(hcl: &str, folder: &Path) -> Result<(Value, Vec<String>), String> {
        let (fields, secrets) = object(&coffer_hcl::parse(hcl).unwrap(), folder)?;
        Ok((Value::Object(fields), secrets))
    }

    #[test]
    fn values_keep_their_kind() {
        let hcl = "a = 1\nb = 1.50\nc = true\nd = [\"x\", 2]\ne = { f = \"g\" }\nh = 0x10\noptions \"i\" { j = 1 }\noptions \"k\" { l = 2 }";
        let (value, secrets) = given(hcl, Path::new("")).unwrap();
        let expected = json!({"a": 1, "b": 1.5, "c": true, "d": ["x", 2], "e": {"f": "g"}, "h": 16, "options": {"i": {"j": 1}, "k": {"l": 2}}});
        assert_eq!(value["b"].to_string(), "1.50");
        assert_eq!(value["options"], expected["options"]);
        assert_eq!((&value["d"], &value["h"]), (&expected["d"], &expected["h"]));
        assert!(secrets.is_empty());
    }

    #[test]
    fn secrets_come_from_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pw"), "sesame\n").unwrap();
        let hcl =
            "password = \"file:pw\"\nplain = \"text:file:pw\"\ninside = { a = [\"file:pw\"] }";
        let (value, secrets) = given(hcl, folder.path()).unwrap();
        assert_eq!(value["password"], "sesame");
        assert_eq!(value["plain"], "file:pw");
        assert_eq!(secrets, ["password", "inside"]);
        let missing = given("\n a = \"env:COFFER_NO_SUCH_VARIABLE\"", folder.path());
        assert!(missing.unwrap_err().starts_with("line 2, column 2: a: "));
        assert!(given("a = \"file:none\"", folder.path()).is_err());
    }
}
