//! The second factor of a login: asked for where somebody can answer.

use coffer_client::{Client, Secret};
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::failure::{Failure, While};
use crate::output::{Format, print_secret};

/// The login, finished by the second factor if it demands one. Where nobody can be asked, the answer is shown, and what to
/// send where.
pub(super) async fn asked(
    cx: &Context,
    client: &Client,
    secret: Secret,
) -> Result<Secret, Failure> {
    let demand = secret
        .auth
        .as_ref()
        .and_then(|auth| auth.mfa_requirement.clone());
    let Some(demand) = demand else {
        return Ok(secret);
    };
    let request = demand.get("mfa_request_id").and_then(Value::as_str);
    let request = request.unwrap_or_default().to_owned();
    if !cx.ui.is_interactive() {
        print_secret(cx, &secret, None)?;
        return Err(Failure {
            code: 2,
            text: unfinished(cx, &request, &demand),
        });
    }
    let mut payload = Map::new();
    for (constraint, methods) in constraints(&demand) {
        let (id, passcodes) = answered(cx, constraint, methods)?;
        payload.insert(id, passcodes);
    }
    let body = json!({ "mfa_request_id": request, "mfa_payload": payload });
    let answer = client
        .with_token(None)
        .write("sys/mfa/validate", &body)
        .await;
    let answer = answer.or_failed("checking the second factor")?;
    answer
        .filter(|secret| secret.auth.is_some() || secret.wrap_info.is_some())
        .ok_or_else(|| Failure {
            code: 2,
            text: "the second factor was taken, but no token came of it".to_owned(),
        })
}

/// Asks for what the first method of a constraint needs: any one of them is enough.
fn answered(cx: &Context, constraint: &str, methods: &[Value]) -> Result<(String, Value), Failure> {
    let method = methods.first().ok_or_else(|| Failure {
        code: 2,
        text: format!("the second factor \"{constraint}\" has no method"),
    })?;
    let of = |name: &str| method.get(name).and_then(Value::as_str).unwrap_or_default();
    if method.get("uses_passcode") != Some(&Value::Bool(true)) {
        return Ok((of("id").to_owned(), json!([])));
    }
    let name = match of("name") {
        "" => constraint,
        name => name,
    };
    let code = cx.ui.ask_hidden(
        &format!("Passcode of {name} ({})", of("type")),
        "Send it to sys/mfa/validate.",
    )?;
    Ok((of("id").to_owned(), json!([code])))
}

fn constraints(demand: &Value) -> impl Iterator<Item = (&str, &[Value])> {
    let all = demand.get("mfa_constraints").and_then(Value::as_object);
    all.into_iter().flatten().map(|(name, constraint)| {
        let any = constraint.get("any").and_then(Value::as_array);
        (name.as_str(), any.map(Vec::as_slice).unwrap_or_default())
    })
}

fn unfinished(cx: &Context, request: &str, demand: &Value) -> String {
    let ids: Vec<String> = constraints(demand)
        .filter_map(|(_, methods)| methods.first()?.get("id")?.as_str().map(str::to_owned))
        .collect();
    let payload: Map<String, Value> = ids.iter().map(|id| (id.clone(), json!(["CODE"]))).collect();
    let body = json!({ "mfa_request_id": request, "mfa_payload": payload });
    let flags: Vec<String> = ids.iter().map(|id| format!("-mfa={id}:CODE")).collect();
    let separator = if cx.format == Format::Table { "\n" } else { "" };
    format!(
        "{separator}The login waits for a second factor, and there is no terminal to ask for it. Finish it:\n\n    \
         echo '{body}' | {} write sys/mfa/validate -\n\nor log in anew with the code: {} login {} ...",
        cx.program,
        cx.program,
        flags.join(" ")
    )
}
