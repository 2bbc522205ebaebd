//! Expressions that choose lines and events: `mount_type == kv and path matches "^secret/" and not operation in …`.
//!
//! The language is that of Vault's filters. Three kinds of conditions, joined by `and`, `or`, `not` and parentheses:
//!
//! - `FIELD == VALUE`, `!=`, `contains`, `not contains`, `matches`, `not matches`;
//! - `VALUE in FIELD`, `not in`, which is `contains` the other way round: for texts a part of them, for lists an item;
//! - `FIELD is empty`, `is not empty`.
//!
//! | file | what it holds |
//! |---|---|
//! | `words` | the words of an expression, with their columns |
//! | `parse` | the grammar |
//! | here | what expressions mean |
//!
//! Which fields there are is up to who reads an expression: [`crate::audit`] and [`crate::events`].

mod parse;
mod words;

use std::borrow::Cow;
use std::fmt;

use regex::Regex;

pub(crate) use parse::parse;

/// An expression over fields of one kind.
#[derive(Clone, Debug)]
pub(crate) enum Expression<F> {
    /// All of them hold.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A condition on one field.
    Field(F, Condition),
}

/// What must hold of a field.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Is(String),
    Contains(String),
    Matches(Regex),
    IsEmpty,
}

/// What a field holds.
#[derive(Debug)]
pub(crate) enum Held<'a> {
    /// A text; also a number or truth value, by its JSON text. What is not there is an empty one.
    Text(Cow<'a, str>),
    /// A list of such texts.
    List(Vec<Cow<'a, str>>),
    /// An object, and whether it has members. Only emptiness can be asked.
    Object {
        /// It has none.
        empty: bool,
    },
}

/// A field whose text is a path that ends in a slash.
#[derive(Clone, Copy)]
pub(crate) enum Slashed {
    /// That of a mount.
    Mount,
    /// That of a namespace; empty, or written `root`, for the one without a path.
    Namespace,
}

/// What is wrong with an expression, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The column, from 1.
    pub column: usize,
    /// What is wrong and what to write.
    pub what: String,
}

impl<F> Expression<F> {
    /// Whether it holds of what `look_up` finds.
    pub fn holds<'a>(&self, look_up: &impl Fn(&F) -> Held<'a>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(look_up)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(look_up)),
            Self::Not(part) => !part.holds(look_up),
            Self::Field(field, condition) => condition.holds(&look_up(field)),
        }
    }

    /// Mounts and namespaces end in a slash; who leaves it out means the same. `slashed` says which fields are such.
    pub fn with_slashes(self, slashed: &impl Fn(&F) -> Option<Slashed>) -> Self {
        let all = |parts: Vec<Self>| {
            let parts = parts.into_iter();
            parts.map(|part| part.with_slashes(slashed)).collect()
        };
        match self {
            Self::All(parts) => Self::All(all(parts)),
            Self::Any(parts) => Self::Any(all(parts)),
            Self::Not(part) => Self::Not(Box::new(part.with_slashes(slashed))),
            Self::Field(field, Condition::Is(value)) => {
                let value = match (slashed(&field), value.trim_matches('/')) {
                    (Some(Slashed::Namespace), "" | "root") => String::new(),
                    (Some(Slashed::Mount), "") => value,
                    (Some(_), path) => format!("{path}/"),
                    (None, _) => value,
                };
                Self::Field(field, Condition::Is(value))
            }
            other => other,
        }
    }
}

impl Condition {
    fn holds(&self, held: &Held<'_>) -> bool {
        match (self, held) {
            (Self::Is(wanted), Held::Text(text)) => text == wanted,
            (Self::Contains(wanted), Held::Text(text)) => text.contains(wanted.as_str()),
            (Self::Contains(wanted), Held::List(items)) => items.iter().any(|item| item == wanted),
            (Self::Matches(regex), Held::Text(text)) => regex.is_match(text),
            (Self::Matches(regex), Held::List(items)) => {
                items.iter().any(|item| regex.is_match(item))
            }
            (Self::IsEmpty, Held::Text(text)) => text.is_empty(),
            (Self::IsEmpty, Held::List(items)) => items.is_empty(),
            (Self::IsEmpty, Held::Object { empty }) => *empty,
            (Self::Is(_), Held::List(_) | Held::Object { .. })
            | (Self::Contains(_) | Self::Matches(_), Held::Object { .. }) => false,
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.what)
    }
}
