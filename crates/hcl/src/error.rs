use crate::Position;

/// What is wrong in a document, and where. Never holds a value of the document: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {found}, expected {expected}; {advice}")]
pub struct Error {
    /// Where it is.
    pub position: Position,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: String,
    /// What the author can do about it.
    pub advice: String,
}

impl Error {
    /// An error at a place. The parts make the sentence "{found}, expected {expected}; {advice}".
    pub fn new(
        position: Position,
        found: impl Into<String>,
        expected: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            position,
            found: found.into(),
            expected: expected.into(),
            advice: advice.into(),
        }
    }
}
