//! What nobody sends to a field in good faith.

use serde_json::{Map, Value, json};

use crate::running::Running;
use crate::surface::Endpoint;

/// Paths and bodies with each of the endpoint's fields in turn given each of the values below.
pub fn requests(running: &Running, endpoint: &Endpoint) -> Vec<(String, String)> {
    let plausible = plausible(running, endpoint);
    let mut requests = Vec::new();
    for field in endpoint.fields().keys() {
        if is_shared(endpoint, field) {
            continue;
        }
        if endpoint.has_body() {
            let bodies = texts()
                .into_iter()
                .map(|text| body(&plausible, field, &text));
            requests.extend(bodies.map(|body| (endpoint.path.clone(), body)));
        } else {
            let queries = queries(field).into_iter();
            let paths = queries.map(|query| format!("{}?{query}", endpoint.path));
            requests.extend(paths.map(|path| (path, String::new())));
        }
    }
    requests
}

/// Whether a field is of those that all auth methods read by the same code; it is asked of one of them.
fn is_shared(endpoint: &Endpoint, field: &str) -> bool {
    let shared = field.starts_with("token_") || field == "alias_metadata";
    shared
        && endpoint.mount.starts_with("auth/")
        && endpoint.mount != "auth/userpass/"
        && endpoint.mount != "auth/token/"
}

/// Raw JSON texts of the wrong type or size for almost any field.
fn texts() -> Vec<String> {
    let plain = [
        "{\"a\":{\"b\":1}}",
        "{\"\":null}",
        "[1,{\"a\":[]},\"b\",null]",
        "[]",
        "\"text\"",
        "\"\"",
        "\"\\u0000\\n\\uffff\"",
        "\"-1h\"",
        "\"9223372036854775807s\"",
        "\"2562047h99h\"",
        "\"../../{{x}}%n${a}\"",
        "-1",
        "0",
        "0.5",
        "1e400",
        "-1e-400",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "true",
        "null",
    ];
    // The large ones come first: where they are taken, a small one replaces them before the next field.
    let mut all = vec![
        format!("\"{}\"", "x".repeat(1024 * 1024)),
        format!("\"{}\"", "{\\n\\\"(".repeat(20_000)),
        format!("{}1{}", "[".repeat(100), "]".repeat(100)),
        format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100)),
        format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)),
    ];
    all.extend(plain.map(str::to_owned));
    all
}

/// Queries of the wrong type or size for almost any parameter.
fn queries(field: &str) -> Vec<String> {
    let long = "x".repeat(8 * 1024);
    let values = [
        "",
        "text",
        "-1",
        "1e400",
        "18446744073709551616",
        "0.5",
        "%7B%22a%22%3A1%7D",
        "%00",
        "%ff%fe",
        "a&FIELD=b",
        &long,
    ];
    values
        .iter()
        .map(|value| format!("{field}={}", value.replace("FIELD", field)))
        .collect()
}

/// A body that the endpoint would take, so that a wrong field is not hidden behind a missing one.
fn plausible(running: &Running, endpoint: &Endpoint) -> Map<String, Value> {
    let required = endpoint.operation.request["required"].as_array();
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    let mut body: Map<String, Value> = names
        .map(|name| (name.to_owned(), json!("x")))
        .filter(|(name, _)| endpoint.fields().contains_key(name))
        .collect();
    let more = match endpoint.pattern().as_str() {
        "database/config/{name}" => json!({
            "plugin_name": "postgresql-database-plugin", "verify_connection": false, "allowed_roles": "*",
            "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/x", "username": "u", "password": "p",
        }),
        "database/roles/{name}" => json!({"db_name": "x", "creation_statements": "select 1"}),
        "database/static-roles/{name}" => {
            json!({"db_name": "x", "username": "u", "rotation_period": "1h"})
        }
        "secret/data/{path*}" => json!({"data": {"a": "b"}, "options": {}}),
        "sys/mounts/{path*}" => json!({"type": "kv"}),
        "sys/audit/{path*}" => {
            json!({"type": "file", "options": {"file_path": running.file("audit.log")}})
        }
        "sys/policies/acl/{name}" | "sys/policy/{name}" => {
            json!({"policy": "path \"x\" { capabilities = [\"read\"] }"})
        }
        "sys/policies/password/{name}" => {
            json!({"policy": "length = 20\nrule \"charset\" { charset = \"abc\" }"})
        }
        "sys/rekey/init" | "sys/rotate/root/init" | "sys/init" => {
            json!({"secret_shares": 1, "secret_threshold": 1})
        }
        _ => json!({}),
    };
    body.extend(more.as_object().cloned().unwrap_or_default());
    body
}

/// The body as text, with `value` under `field`. Made by hand, since no library writes such values.
fn body(plausible: &Map<String, Value>, field: &str, value: &str) -> String {
    let mut text = String::from("{");
    for (name, value) in plausible.iter().filter(|(name, _)| *name != field) {
        text.push_str(&format!("{}:{value},", json!(name)));
    }
    text.push_str(&format!("{}:{value}}}", json!(field)));
    text
}
