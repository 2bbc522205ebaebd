//! The paths below `identity/oidc/`, one file for each noun.

mod assignments;
mod authorize;
mod clients;
mod config;
mod discovery;
mod exchange;
mod keys;
mod oauth;
mod providers;
mod roles;
mod scopes;
mod tokens;
mod userinfo;

use coffer_engine::{Fault, Reply, Routes};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::open::Open;

/// The table of everything below `identity/oidc/`.
pub fn routes() -> Routes<Open> {
    Routes::merge([
        config::routes(),
        keys::routes(),
        roles::routes(),
        tokens::routes(),
        discovery::routes(),
        assignments::routes(),
        scopes::routes(),
        clients::routes(),
        providers::routes(),
        authorize::routes(),
        exchange::routes(),
        userinfo::routes(),
    ])
}

/// The answer of a list; an empty list is "not found", as the reference has it.
fn listed(mut keys: Vec<String>) -> Result<Reply, Fault> {
    if keys.is_empty() {
        return Err(Fault::NotFound);
    }
    keys.sort_unstable();
    keys.dedup();
    Reply::data(&json!({ "keys": keys }))
}

/// The same, with what is to be known of each.
fn listed_with(info: Vec<(String, impl Serialize)>) -> Result<Reply, Fault> {
    if info.is_empty() {
        return Err(Fault::NotFound);
    }
    let mut shown = Map::new();
    for (name, about) in info {
        shown.insert(name, serde_json::to_value(about).map_err(Fault::internal)?);
    }
    let keys: Vec<&String> = shown.keys().collect();
    Reply::data(&json!({ "keys": keys, "key_info": Value::Object(shown.clone()) }))
}

/// Refuses to take something away that others hang on.
fn unless_used(what: &str, name: &str, by: &str, users: Vec<String>) -> Result<(), Fault> {
    if users.is_empty() {
        return Ok(());
    }
    Err(Fault::Invalid(format!(
        "unable to delete {what} {name:?} because it is currently referenced by these {by}: {}",
        users.join(", ")
    )))
}
