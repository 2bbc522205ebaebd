//! The JSON that a client wants kept: text that is parsed once, on its way in.

use coffer_engine::Stored;
use coffer_wire::{RawJson, Wiped, parse_object};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

/// A JSON object, or `null`, as canonical text: sorted keys, Go's escapes, numbers as they were sent.
///
/// Stored and answered as it stands. Wiped when it is dropped.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Document(RawJson);

impl Stored for Document {}

impl Document {
    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.0.as_str(), "{}" | "null")
    }

    /// Whether it is `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// Its fields; none for `null`.
    pub(crate) fn fields(&self) -> Result<Wiped<Map<String, Value>>, serde_json::Error> {
        parse_object(self.0.as_str().as_bytes())
    }

    /// A document of these fields.
    pub(crate) fn of(fields: &Wiped<Map<String, Value>>) -> Result<Self, serde_json::Error> {
        RawJson::from_value(fields).map(Self)
    }
}

/// For `deserialize_with`: takes what a client sent. A field that is missing should default to none;
/// one that is `null` is a document.
pub(crate) fn sent<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Document>, D::Error> {
    // By way of the text, because a parsed number would lose the one it came with.
    let sent = Document(RawJson::deserialize(from)?);
    match sent.0.as_str().as_bytes().first() {
        Some(b'{') => {}
        Some(b'n') => return Ok(Some(sent)),
        _ => return Err(de::Error::custom("expected an object of key/value pairs")),
    }
    let fields = sent.fields().map_err(de::Error::custom)?;
    Document::of(&fields).map(Some).map_err(de::Error::custom)
}
