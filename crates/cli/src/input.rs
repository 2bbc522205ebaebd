//! Values from the command line: `key=value`, `key=@file`, `key=-`, `@file.json`, `-`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::ui::{Ui, read_file};

/// Reads the words that say what to write.
///
/// `@file` and `-` are a whole JSON object from a file or standard input; `key=@file` and `key=-` take one value from
/// there; `key=\@x` is the text `@x`. A key given twice becomes a list.
pub(crate) fn data(words: &[String], ui: &Ui) -> Result<Map<String, Value>, Failure> {
    let mut out = Map::new();
    for word in words {
        add(&mut out, word, ui).map_err(|failure| {
            // The value may be a secret, and error texts end up in logs: only the key is repeated.
            let key = word.split_once('=').map_or(word.as_str(), |(key, _)| key);
            Failure::local(format!("\"{key}\" is not usable: {}", failure.text))
        })?;
    }
    Ok(out)
}

/// Reads `key=value` words whose values are texts (options of mounts and audit devices).
pub(crate) fn texts(words: &[String], ui: &Ui) -> Result<BTreeMap<String, String>, Failure> {
    data(words, ui)?
        .into_iter()
        .map(|(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            Value::Array(_) => Err(Failure::local(format!(
                "\"{key}\" is given twice; give it once"
            ))),
            other => Ok((key, other.to_string())),
        })
        .collect()
}

/// Reads the `key=value` of a flag like `-metadata=team=a`.
pub(crate) fn pair(word: &str) -> Result<(String, String), String> {
    match word.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as key=value".to_owned()),
    }
}

/// Checks a duration such as `90s`, `1h30m`, `3d` or plain seconds, and keeps its text for the server.
pub(crate) fn duration(text: &str) -> Result<String, String> {
    match text {
        // The reference's flags take these for "no limit of its own".
        "system" | "-1" => Ok(text.to_owned()),
        _ => coffer_wire::parse_duration(text)
            .map(|_| text.to_owned())
            .map_err(|_| "write it like 90s, 15m, 1h30m, 3d or as seconds".to_owned()),
    }
}

fn add(out: &mut Map<String, Value>, word: &str, ui: &Ui) -> Result<(), Failure> {
    if word == "-" {
        return merge(out, &ui.stdin()?);
    }
    if let Some(file) = word.strip_prefix('@') {
        return merge(out, &read_file(file)?);
    }
    let Some((key, value)) = word.split_once('=').filter(|(key, _)| !key.is_empty()) else {
        return Err(Failure::local(
            "write it as key=value, @file.json, or - for JSON on standard input",
        ));
    };
    let value = match value {
        "-" => ui.stdin()?.to_string(),
        _ => match (value.strip_prefix('@'), value.strip_prefix("\\@")) {
            (Some(file), _) => read_file(file)?.to_string(),
            (_, Some(rest)) => format!("@{rest}"),
            _ => value.to_owned(),
        },
    };
    match out.get_mut(key) {
        None => drop(out.insert(key.to_owned(), Value::String(value))),
        Some(Value::Array(values)) => values.push(Value::String(value)),
        Some(first) => *first = Value::Array(vec![first.take(), Value::String(value)]),
    }
    Ok(())
}

fn merge(out: &mut Map<String, Value>, json: &str) -> Result<(), Failure> {
    match serde_json::from_str::<Value>(json) {
        Ok(Value::Object(fields)) => {
            out.extend(fields);
            Ok(())
        }
        Ok(_) => Err(Failure::local(
            "it holds JSON, but not an object like {\"key\": \"value\"}",
        )),
        Err(error) => Err(Failure::local(format!(
            "it is not valid JSON (line {}, column {})",
            error.line(),
            error.column()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(words: &[&str]) -> Result<Value, Failure> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        data(&words, &Ui::new(true)).map(Value::Object)
    }

    #[test]
    fn values_from_words_and_files() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("f");
        std::fs::write(&file, "line\n").unwrap();
        let object = directory.path().join("o.json");
        std::fs::write(&object, r#"{"n": 1.50, "b": true}"#).unwrap();
        let value = read(&[
            "a=1",
            "e=",
            "q=x=y",
            r"at=\@x",
            &format!("f=@{}", file.display()),
            &format!("@{}", object.display()),
            "a=2",
            "a=3",
        ])
        .unwrap();
        let mut wanted = json!({"a": ["1", "2", "3"], "e": "", "q": "x=y", "at": "@x", "f": "line\n", "b": true});
        wanted["n"] = serde_json::from_str("1.50").unwrap();
        assert_eq!(value, wanted);
    }

    #[test]
    fn errors_name_the_key_and_not_the_value() {
        assert!(read(&["junk"]).unwrap_err().text.contains("key=value"));
        assert!(read(&["=x"]).is_err());
        let error = read(&["password=@/nowhere/secretfile"]).unwrap_err();
        assert!(
            error.text.starts_with("\"password\"") && error.code == 1,
            "{}",
            error.text
        );
        assert!(duration("1h").is_ok() && duration("60").is_ok() && duration("soon").is_err());
    }
}
