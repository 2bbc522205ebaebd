//! `?help=1`: what a path is for, from its table.

use coffer_engine::{Fault, Reply};
use serde_json::json;

use crate::mounts::{Found, Mount};

/// The help of one path.
pub fn of_path(mount: &Mount, tail: &str, found: &Found) -> Result<Reply, Fault> {
    let (about, operations) = mount.operations();
    let _ = (tail, found);
    let mut text = format!("{about}\n");
    for operation in operations {
        text.push_str(&format!("\n    {}  {}", operation.pattern, operation.about));
    }
    Reply::data(&json!({ "help": text, "see_also": null, "openapi": null }))
}
