//! The paths below `identity/mfa/`, one file for each noun, and `sys/mfa/validate`.

mod elsewhere;
mod enforcements;
mod methods;
mod secrets;
mod validate;

use coffer_engine::{Fault, Reply, Routes};
use serde_json::{Map, Value, json};

use crate::open::Open;

/// The table of everything below `identity/mfa/`.
pub fn routes() -> Routes<Open> {
    Routes::merge([
        methods::routes(),
        secrets::routes(),
        elsewhere::routes(),
        enforcements::routes(),
    ])
}

/// The paths below `sys/mfa/`.
pub fn validate_routes() -> Routes<Open> {
    validate::routes()
}

/// The answer of a list, with what is to be known of each; an empty one is "not found", as the reference has it.
fn listed(info: Map<String, Value>) -> Result<Reply, Fault> {
    if info.is_empty() {
        return Err(Fault::NotFound);
    }
    let keys: Vec<String> = info.keys().cloned().collect();
    Reply::data(&json!({ "keys": keys, "key_info": info }))
}

/// An id of a method; others are no paths.
fn check_id(id: &str) -> Result<(), Fault> {
    match super::super::name::is_id(id) {
        true => Ok(()),
        false => Err(Fault::UnsupportedPath),
    }
}
