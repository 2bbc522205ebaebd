//! Paths where version 1 would keep secrets.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply};
use coffer_wire::Verb;
use schemars::JsonSchema;
use serde::Deserialize;

use super::V2;

/// Any request outside the paths of version 2.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Any {
    /// The path that was tried.
    #[serde(default)]
    path: String,
}

impl Handle<V2> for Any {
    type Reply = Empty;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Empty, Fault> {
        let (folder, word) = match cx.request.verb {
            Verb::Read => ("data", "get"),
            Verb::Write => ("data", "put"),
            Verb::Patch => ("data", "patch"),
            Verb::Delete => ("data", "delete"),
            Verb::List => ("metadata", "list"),
            Verb::Scan => ("metadata", "scan"),
        };
        let hint = format!(
            "Invalid path for a versioned K/V secrets engine: try {}{folder}/{}, or `kv {word}` on the command line.",
            cx.mount.path, self.path
        );
        Err(Fault::Gone(Box::new(Reply::default().warn(hint))))
    }
}
