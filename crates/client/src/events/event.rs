use std::collections::BTreeMap;

use serde::Deserialize;

use crate::nullable;

/// Something that happened on the server. It holds names and paths, never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the server's log; [`super::Subscribe::since`] goes on after it.
    pub id: String,
    /// What happened, for example `kv-v2/data-write`.
    pub kind: String,
    /// When, in RFC 3339.
    pub time: String,
    /// The namespace where it happened, with a slash at its end; empty for the root.
    pub namespace: String,
    /// The mount that it comes from, with a slash at its end; empty for none.
    pub mount: String,
    /// Everything else there is to say: `path`, `data_path`, `operation`, `modified` and more.
    pub metadata: BTreeMap<String, String>,
    /// All of it as the server sent it: JSON in one line.
    pub json: String,
}

impl Event {
    /// Where it happened, within the namespace.
    #[must_use]
    pub fn path(&self) -> &str {
        self.said("path")
    }

    /// Where to read what is there now; empty where there is nothing to read.
    #[must_use]
    pub fn data_path(&self) -> &str {
        self.said("data_path")
    }

    /// Whether what is read at [`Event::data_path`] is another than before.
    #[must_use]
    pub fn is_modified(&self) -> bool {
        self.said("modified") == "true"
    }

    fn said(&self, name: &str) -> &str {
        self.metadata.get(name).map_or("", String::as_str)
    }

    /// Reads what the server sent.
    pub(super) fn read(json: String) -> Result<Self, serde_json::Error> {
        let sent: Sent = serde_json::from_str(&json)?;
        let metadata = sent.data.event.metadata.into_iter();
        Ok(Self {
            id: sent.id,
            kind: sent.data.event_type,
            time: sent.time,
            namespace: sent.data.namespace,
            mount: sent.data.plugin_info.mount_path,
            metadata: metadata.map(|(name, value)| (name, text(value))).collect(),
            json,
        })
    }
}

/// Metadata are texts; another server may say more.
fn text(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

#[derive(Deserialize)]
struct Sent {
    id: String,
    #[serde(default)]
    time: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    event: Told,
    event_type: String,
    #[serde(default, deserialize_with = "nullable::deserialize")]
    plugin_info: Plugin,
    #[serde(default)]
    namespace: String,
}

#[derive(Deserialize)]
struct Told {
    #[serde(default, deserialize_with = "nullable::deserialize")]
    metadata: BTreeMap<String, serde_json::Value>,
}

#[derive(Default, Deserialize)]
struct Plugin {
    #[serde(default)]
    mount_path: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read() {
        let json = r#"{"id":"i","source":"coffer://c","specversion":"1.0","type":"*","data":{"event":{"id":"i","metadata":{"path":"secret/data/a","data_path":"secret/data/a","modified":"true","current_version":3}},"event_type":"kv-v2/data-write","plugin_info":{"mount_path":"secret/"},"namespace":"team/"},"time":"2027-01-15T08:00:00Z"}"#;
        let event = Event::read(json.to_owned()).unwrap();
        assert_eq!(
            (event.id.as_str(), event.kind.as_str()),
            ("i", "kv-v2/data-write")
        );
        assert_eq!(
            (event.path(), event.data_path()),
            ("secret/data/a", "secret/data/a")
        );
        assert_eq!(
            (event.namespace.as_str(), event.mount.as_str()),
            ("team/", "secret/")
        );
        assert!(event.is_modified());
        assert_eq!(event.metadata["current_version"], "3");
        let bare = r#"{"id":"i","data":{"event":{"metadata":null},"event_type":"sys/seal","plugin_info":null}}"#;
        assert!(!Event::read(bare.to_owned()).unwrap().is_modified());
        assert!(Event::read("{}".to_owned()).is_err());
    }
}
