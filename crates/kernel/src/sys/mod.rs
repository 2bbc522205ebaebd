//! The kernel's own paths below `sys/`, one file per topic.

mod capabilities;
mod leases;
mod mount_shape;
mod mounts;
mod policies;

use std::sync::LazyLock;

use coffer_engine::{Fault, Reply, Routes};
use serde_json::json;

use crate::open::Open;

static TABLE: LazyLock<Routes<Open>> =
    LazyLock::new(|| Routes::merge([mounts::routes(), policies::routes(), capabilities::routes(), leases::routes()]));

/// The table of everything below `sys/`.
pub fn routes() -> &'static Routes<Open> {
    &TABLE
}

/// The answer of a list; an empty list is "not found", as the reference has it.
fn keys(keys: Vec<String>) -> Result<Reply, Fault> {
    if keys.is_empty() { Err(Fault::NotFound) } else { Reply::data(&json!({ "keys": keys })) }
}
