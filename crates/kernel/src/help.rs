//! `?help=1`: what a mount or a path is for, from its table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use coffer_engine::{Fault, Flags, Operation, Reply};
use coffer_wire::Verb;
use serde_json::{Value, json};

use crate::lifecycle::doorstep;
use crate::mounts::{Backend, Found, Mount};
use crate::sys::openapi;

/// The path that help is asked for: any verb will do, and so will the mount itself.
pub fn find(mount: &Mount, tail: &str) -> Result<Found, Fault> {
    if tail.is_empty() {
        return Ok(whole_mount());
    }
    let found = Verb::ALL.into_iter().find_map(|verb| {
        let own = mount.find(verb, tail).ok();
        let is_system = matches!(mount.backend, Backend::System);
        own.or_else(|| doorstep::find(verb, tail).ok().filter(|_| is_system))
    });
    let found = found.ok_or(Fault::UnsupportedPath)?;
    Ok(Found {
        // Nothing is written, so nobody has to know whether it is there.
        tells_existence: false,
        ..found
    })
}

fn whole_mount() -> Found {
    Found {
        path: usize::MAX,
        endpoint: usize::MAX,
        captures: Vec::new(),
        flags: Flags::default(),
        tells_existence: false,
        pattern: "",
    }
}

/// The help of a mount or of one of its paths.
pub fn of_path(
    mount: &Arc<Mount>,
    tail: &str,
    found: &Found,
    version: &str,
) -> Result<Reply, Fault> {
    let (about, operations) = mount.operations();
    let text;
    let described: Vec<Operation>;
    if tail.is_empty() {
        text = of_mount(about, &operations);
        described = operations;
    } else {
        let path = tail.trim_end_matches('/');
        let matches = |operation: &Operation| filled(operation.pattern, found) == path;
        described = operations.into_iter().filter(matches).collect();
        text = of_operations(path, &described);
    }
    let document = openapi::of_operations(mount, &described, version);
    Reply::bare(&json!({ "help": text, "see_also": null, "openapi": document }))
}

fn of_mount(about: &str, operations: &[Operation]) -> String {
    let mut text = format!(
        "## DESCRIPTION\n\n{about}\n\n## PATHS\n\nAsk for help on one of these paths to see its parameters. A policy decides which of them a token may use.\n"
    );
    let mut last = "";
    for operation in operations {
        if operation.pattern != last {
            last = operation.pattern;
            let _ = write!(text, "\n    {last}\n        {}\n", operation.about);
        }
    }
    text
}

fn of_operations(path: &str, operations: &[Operation]) -> String {
    let first = operations.first();
    let pattern = first.map(|operation| operation.pattern).unwrap_or_default();
    let about = first.map(|operation| operation.about).unwrap_or_default();
    let mut text =
        format!("Request:        {path}\nMatching Route: {pattern}\n\n{about}\n\n## PARAMETERS\n");
    let schemas = operations.iter().map(|operation| &operation.request);
    let fields: BTreeMap<&String, &Value> = schemas
        .filter_map(|schema| schema.get("properties")?.as_object())
        .flatten()
        .collect();
    for (name, schema) in fields {
        let help = schema.get("description").and_then(Value::as_str);
        let help = help.unwrap_or_default().replace('\n', "\n        ");
        let _ = write!(text, "\n    {name} ({})\n\n        {help}\n", kind(schema));
    }
    text.push_str("\n## DESCRIPTION\n");
    for operation in operations {
        let about = operation.request.get("description").and_then(Value::as_str);
        let about = about.unwrap_or(operation.about).replace('\n', "\n        ");
        let _ = write!(text, "\n    {}\n        {about}\n", operation.verb.word());
    }
    text
}

/// The type of a field in one word.
fn kind(schema: &Value) -> &str {
    let named = match schema.get("type") {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|n| *n != "null"),
        _ => None,
    };
    named.unwrap_or("any")
}

/// A pattern with what its variables hold.
fn filled(pattern: &str, found: &Found) -> String {
    let mut path = pattern.to_owned();
    for (name, value) in &found.captures {
        path = path
            .replace(&format!("{{{name}*}}"), value)
            .replace(&format!("{{{name}}}"), value);
    }
    path
}
