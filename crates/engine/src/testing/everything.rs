//! Requests of all kinds at once, for tests of what must hold for each.

use coffer_wire::Verb;
use serde_json::{Map, Value, json};

use super::Bench;
use crate::Engine;
use crate::routes::capture_name;

/// What stands for each variable of a path.
const NAME: &str = "app";

impl<E: Engine> Bench<E> {
    /// Asks every path with every verb, with this text in all fields that take one: in all at once, and in each alone beside
    /// those that are needed. What is answered is not looked at: many of these are refused.
    pub async fn ask_everything(&self, text: &str) {
        for path in E::routes().paths() {
            let segments = path.pattern.split('/');
            let named = segments.map(|segment| capture_name(segment).map_or(segment, |_| NAME));
            let place = named.collect::<Vec<_>>().join("/");
            for endpoint in &path.endpoints {
                for body in bodies(path.pattern, &(endpoint.request)(), text) {
                    self.ask(endpoint.verb, &place, body).await;
                }
            }
        }
    }

    async fn ask(&self, verb: Verb, place: &str, body: Value) {
        drop(self.request(verb, place, body).await);
    }
}

/// Bodies for a request of this schema.
fn bodies(pattern: &str, schema: &Value, text: &str) -> Vec<Value> {
    let empty = Map::new();
    let fields = schema.get("properties").and_then(Value::as_object);
    let fields = fields.unwrap_or(&empty).iter();
    let is_captured = |name: &str| pattern.split('/').any(|s| capture_name(s) == Some(name));
    let filled = fields.filter(|(name, _)| !is_captured(name));
    let all: Map<String, Value> = filled
        .map(|(name, schema)| (name.clone(), value(schema, text)))
        .collect();
    let is_needed = |name: &str| {
        let needed = schema.get("required").and_then(Value::as_array);
        needed.is_some_and(|needed| needed.iter().any(|each| each == name))
    };
    let alone = all.keys().map(|only| {
        let kept = all
            .iter()
            .filter(|(name, _)| *name == only || is_needed(name));
        Value::Object(
            kept.map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    });
    let alone: Vec<Value> = alone.collect();
    let whole = whole_body(schema, text);
    [Value::Object(all)]
        .into_iter()
        .chain(alone)
        .chain(whole)
        .collect()
}

/// What is sent where the whole body is one value of the client's choice.
fn whole_body(schema: &Value, text: &str) -> Option<Value> {
    let fields = schema.get("properties")?.as_object()?;
    let whole = fields.values().any(|field| field.get("x-body").is_some());
    whole.then(|| json!({ text: text }))
}

/// A value of this type, with the text in it where it can be.
fn value(schema: &Value, text: &str) -> Value {
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([text]),
        Some("object") => json!({ text: text }),
        _ => json!(text),
    }
}
