//! Documents made from the tables: help texts and OpenAPI operations.

use coffer_wire::Verb;
use serde_json::Value;

use crate::{Flags, Routes};

/// One verb on one path, described.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The path's pattern below its mount.
    pub pattern: &'static str,
    /// One line about the path.
    pub about: &'static str,
    /// Who may come.
    pub flags: Flags,
    /// The verb.
    pub verb: Verb,
    /// Whether writes to the path tell creation from update.
    pub tells_existence: bool,
    /// The JSON schema of the request: `properties` are its fields with their help.
    pub request: Value,
    /// The JSON schema of the answer's data.
    pub reply: Option<Value>,
}

/// Describes a whole table, in its order.
pub fn operations<E: Send + Sync + 'static>(routes: &Routes<E>) -> Vec<Operation> {
    let paths = routes.paths().iter();
    let each = paths.flat_map(|path| path.endpoints.iter().map(move |endpoint| (path, endpoint)));
    each.map(|(path, endpoint)| Operation {
        pattern: path.pattern,
        about: path.about,
        flags: path.flags_of(Some(endpoint)),
        verb: endpoint.verb,
        tells_existence: path.tells_existence(),
        request: (endpoint.request)(),
        reply: (endpoint.reply)(),
    })
    .collect()
}
