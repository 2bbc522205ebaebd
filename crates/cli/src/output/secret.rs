//! The envelope of an answer, printed.

use coffer_client::{Auth, Secret, WrapInfo};
use serde_json::{Map, Value};

use super::display::named_cell;
use super::{Format, cell, human_secs, key_values, print, quoted_list, structured};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Prints an answer, or one field of it.
pub(crate) fn print_secret(cx: &Context, secret: &Secret, field: Option<&str>) -> Outcome {
    if let Some(name) = field {
        let value = field_of(secret, name).ok_or_else(|| no_field(name))?;
        return print_field(cx, &value);
    }
    if cx.format != Format::Table {
        return print(cx, secret, String::new);
    }
    cx.ui.warnings(&secret.warnings);
    let rows = secret_rows(secret);
    if !rows.is_empty() {
        cx.ui.line(&key_values(&rows));
    }
    Ok(())
}

/// Prints one value: plain and without a line end for scripts, structured in the other formats.
pub(crate) fn print_field(cx: &Context, value: &Value) -> Outcome {
    let text = match cx.format {
        Format::Table => cell(value),
        other => structured(other, value)?,
    };
    cx.ui.print(&text);
    Ok(())
}

/// A field by its name in the table: of the wrapping, the token, the lease, or the data.
pub(crate) fn field_of(secret: &Secret, name: &str) -> Option<Value> {
    let special = match (&secret.wrap_info, &secret.auth) {
        (Some(wrap), _) => wrap_field(wrap, name),
        (_, Some(auth)) => auth_field(auth, name),
        _ => None,
    };
    let common = || match name {
        "lease_id" => Some(secret.lease_id.clone().into()),
        "lease_duration" => Some(secret.lease_duration.into()),
        "lease_renewable" => Some(secret.renewable.into()),
        "refresh_interval" => Some(secret.lease_duration.into()),
        "data"
            if secret
                .data
                .as_ref()
                .is_some_and(|data| data.get("data").is_none()) =>
        {
            secret.data.clone()
        }
        _ => None,
    };
    let data = || {
        secret
            .data
            .as_ref()
            .and_then(|data| data.get(name).cloned())
    };
    special.or_else(data).or_else(common)
}

/// Why a field cannot be printed.
pub(crate) fn no_field(name: &str) -> Failure {
    Failure::local(format!(
        "the answer has no field \"{name}\"; see all of them without -field"
    ))
}

/// Rows of plain data, in order of the keys.
pub(crate) fn key_rows(data: &Map<String, Value>) -> Vec<[String; 2]> {
    let mut rows: Vec<[String; 2]> = data
        .iter()
        .map(|(key, value)| [key.clone(), named_cell(key, value)])
        .collect();
    rows.sort();
    rows
}

fn secret_rows(secret: &Secret) -> Vec<[String; 2]> {
    if let Some(wrap) = &secret.wrap_info {
        return wrap_rows(wrap);
    }
    let mut rows = Vec::new();
    if !secret.lease_id.is_empty() {
        rows.push(row("lease_id", &secret.lease_id));
        rows.push(row("lease_duration", &human_secs(secret.lease_duration)));
        rows.push(row("lease_renewable", &secret.renewable.to_string()));
    }
    if let Some(auth) = &secret.auth {
        rows.extend(auth_rows(auth));
    }
    rows.extend(
        secret
            .data
            .as_ref()
            .and_then(Value::as_object)
            .map(key_rows)
            .unwrap_or_default(),
    );
    rows
}

fn auth_rows(auth: &Auth) -> Vec<[String; 2]> {
    if let Some(demand) = &auth.mfa_requirement {
        return second_factor_rows(demand);
    }
    let lasts_for_ever = auth.lease_duration == 0;
    let duration = if lasts_for_ever {
        "∞".to_owned()
    } else {
        human_secs(auth.lease_duration)
    };
    let mut rows = vec![
        row("token", auth.client_token.expose()),
        row("token_accessor", &auth.accessor),
        row("token_duration", &duration),
        row("token_renewable", &auth.renewable.to_string()),
        row("token_policies", &quoted_list(&auth.token_policies)),
        row("identity_policies", &quoted_list(&auth.identity_policies)),
        row("policies", &quoted_list(&auth.policies)),
    ];
    rows.extend(
        auth.metadata
            .iter()
            .map(|(key, value)| row(&format!("token_meta_{key}"), value)),
    );
    rows
}

/// What a login still needs: of each constraint one of its methods.
fn second_factor_rows(demand: &Value) -> Vec<[String; 2]> {
    let mut rows = vec![row(
        "mfa_request_id",
        &demand.get("mfa_request_id").map(cell).unwrap_or_default(),
    )];
    let constraints = demand.get("mfa_constraints").and_then(Value::as_object);
    for (constraint, any) in constraints.into_iter().flatten() {
        let methods = any.get("any").and_then(Value::as_array);
        for method in methods.into_iter().flatten() {
            let kind = method.get("type").map(cell).unwrap_or_default();
            for name in ["id", "uses_passcode", "name"] {
                let value = method.get(name).map(cell).unwrap_or_default();
                if !value.is_empty() {
                    rows.push(row(
                        &format!("mfa_constraint_{constraint}_{kind}_{name}"),
                        &value,
                    ));
                }
            }
        }
    }
    rows
}

