//! The OpenAPI document, made from the tables of all mounts.
//!
//! The tables hold JSON schemas; OpenAPI 3.0 knows a dialect of them, see [`adapted`].

use std::collections::BTreeSet;
use std::sync::Arc;

use coffer_engine::{Class, Operation};
use coffer_wire::Verb;
use serde_json::{Map, Value, json};

use crate::mounts::Mount;

/// The version of OpenAPI that clients of this API generate code from.
const OPENAPI: &str = "3.0.2";

type Object = Map<String, Value>;

/// A document in the making.
struct Document {
    paths: Object,
    schemas: Object,
    names: BTreeSet<String>,
}

/// The paths of these mounts. With `generic`, a mount's own path is a parameter.
pub(crate) fn of_mounts(mounts: &[Arc<Mount>], generic: bool, version: &str) -> Value {
    let mut document = Document::new();
    let mut kinds = BTreeSet::new();
    for mount in mounts {
        let movable = generic && !mount.is_kernels_own() && !mount.per_token();
        if movable && !kinds.insert(mount.record.kind.clone()) {
            continue;
        }
        document.add(mount, movable, &mount.operations().1);
    }
    document.finish(version)
}

/// Some operations of one mount.
pub(crate) fn of_operations(mount: &Mount, operations: &[Operation], version: &str) -> Value {
    let mut document = Document::new();
    document.add(mount, false, operations);
    document.finish(version)
}

impl Document {
    fn new() -> Self {
        Self {
            paths: Object::new(),
            schemas: Object::new(),
            names: BTreeSet::new(),
        }
    }

    fn finish(self, version: &str) -> Value {
        json!({
            "openapi": OPENAPI,
            "info": {
                "title": "Coffer API",
                "description": "The HTTP API of this server. All paths are below `/v1/`.",
                "version": version,
                "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
            },
            "paths": self.paths,
            "components": { "schemas": self.schemas },
        })
    }

    fn add(&mut self, mount: &Mount, movable: bool, operations: &[Operation]) {
        let record = &mount.record;
        let tag = match (record.kind.as_str(), record.class()) {
            ("system", _) => "system",
            (_, Class::Auth) => "auth",
            (_, Class::Secret) => "secrets",
        };
        let parameter = format!("{}_mount_path", record.kind.replace('-', "_"));
        let (prefix, named) = match (movable, record.class()) {
            (false, _) => (record.path.clone(), record.path.clone()),
            (true, Class::Auth) => (format!("auth/{{{parameter}}}/"), record.kind.clone()),
            (true, Class::Secret) => (format!("{{{parameter}}}/"), record.kind.clone()),
        };
        for operation in operations {
            let path = format!("/{prefix}{}", operation.pattern.replace("*}", "}"));
            let name = self.unused_name(&named, operation);
            let described = self.described(&name, tag, operation);
            let first = || head(operation, movable.then_some(parameter.as_str()));
            let item = self.paths.entry(path).or_insert_with(first);
            if let Some(item) = item.as_object_mut() {
                merge(item, method(operation.verb), described);
            }
        }
    }

    /// One verb on one path.
    fn described(&mut self, name: &str, tag: &str, operation: &Operation) -> Object {
        let mut described = Object::new();
        if let Some(summary) = operation.request.get("description") {
            described.insert("summary".into(), summary.clone());
        }
        described.insert("operationId".into(), name.into());
        described.insert("tags".into(), json!([tag]));
        let schema = self.hoisted(name, operation.request.clone());
        let fields = own_fields(&schema, operation.pattern);
        if has_body(operation.verb) {
            if !fields.is_empty() {
                let reference = self.kept(&format!("{}Request", camel(name)), body(schema, fields));
                described.insert(
                    "requestBody".into(),
                    json!({ "required": true, "content": { "application/json": { "schema": reference } } }),
                );
            }
        } else {
            let query = query(operation.verb, fields);
            if !query.is_empty() {
                described.insert("parameters".into(), query.into());
            }
        }
        described.insert("responses".into(), self.responses(name, operation));
        described
    }

    fn responses(&mut self, name: &str, operation: &Operation) -> Value {
        match &operation.reply {
            Some(reply) => {
                let schema = self.hoisted(name, reply.clone());
                let reference = self.kept(&format!("{}Response", camel(name)), schema);
                json!({ "200": { "description": "OK", "content": { "application/json": { "schema": reference } } } })
            }
            None if operation.verb == Verb::Delete => {
                json!({ "204": { "description": "empty body" } })
            }
            None => json!({ "200": { "description": "OK" } }),
        }
    }

