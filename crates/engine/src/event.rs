//! What an engine tells the world after it has changed something.

use std::collections::BTreeMap;

/// Something that happened, in words for those who subscribe to it; see `docs/decisions/0020-events.md`.
///
/// It holds names, paths and versions. A secret, a password or a token is never in it: subscribers read those with
/// rights of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened, for example `kv-v2/data-write`.
    pub kind: &'static str,
    /// Everything else there is to say, values as texts.
    pub metadata: BTreeMap<&'static str, String>,
    /// Whether it goes out at once, whatever becomes of the request that it is emitted in.
    pub regardless: bool,
}

impl Event {
    /// `kind` happened at `path`, which is relative to the mount. The part of `kind` after the `/` is the operation.
    pub fn new(kind: &'static str, path: impl Into<String>) -> Self {
        let operation = kind
            .rsplit_once('/')
            .map_or(kind, |(_, operation)| operation);
        let metadata = [("operation", operation.to_owned()), ("path", path.into())];
        Self {
            kind,
            metadata: metadata.into(),
            regardless: false,
        }
    }

    /// What is read at `data_path` (relative to the mount, too) is another than before: whoever keeps a copy reads it again.
    pub fn modified(self, data_path: impl Into<String>) -> Self {
        self.with("modified", "true")
            .with("data_path", data_path.into())
    }

    /// Goes out at once, also if the request fails that it is emitted in: it tells of that failure, or of what has begun or
    /// ended outside.
    pub fn regardless(self) -> Self {
        Self {
            regardless: true,
            ..self
        }
    }

    /// With one more thing to say.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.metadata.insert(name, value.to_string());
        self
    }

    /// With one more thing to say, if it is known.
    pub fn with_known(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_the_failure() {
        let event = Event::new("database/rotate-fail", "rotate-role/app");
        assert!(!event.regardless);
        assert!(event.regardless().regardless);
    }

    #[test]
    fn an_event_says_where_and_what() {
        let event = Event::new("kv-v2/data-write", "data/app")
            .modified("data/app")
            .with("current_version", 3);
        let said: Vec<_> = event
            .metadata
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let wanted = [
            ("current_version", "3"),
            ("data_path", "data/app"),
            ("modified", "true"),
            ("operation", "data-write"),
            ("path", "data/app"),
        ];
        assert_eq!(said, wanted);
    }
}