fn wrap_rows(wrap: &WrapInfo) -> Vec<[String; 2]> {
    let mut rows = vec![
        row("wrapping_token:", wrap.token.expose()),
        row("wrapping_accessor:", &wrap.accessor),
        row("wrapping_token_ttl:", &human_secs(wrap.ttl)),
        row(
            "wrapping_token_creation_time:",
            &spaced_time(&wrap.creation_time),
        ),
        row("wrapping_token_creation_path:", &wrap.creation_path),
    ];
    if !wrap.wrapped_accessor.is_empty() {
        rows.push(row("wrapped_accessor:", &wrap.wrapped_accessor));
    }
    rows
}

/// `2026-11-23T22:40:34Z` as `2026-11-23 22:40:34 +0000 UTC`.
fn spaced_time(rfc3339: &str) -> String {
    match rfc3339.strip_suffix('Z') {
        Some(utc) => format!("{} +0000 UTC", utc.replacen('T', " ", 1)),
        None => rfc3339.to_owned(),
    }
}

fn wrap_field(wrap: &WrapInfo, name: &str) -> Option<Value> {
    Some(match name {
        "wrapping_token" | "token" => wrap.token.expose().into(),
        "wrapping_accessor" => wrap.accessor.clone().into(),
        "wrapping_token_ttl" => wrap.ttl.into(),
        "wrapping_token_creation_time" => spaced_time(&wrap.creation_time).into(),
        "wrapping_token_creation_path" => wrap.creation_path.clone().into(),
        "wrapped_accessor" => wrap.wrapped_accessor.clone().into(),
        _ => return None,
    })
}

fn auth_field(auth: &Auth, name: &str) -> Option<Value> {
    if let Some(key) = name.strip_prefix("token_meta_") {
        return auth.metadata.get(key).map(|value| value.clone().into());
    }
    Some(match name {
        "token" => auth.client_token.expose().into(),
        "token_accessor" | "accessor" => auth.accessor.clone().into(),
        "token_duration" => auth.lease_duration.into(),
        "token_renewable" => auth.renewable.into(),
        "token_policies" => auth.token_policies.clone().into(),
        "identity_policies" => auth.identity_policies.clone().into(),
        "policies" => auth.policies.clone().into(),
        _ => return None,
    })
}

fn row(key: &str, value: &str) -> [String; 2] {
    [key.to_owned(), value.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(json: &str) -> Secret {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_lease_comes_before_its_data() {
        let secret = secret(
            r#"{"lease_id":"database/creds/app/x","lease_duration":120,"renewable":true,
                "data":{"username":"v-app","password":"pw","max_ttl":300}}"#,
        );
        let wanted = "\
Key                Value
---                -----
lease_id           database/creds/app/x
lease_duration     2m
lease_renewable    true
max_ttl            5m
password           pw
username           v-app";
        assert_eq!(key_values(&secret_rows(&secret)), wanted);
        assert_eq!(field_of(&secret, "password").unwrap(), "pw");
        assert_eq!(field_of(&secret, "lease_duration").unwrap(), 120);
        assert_eq!(field_of(&secret, "nope"), None);
    }

    #[test]
    fn a_token_is_shown_with_its_policies() {
        let secret = secret(
            r#"{"auth":{"client_token":"hvs.t","accessor":"acc","policies":["default"],"token_policies":["default"],
                "metadata":{"username":"joe"},"lease_duration":0,"renewable":false}}"#,
        );
        let wanted = "\
Key                    Value
---                    -----
token                  hvs.t
token_accessor         acc
token_duration         ∞
token_renewable        false
token_policies         [\"default\"]
identity_policies      []
policies               [\"default\"]
token_meta_username    joe";
        assert_eq!(key_values(&secret_rows(&secret)), wanted);
        assert_eq!(field_of(&secret, "token").unwrap(), "hvs.t");
        assert_eq!(field_of(&secret, "token_meta_username").unwrap(), "joe");
    }

    #[test]
    fn a_wrapped_answer_shows_only_its_wrapping() {
        let secret = secret(
            r#"{"wrap_info":{"token":"w","accessor":"a","ttl":60,"creation_time":"2026-11-23T22:40:34.5Z",
                "creation_path":"sys/wrapping/wrap"}}"#,
        );
        let text = key_values(&secret_rows(&secret));
        assert!(
            text.contains("wrapping_token_ttl:              1m\n"),
            "{text}"
        );
        assert!(text.contains("2026-11-23 22:40:34.5 +0000 UTC"), "{text}");
    }
}
