//! How an event is sent: CloudEvents in JSON, with Vault's names in it.

use std::collections::BTreeMap;

use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{EventId, TEXT_BYTES};

/// What stands where an id will be.
const PLACE: [u8; TEXT_BYTES] = [b'0'; TEXT_BYTES];
const BEFORE_ID: &str = "{\"id\":\"";

/// The parts that all events of a server have in common.
#[derive(Debug)]
pub(super) struct Form {
    /// From behind the first id to the second one.
    between_ids: String,
}

/// The mount that an event comes from.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Plugin<'a> {
    /// `secret` or `auth`.
    pub mount_class: &'a str,
    pub mount_accessor: &'a str,
    pub mount_path: &'a str,
    /// The type of the engine.
    pub plugin: &'a str,
}

/// What an event says, before it has an id.
pub(super) struct Said<'a, M> {
    pub kind: &'a str,
    pub metadata: &'a M,
    pub plugin: Option<Plugin<'a>>,
    /// The path of its namespace.
    pub namespace: &'a str,
    pub time: Timestamp,
}

/// An event that has no id yet.
pub(super) struct Draft(Vec<u8>);

/// What is read from an event that was stored.
#[derive(Deserialize)]
pub(super) struct Sent {
    pub id: String,
    pub data: Data,
}

#[derive(Deserialize)]
pub(super) struct Data {
    pub event: Told,
    pub event_type: String,
    #[serde(default)]
    pub plugin_info: Option<PluginInfo>,
    pub namespace: String,
}

#[derive(Deserialize)]
pub(super) struct Told {
    pub metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct PluginInfo {
    pub mount_path: String,
}

impl Draft {
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Form {
    /// The form of the events of a cluster.
    pub fn new(cluster_name: &str) -> Self {
        let source = quoted(&format!("coffer://{cluster_name}"));
        Self {
            between_ids: format!(
                "\",\"source\":{source},\"specversion\":\"1.0\",\"type\":\"*\",\"data\":{{\"event\":{{\"id\":\""
            ),
        }
    }

    /// Everything but the id.
    pub fn draft<M: Serialize>(&self, said: &Said<'_, M>) -> Result<Draft, serde_json::Error> {
        let mut out = Vec::with_capacity(640);
        out.extend_from_slice(BEFORE_ID.as_bytes());
        out.extend_from_slice(&PLACE);
        out.extend_from_slice(self.between_ids.as_bytes());
        out.extend_from_slice(&PLACE);
        out.extend_from_slice(b"\",\"metadata\":");
        serde_json::to_writer(&mut out, said.metadata)?;
        out.extend_from_slice(b"},\"event_type\":");
        serde_json::to_writer(&mut out, said.kind)?;
        if let Some(plugin) = &said.plugin {
            out.extend_from_slice(b",\"plugin_info\":");
            serde_json::to_writer(&mut out, plugin)?;
        }
        out.extend_from_slice(b",\"namespace\":");
        serde_json::to_writer(&mut out, said.namespace)?;
        out.extend_from_slice(b"},\"datacontentype\":\"application/cloudevents\",\"time\":");
        serde_json::to_writer(&mut out, &said.time)?;
        out.push(b'}');
        Ok(Draft(out))
    }

    /// The event with its id: what is sent.
    pub fn named(&self, draft: Draft, id: EventId) -> String {
        let Draft(mut bytes) = draft;
        let text = id.to_string();
        let first = BEFORE_ID.len();
        let second = first + TEXT_BYTES + self.between_ids.len();
        for at in [first, second] {
            if let Some(place) = bytes.get_mut(at..at + TEXT_BYTES) {
                place.copy_from_slice(text.as_bytes());
            }
        }
        String::from_utf8(bytes).unwrap_or_default() // Both the draft and ids are texts.
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use coffer_crypto::Random;
    use serde_json::{Value, json};

    use super::super::id::Mark;
    use super::*;

    #[test]
    fn an_event_is_sent_as_vault_sends_it() {
        let form = Form::new("house \"one\"");
        let metadata: BTreeMap<_, _> = [("path", "secret/data/a\"b"), ("modified", "true")].into();
        let said = Said {
            kind: "kv-v2/data-write",
            metadata: &metadata,
            plugin: Some(Plugin {
                mount_class: "secret",
                mount_accessor: "kv_1",
                mount_path: "secret/",
                plugin: "kv",
            }),
            namespace: "team/",
            time: Timestamp::from_secs(1_800_000_000),
        };
        let id = EventId::new(Mark::new(&Random::system()), 7);
        let sent = form.named(form.draft(&said).unwrap(), id);
        let expected = json!({
            "id": id.to_string(),
            "source": "coffer://house \"one\"",
            "specversion": "1.0",
            "type": "*",
            "data": {
                "event": {
                    "id": id.to_string(),
                    "metadata": {"modified": "true", "path": "secret/data/a\"b"},
                },
                "event_type": "kv-v2/data-write",
                "plugin_info": {"mount_class": "secret", "mount_accessor": "kv_1", "mount_path": "secret/", "plugin": "kv"},
                "namespace": "team/",
            },
            "datacontentype": "application/cloudevents",
            "time": "2027-01-15T08:00:00Z",
        });
        assert_eq!(serde_json::from_str::<Value>(&sent).unwrap(), expected);
        let read: Sent = serde_json::from_str(&sent).unwrap();
        assert_eq!(read.id.parse(), Ok(id));
        assert_eq!(read.data.event.metadata["modified"], "true");
    }
}
