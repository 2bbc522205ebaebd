//! What was asked and answered while a script runs, for the requests that refer to it.

use coffer_engine::{Body, Fault};
use coffer_wire::Wiped;
use serde_json::{Map, Value, json};

use super::budget::Budget;
use super::step::{Block, Step};
use crate::request::{Request, Response};

/// Requests and answers, each below the names of its block and of itself.
#[derive(Default)]
pub(crate) struct History {
    /// What was asked.
    pub requests: Wiped<Map<String, Value>>,
    /// What was answered.
    pub responses: Wiped<Map<String, Value>>,
}

impl History {
    /// Keeps a request. Its token is never in here: whoever reads a trace does not get it.
    pub fn asked(&mut self, block: &Block, step: &Step, request: &Request) {
        let shown = json!({
            "id": request.id,
            "operation": step.operation.word(),
            "path": request.path.as_str(),
            "map": (!request.body.is_empty()).then_some(&request.body.0),
            "headers": request.headers,
            "client_token": "",
            "client_token_accessor": "",
            "client_token_remaining_uses": 0,
            "ClientTokenSource": 0,
            "InboundSSCToken": "",
            "auth": null,
            "client_id": "",
            "connection": null,
            "display_name": "",
            "entity_id": "",
            "mfa_creds": {},
            "mount_accessor": "",
            "mount_point": "",
            "mount_type": "",
            "policy_override": false,
            "replication_cluster": "",
            "secret": null,
            "unauthenticated": false,
            "wrap_info": null,
        });
        below(&mut self.requests.0, block, step, shown);
    }

    /// Keeps an answer, if the run can pay for it.
    pub fn answered(
        &mut self,
        budget: &mut Budget,
        block: &Block,
        step: &Step,
        response: Option<&Response>,
    ) -> Result<(), Fault> {
        let shown = match response.filter(|response| says_something(response)) {
            Some(response) => {
                budget.json(text(&response.body)).map_err(Fault::TooLarge)?;
                shown(response)?
            }
            None => Value::Null,
        };
        below(&mut self.responses.0, block, step, shown);
        Ok(())
    }
}

fn below(all: &mut Map<String, Value>, block: &Block, step: &Step, value: Value) {
    let block = all
        .entry(block.name.as_str())
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(steps) = block {
        steps.insert(step.name.clone(), value);
    }
}

fn says_something(response: &Response) -> bool {
    !matches!(response.body, Body::Empty)
        || response.auth.is_some()
        || response.wrap_info.is_some()
        || !response.warnings.is_empty()
        || !response.lease_id.is_empty()
}

fn shown(response: &Response) -> Result<Value, Fault> {
    let lease = (!response.lease_id.is_empty()).then(|| {
        json!({
            "lease_id": response.lease_id,
            "lease_duration": response.lease_duration,
            "renewable": response.renewable,
        })
    });
    Ok(json!({
        "data": data(&response.body)?,
        "auth": response.auth,
        "warnings": (!response.warnings.is_empty()).then_some(&response.warnings),
        "wrap_info": response.wrap_info,
        "secret": lease,
        "redirect": "",
        "headers": null,
    }))
}

fn data(body: &Body) -> Result<Value, Fault> {
    match body {
        Body::Empty => Ok(Value::Null),
        Body::Json(text) | Body::JsonAlsoAtTop(text) | Body::JsonBare(text) => {
            let deep = |_| Fault::invalid("its answer is nested too deeply");
            serde_json::from_slice(text).map_err(deep)
        }
        Body::Raw { .. } | Body::Stream(_) => Err(Fault::invalid(
            "its answer is not JSON; ask for it by a request of its own",
        )),
    }
}

fn text(body: &Body) -> &[u8] {
    match body {
        Body::Json(text) | Body::JsonAlsoAtTop(text) | Body::JsonBare(text) => text,
        Body::Empty | Body::Raw { .. } | Body::Stream(_) => &[],
    }
}
