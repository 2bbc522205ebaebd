//! The requests of a script, as they are written.

use std::fmt;
use std::sync::Arc;

use coffer_hcl::Position;
use coffer_wire::Verb;

use super::expression::Expression;

/// Most requests in one script.
pub const MAX_REQUESTS: usize = 256;

/// Requests under one name: `flow "name" { … }` or `initialize "name" { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// What it is called; references name it.
    pub name: String,
    /// What it does, in this order.
    pub steps: Vec<Step>,
}

/// One request: `request "name" { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it is called within its block.
    pub name: String,
    /// Where it is written.
    pub place: Place,
    /// What is wanted.
    pub(super) operation: Operation,
    /// Where.
    pub(super) path: Expression,
    /// In which namespace, below the one at hand.
    pub(super) namespace: Option<Expression>,
    /// With whose rights, if not those of whoever runs it.
    pub(super) token: Option<Expression>,
    /// The fields of the body.
    pub(super) data: Option<Expression>,
    /// Header fields.
    pub(super) headers: Option<Expression>,
    /// Whether it is made at all.
    pub(super) when: Option<Expression>,
    /// Whether the others go on if it fails.
    pub(super) allow_failure: Option<Expression>,
}

/// Where something is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The file; none for a text that came over the API.
    pub file: Option<Arc<str>>,
    /// Line and column.
    pub position: Position,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        match &self.file {
            Some(file) => write!(f, "{file}:{line}:{column}"),
            None => write!(f, "line {line}"),
        }
    }
}

/// What a request wants done, by the words of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A request as any other.
    Verb(Verb),
    /// The help of a path.
    Help,
}

impl Operation {
    /// The words there are.
    pub const WORDS: [&'static str; 8] = [
        "create", "read", "update", "patch", "delete", "list", "scan", "help",
    ];

    /// The operation of that name.
    pub fn named(word: &str) -> Option<Self> {
        Some(Self::Verb(match word {
            "create" | "update" => Verb::Write,
            "read" => Verb::Read,
            "patch" => Verb::Patch,
            "delete" => Verb::Delete,
            "list" => Verb::List,
            "scan" => Verb::Scan,
            "help" => return Some(Self::Help),
            _ => return None,
        }))
    }

    /// What the request is.
    pub fn verb(self) -> Verb {
        match self {
            Self::Verb(verb) => verb,
            Self::Help => Verb::Read,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Verb(verb) => verb.word(),
            Self::Help => "help",
        }
    }
}