    /// The schema in OpenAPI's dialect; the definitions it holds go to the components.
    fn hoisted(&mut self, name: &str, mut schema: Value) -> Value {
        let prefix = camel(name);
        let definitions = schema
            .as_object_mut()
            .and_then(|schema| schema.remove("$defs"));
        if let Some(Value::Object(definitions)) = definitions {
            for (definition, schema) in definitions {
                let schema = adapted(schema, &prefix);
                self.schemas.insert(format!("{prefix}{definition}"), schema);
            }
        }
        adapted(schema, &prefix)
    }

    fn kept(&mut self, name: &str, schema: Value) -> Value {
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        self.schemas.insert(name.to_owned(), schema);
        reference
    }

    /// `secret-read-data-path`; numbered where that is taken.
    fn unused_name(&mut self, mount: &str, operation: &Operation) -> String {
        let words = format!("{mount}/{}/{}", operation.verb.word(), operation.pattern);
        let words = words.split(|c: char| !c.is_ascii_alphanumeric());
        let plain: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let plain = plain.join("-").to_lowercase();
        let mut name = plain.clone();
        let mut number: u64 = 2;
        while !self.names.insert(name.clone()) {
            name = format!("{plain}-{number}");
            number += 1;
        }
        name
    }
}

/// What all verbs of a path share.
fn head(operation: &Operation, mount_parameter: Option<&str>) -> Value {
    let mut item = Object::new();
    item.insert("description".into(), operation.about.into());
    let help = |name: &str| {
        let field = operation.request.get("properties")?.get(name)?;
        field.get("description").cloned()
    };
    let mut parameters: Vec<Value> = mount_parameter
        .map(|name| in_path(name, "Path that the engine is mounted at".into()))
        .into_iter()
        .collect();
    parameters.extend(
        captures(operation.pattern).map(|name| in_path(name, help(name).unwrap_or_default())),
    );
    if !parameters.is_empty() {
        item.insert("parameters".into(), parameters.into());
    }
    for (name, is_set) in [
        ("x-vault-sudo", operation.flags.sudo),
        ("x-vault-unauthenticated", operation.flags.unauthenticated),
        ("x-vault-createSupported", operation.tells_existence),
    ] {
        if is_set {
            item.insert(name.into(), true.into());
        }
    }
    item.into()
}

fn in_path(name: &str, description: Value) -> Value {
    json!({ "name": name, "description": description, "in": "path", "schema": { "type": "string" }, "required": true })
}

/// Adds a verb. A list is a GET too: where both are there, the list adds its parameters.
fn merge(item: &mut Object, method: &str, described: Object) {
    let Some(Value::Object(present)) = item.get_mut(method) else {
        item.insert(method.into(), described.into());
        return;
    };
    let Some(Value::Array(more)) = described.get("parameters") else {
        return;
    };
    let parameters = present
        .entry("parameters")
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(all) = parameters {
        for parameter in more {
            let mut parameter = parameter.clone();
            if let Some(fields) = parameter.as_object_mut() {
                fields.remove("required");
            }
            let name = parameter.get("name").cloned();
            if !all.iter().any(|known| known.get("name") == name.as_ref()) {
                all.push(parameter);
            }
        }
    }
}

fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Read | Verb::List | Verb::Scan => "get",
        Verb::Write => "post",
        Verb::Patch => "patch",
        Verb::Delete => "delete",
    }
}

fn has_body(verb: Verb) -> bool {
    matches!(verb, Verb::Write | Verb::Patch)
}

/// The names of a pattern's variables.
fn captures(pattern: &str) -> impl Iterator<Item = &str> {
    let inner = |segment| -> Option<&str> { str::strip_prefix(segment, '{')?.strip_suffix('}') };
    let segments = pattern.split('/').filter_map(inner);
    segments.map(|name| name.strip_suffix('*').unwrap_or(name))
}

/// The fields that are not in the path.
fn own_fields(schema: &Value, pattern: &str) -> Object {
    let fields = schema.get("properties").and_then(Value::as_object);
    let mut fields = fields.cloned().unwrap_or_default();
    captures(pattern).for_each(|name| drop(fields.remove(name)));
    fields
}

