//! What a listener hides from answers that anybody may read.

use coffer_engine::Body;
use coffer_kernel::Response;
use coffer_wire::write_json;
use serde_json::{Map, Value};

use crate::config::Listener;

/// The answers that tell about the server without asking for a token.
const PATHS: [&str; 3] = ["sys/health", "sys/leader", "sys/seal-status"];

/// Which fields are emptied.
#[derive(Debug, Default)]
pub(super) struct Redaction {
    fields: Vec<&'static str>,
}

impl Redaction {
    pub(super) fn new(listener: &Listener) -> Self {
        let groups: [(bool, &[&'static str]); 3] = [
            (
                listener.redact_addresses,
                &["leader_address", "leader_cluster_address"],
            ),
            (listener.redact_cluster_name, &["cluster_name"]),
            (listener.redact_version, &["version", "build_date"]),
        ];
        let on = groups.iter().filter(|(on, _)| *on);
        Self {
            fields: on.flat_map(|(_, fields)| fields.iter().copied()).collect(),
        }
    }

    /// Whether answers for this path are to be changed.
    pub(super) fn concerns(&self, path: &str) -> bool {
        !self.fields.is_empty() && PATHS.contains(&path)
    }

    /// Empties the fields; an answer that can not be read is left out altogether.
    pub(super) fn apply(&self, response: &mut Response) {
        let Body::JsonBare(text) = &mut response.body else {
            return;
        };
        let mut map: Map<String, Value> = serde_json::from_slice(text).unwrap_or_default();
        for field in &self.fields {
            if let Some(value) = map.get_mut(*field) {
                *value = Value::String(String::new());
            }
        }
        text.clear();
        // A vector takes all that is written to it.
        let _ = write_json(&mut **text, &map);
    }
}

#[cfg(test)]
mod tests {
    use coffer_crypto::Zeroizing;

    use super::*;

    #[test]
    fn fields_are_emptied() {
        let redaction = Redaction {
            fields: vec!["version"],
        };
        assert!(redaction.concerns("sys/health") && !redaction.concerns("secret/data/x"));
        let body = Body::JsonBare(Zeroizing::new(
            br#"{"sealed":false,"version":"1.2.3"}"#.to_vec(),
        ));
        let mut response = Response {
            body,
            ..Response::default()
        };
        redaction.apply(&mut response);
        let Body::JsonBare(text) = response.body else {
            panic!("the form of the body changed")
        };
        assert_eq!(text.as_slice(), br#"{"sealed":false,"version":""}"#);
    }
}
