//! The served OpenAPI document beside the one on file, so that nobody changes the API by accident.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

/// Set to write the file anew.
const UPDATE: &str = "COFFER_UPDATE_GOLDEN";

/// Fails with the first lines that differ.
pub fn compare(document: &Value) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/enumeration/openapi.json");
    let now = lines(document);
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&file, &now).unwrap();
        return;
    }
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    if before == now {
        return;
    }
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) =
        (before.lines().collect(), now.lines().collect());
    let mut shown = String::new();
    for (sign, line) in old
        .difference(&new)
        .map(|line| ('-', line))
        .chain(new.difference(&old).map(|line| ('+', line)))
        .take(30)
    {
        let _ = writeln!(shown, "{sign} {}", line.trim());
    }
    panic!(
        "the API changed:\n{shown}\nIf that is meant, run\n  {UPDATE}=1 cargo nextest run -p coffer-server golden"
    );
}

/// The document with a line for each verb of each path and for each schema.
fn lines(document: &Value) -> String {
    let mut text = String::from("{\n");
    let _ = writeln!(text, "\"openapi\": {},", document["openapi"]);
    let paths = members(&document["paths"], |item| {
        format!("{{\n{}\n}}", members(item, Value::to_string))
    });
    let _ = writeln!(text, "\"paths\": {{\n{paths}\n}},");
    let schemas = members(&document["components"]["schemas"], Value::to_string);
    let _ = writeln!(
        text,
        "\"components\": {{\n\"schemas\": {{\n{schemas}\n}}\n}}\n}}"
    );
    text
}

fn members(object: &Value, shown: impl Fn(&Value) -> String) -> String {
    let members = object.as_object().unwrap().iter();
    let each: Vec<String> = members
        .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), shown(value)))
        .collect();
    each.join(",\n")
}
