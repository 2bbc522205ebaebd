//! Everything the server can be asked, from the tables of its mounts.

use std::collections::{BTreeMap, BTreeSet};

use coffer_engine::{Class, Operation};
use coffer_wire::Verb;
use serde_json::Value;

use crate::running::Running;

/// One verb on one path of one mount.
#[derive(Debug)]
pub struct Endpoint {
    pub mount: String,
    pub operation: Operation,
    /// The path below `/v1/` with something in each variable segment.
    pub path: String,
}

impl Endpoint {
    fn new(mount: &str, operation: Operation) -> Self {
        let filled = operation.pattern.split('/').map(|segment| match segment {
            "{type}" => "secret",
            variable if variable.starts_with('{') => "x",
            literal => literal,
        });
        let tail: Vec<&str> = filled.collect();
        Self {
            mount: mount.to_owned(),
            path: format!("{mount}{}", tail.join("/")),
            operation,
        }
    }

    /// The path with the names of its variables.
    pub fn pattern(&self) -> String {
        format!("{}{}", self.mount, self.operation.pattern)
    }

    pub fn method(&self) -> &'static str {
        method(self.operation.verb)
    }

    pub fn has_body(&self) -> bool {
        matches!(self.operation.verb, Verb::Write | Verb::Patch)
    }

    /// A mount's bare path can be read but not written, whoever asks.
    pub fn is_unwritable(&self) -> bool {
        self.has_body() && self.path.ends_with('/')
    }

    /// The fields that are not in the path, with their schemas.
    pub fn fields(&self) -> BTreeMap<String, Value> {
        let fields = self.operation.request["properties"].as_object();
        let mut fields: BTreeMap<String, Value> =
            fields.cloned().unwrap_or_default().into_iter().collect();
        for segment in self.operation.pattern.split('/') {
            fields.remove(segment.trim_start_matches('{').trim_end_matches(['}', '*']));
        }
        fields
    }
}

/// The HTTP method of a verb.
pub fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Read => "GET",
        Verb::List => "LIST",
        Verb::Scan => "SCAN",
        Verb::Write => "POST",
        Verb::Patch => "PATCH",
        Verb::Delete => "DELETE",
    }
}

/// Every endpoint of every mount, the doorstep's among them.
pub fn endpoints(running: &Running) -> Vec<Endpoint> {
    let open = running.server.kernel().core().unwrap().root();
    let mounts = [Class::Secret, Class::Auth].map(|class| open.space.mounts.all(class));
    let mounts = mounts.iter().flatten();
    let all = mounts.flat_map(|mount| {
        let operations = mount.operations().1.into_iter();
        operations.map(|operation| Endpoint::new(&mount.record.path, operation))
    });
    all.collect()
}

/// The verbs of each path, as the OpenAPI document has them.
pub fn documented(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let paths = document["paths"].as_object().unwrap();
    let verbs = |item: &Value| {
        let names = item.as_object().unwrap().keys();
        let verbs = ["get", "post", "patch", "delete"];
        names
            .filter(|name| verbs.contains(&name.as_str()))
            .cloned()
            .collect()
    };
    paths
        .iter()
        .map(|(path, item)| (path.trim_start_matches('/').to_owned(), verbs(item)))
        .collect()
}
