use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// The fields of a request. Only what is given is sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    /// Adds a field where there is a value for it.
    pub(super) fn with(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Adds bytes, as the API takes them: in base64.
    pub(super) fn bytes(self, name: &str, bytes: &[u8]) -> Self {
        self.with(name, Some(STANDARD.encode(bytes)))
    }

    /// Adds the fields of another.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The fields themselves.
    pub(super) fn fields(&self) -> &Map<String, Value> {
        &self.0
    }
}
