//! A plan for people.

use serde_json::Value;

use super::compare::SECRET;
use super::declaration::Id;
use super::kind::Kind;
use super::lines::difference;
use super::plan::{Action, Change, FieldChange, Plan};

/// Longest value that is shown, in characters.
const MAX_VALUE_CHARS: usize = 200;

/// The plan, change by change, and its sum.
pub(crate) fn text(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for change in &plan.changes {
        lines.push(headline(change));
        for field in &change.fields {
            lines.extend(field_lines(change, field));
        }
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(sum(plan));
    match plan.not_shown {
        0 => {}
        1 => lines.push(
            "1 secret or write-only field was not compared, because the server does not show it."
                .to_owned(),
        ),
        count => lines.push(format!(
            "{count} secret or write-only fields were not compared, because the server does not show them."
        )),
    }
    lines.join("\n")
}

/// One line about a change.
pub(crate) fn headline(change: &Change) -> String {
    let Change { id, action, .. } = change;
    match action {
        Action::Add => format!("+ {id}"),
        Action::Change if id.kind == Kind::Audit => format!("~ {id} (disabled and enabled anew)"),
        Action::Change => format!("~ {id}"),
        Action::Remove => format!("- {id}{}", consequence(id)),
        Action::Conflict => format!("! {id} (can not be changed in place)"),
    }
}

fn consequence(id: &Id) -> &'static str {
    match id.kind {
        Kind::Mount => " (its data is deleted, its leases end)",
        Kind::Auth => " (its users and their tokens end)",
        Kind::Namespace => " (with everything in it)",
        _ => "",
    }
}

fn field_lines(change: &Change, field: &FieldChange) -> Vec<String> {
    if let (true, Value::String(new)) = (change.id.kind.is_text(), &field.to) {
        let old = field.from.as_str().unwrap_or_default();
        let lines = difference(old, new);
        return lines.iter().map(|line| format!("    {line}")).collect();
    }
    let (name, from, to) = (&field.name, shown(&field.from), shown(&field.to));
    let line = match change.action {
        Action::Add => format!("    {name} = {to}"),
        _ if field.is_new() => format!("    {name} = {to}"),
        _ => format!("    {name}: {from} -> {to}"),
    };
    vec![line]
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text == SECRET => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn sum(plan: &Plan) -> String {
    let mut parts = Vec::new();
    for (action, word) in [
        (Action::Add, "to add"),
        (Action::Change, "to change"),
        (Action::Remove, "to remove"),
        (Action::Conflict, "in conflict"),
    ] {
        match plan.count(action) {
            0 => {}
            count => parts.push(format!("{count} {word}")),
        }
    }
    if parts.is_empty() {
        return format!("No drift: {} as declared.", plan.unchanged);
    }
    parts.push(format!("{} as declared", plan.unchanged));
    format!("{}.", parts.join(", "))
}
