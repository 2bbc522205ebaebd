//! An event with its place in the log.

use std::borrow::Cow;

use super::form::Sent;
use super::id::EventId;

/// What the memory of an event takes beside its texts, in bytes; a guess.
const OVERHEAD: usize = 256;

/// An event with its place in the log, in the form in which it is sent. It is made once and shared by all who read it.
#[derive(Debug)]
pub struct Published {
    /// Where it is.
    pub id: EventId,
    /// The event as JSON text, as it is sent, and stored.
    pub json: Box<str>,
    kind: Cow<'static, str>,
    namespace_id: String,
    namespace: String,
    mount_path: String,
    metadata: Vec<(Cow<'static, str>, String)>,
}

/// What readers choose by.
pub(super) struct Facts {
    pub kind: Cow<'static, str>,
    pub namespace_id: String,
    pub namespace: String,
    pub mount_path: String,
    pub metadata: Vec<(Cow<'static, str>, String)>,
}

impl Published {
    pub(super) fn new(id: EventId, json: String, facts: Facts) -> Self {
        Self {
            id,
            json: json.into_boxed_str(),
            kind: facts.kind,
            namespace_id: facts.namespace_id,
            namespace: facts.namespace,
            mount_path: facts.mount_path,
            metadata: facts.metadata,
        }
    }

    /// Reads an event that was stored; none if it is not one.
    pub(super) fn stored(namespace_id: String, json: &str) -> Option<Self> {
        let sent: Sent = serde_json::from_str(json).ok()?;
        let plugin = sent.data.plugin_info;
        let metadata = sent.data.event.metadata.into_iter();
        let facts = Facts {
            kind: Cow::Owned(sent.data.event_type),
            namespace_id,
            namespace: sent.data.namespace,
            mount_path: plugin.map(|plugin| plugin.mount_path).unwrap_or_default(),
            metadata: metadata
                .map(|(name, value)| (Cow::Owned(name), value))
                .collect(),
        };
        Some(Self::new(sent.id.parse().ok()?, json.to_owned(), facts))
    }

    /// The same place without what happened there.
    pub(super) fn blanked(&self) -> Self {
        let facts = Facts {
            kind: Cow::Borrowed(""),
            namespace_id: self.namespace_id.clone(),
            namespace: String::new(),
            mount_path: String::new(),
            metadata: Vec::new(),
        };
        Self::new(self.id, String::new(), facts)
    }

    /// Whether nothing is known of it any more.
    pub(super) fn is_blank(&self) -> bool {
        self.json.is_empty()
    }

    /// What happened, for example `kv-v2/data-write`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The path of the namespace where it happened, with a trailing slash; empty for the root.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The id of that namespace.
    pub(super) fn namespace_id(&self) -> &str {
        &self.namespace_id
    }

    /// The path of the mount that it comes from; empty for none.
    pub fn mount_path(&self) -> &str {
        &self.mount_path
    }

    /// Something in its metadata.
    pub fn said(&self, name: &str) -> Option<&str> {
        let mut metadata = self.metadata.iter();
        let found = metadata.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The path, within the namespace, on which somebody must hold `subscribe` who is shown it.
    pub fn guarded_path(&self) -> &str {
        let path = self.said("data_path").or_else(|| self.said("path"));
        path.unwrap_or_default()
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        let metadata = self.metadata.iter();
        let metadata: usize = metadata.map(|(name, value)| name.len() + value.len()).sum();
        OVERHEAD + self.json.len() + metadata + self.namespace.len() + self.mount_path.len()
    }
}
