//! What of an event goes into the frame around it.

use serde::Deserialize;

/// An event's place in the log, and what it is about.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Position {
    /// The id to go on after.
    pub(super) id: String,
    data: Data,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Data {
    event_type: String,
}

impl Position {
    /// Reads it out of an event's JSON.
    pub(super) fn of(event: &[u8]) -> Self {
        serde_json::from_slice(event).unwrap_or_default()
    }

    /// The id in a piece that is no event.
    pub(super) fn bare(piece: &[u8]) -> Option<&str> {
        let text = std::str::from_utf8(piece).ok()?;
        (!text.starts_with('{')).then_some(text)
    }

    /// What happened, for example `kv-v2/data-write`.
    pub(super) fn kind(&self) -> &str {
        &self.data.event_type
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_kind_are_found() {
        let event = br#"{"id":"i","source":"s","data":{"event":{"id":"j","metadata":{}},"event_type":"kv-v2/data-write"}}"#;
        let position = Position::of(event);
        assert_eq!(
            (position.id.as_str(), position.kind()),
            ("i", "kv-v2/data-write")
        );
        assert_eq!(
            (Position::bare(event), Position::bare(b"i")),
            (None, Some("i"))
        );
        assert_eq!(Position::of(b"junk"), Position::default());
    }
}