fn body(mut schema: Value, fields: Object) -> Value {
    if fields.values().any(|field| field.get("x-body").is_some()) {
        return json!({ "type": "object", "additionalProperties": true });
    }
    if let Some(schema) = schema.as_object_mut() {
        let required = schema.remove("required");
        let still: Vec<Value> = required
            .and_then(|names| names.as_array().cloned())
            .unwrap_or_default()
            .into_iter()
            .filter(|name| name.as_str().is_some_and(|name| fields.contains_key(name)))
            .collect();
        if !still.is_empty() {
            schema.insert("required".into(), still.into());
        }
        schema.remove("description");
        schema.insert("type".into(), "object".into());
        schema.insert("properties".into(), fields.into());
    }
    schema
}

fn query(verb: Verb, fields: Object) -> Vec<Value> {
    let switch = |name: &str| json!({ "name": name, "description": "Must be set to `true`", "in": "query", "schema": { "type": "string", "enum": ["true"] }, "required": true });
    let mut all: Vec<Value> = match verb {
        Verb::List => vec![switch("list")],
        Verb::Scan => vec![switch("scan")],
        _ => Vec::new(),
    };
    for (name, mut schema) in fields {
        let description = schema
            .as_object_mut()
            .and_then(|schema| schema.remove("description"))
            .unwrap_or_default();
        all.push(
            json!({ "name": name, "description": description, "in": "query", "schema": schema }),
        );
    }
    all
}

/// A JSON schema in the dialect of OpenAPI 3.0: one type and `nullable` instead of `null` among types,
/// `enum` instead of `const`, objects instead of the schemas `true` and `false`, and references that
/// lead to the components.
fn adapted(schema: Value, prefix: &str) -> Value {
    match schema {
        Value::Bool(true) => json!({}),
        Value::Bool(false) => json!({ "not": {} }),
        Value::Object(fields) => adapted_object(fields, prefix).into(),
        other => other,
    }
}

fn adapted_object(fields: Object, prefix: &str) -> Object {
    let mut out = Object::new();
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("$schema" | "$defs" | "title" | "examples", _) => {}
            ("$ref", Value::String(to)) => {
                let to = to.replace("#/$defs/", &format!("#/components/schemas/{prefix}"));
                out.insert(name, to.into());
            }
            ("const", value) => drop(out.insert("enum".into(), json!([value]))),
            ("type", value) => typed(&mut out, value),
            ("properties" | "patternProperties", Value::Object(fields)) => {
                let fields: Object = fields
                    .into_iter()
                    .map(|(field, schema)| (field, adapted(schema, prefix)))
                    .collect();
                out.insert("properties".into(), fields.into());
            }
            ("items" | "not", value) => drop(out.insert(name, adapted(value, prefix))),
            ("additionalProperties", Value::Object(fields)) => {
                out.insert(name, adapted_object(fields, prefix).into());
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(choices)) => {
                chosen(&mut out, name, choices, prefix);
            }
            (_, value) => drop(out.insert(name, value)),
        }
    }
    out
}

fn typed(out: &mut Object, value: Value) {
    let names = match value {
        Value::Array(names) => names,
        one => vec![one],
    };
    let (nulls, mut types): (Vec<_>, Vec<_>) = names
        .into_iter()
        .partition(|name| name.as_str() == Some("null"));
    if !nulls.is_empty() {
        out.insert("nullable".into(), true.into());
    }
    // Several types are what lenient fields take; 3.0 says that by saying nothing.
    if types.len() == 1
        && let Some(only) = types.pop()
    {
        out.insert("type".into(), only);
    }
}

fn chosen(out: &mut Object, name: String, choices: Vec<Value>, prefix: &str) {
    let is_null = |choice: &Value| choice.get("type").and_then(Value::as_str) == Some("null");
    let (nulls, choices): (Vec<_>, Vec<_>) = choices.into_iter().partition(is_null);
    if !nulls.is_empty() {
        out.insert("nullable".into(), true.into());
    }
    let name = if choices.len() == 1 {
        "allOf".to_owned()
    } else {
        name
    };
    let choices: Vec<Value> = choices
        .into_iter()
        .map(|choice| adapted(choice, prefix))
        .collect();
    out.insert(name, choices.into());
}

/// `secret-read-data` as `SecretReadData`.
fn camel(name: &str) -> String {
    let mut text = String::new();
    for word in name.split('-') {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.extend(letters);
    }
    text
}
