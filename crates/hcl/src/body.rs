use crate::Position;

/// The items of a document or block, in the order they were written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// The items; a key may occur more than once.
    pub items: Vec<Item>,
}

/// One `key = value`, or one block `key "label" { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The attribute's or block's name.
    pub key: String,
    /// What stands between a block's name and its brace; empty for attributes, and always in JSON.
    pub labels: Vec<String>,
    /// The value; a block's is always an object.
    pub value: Value,
    /// Where the key starts.
    pub position: Position,
}

/// A value. `${…}` in strings is kept as written.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// A quoted string, its escapes resolved, or a heredoc.
    String(String),
    /// A number as it was written (`0x1F`, `-1.50`), so that nothing is lost before its use is known.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// `[ … ]`.
    List(Vec<Value>),
    /// `{ … }`.
    Object(Body),
}

impl Value {
    /// The kind of value, for messages: "a string", "a list".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Number(_) => "a number",
            Self::Bool(_) => "a boolean",
            Self::List(_) => "a list",
            Self::Object(_) => "a block",
        }
    }

    /// A string, number or boolean as text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::List(_) | Self::Object(_) => None,
        }
    }

    /// A whole number, also one in quotes or in another base (`0x1F`, `0755`).
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        let text = match self {
            Self::String(text) => text.trim(),
            Self::Number(text) => text,
            _ => return None,
        };
        let (negative, digits) = text
            .strip_prefix('-')
            .map_or((false, text), |digits| (true, digits));
        let (digits, radix) = match digits.as_bytes() {
            [b'0', b'x' | b'X', ..] => (digits.get(2..)?, 16),
            [b'0', _, ..] => (digits.get(1..)?, 8),
            _ => (digits, 10),
        };
        if digits.starts_with(['+', '-']) {
            return None;
        }
        let value = i128::from_str_radix(digits, radix).ok()?;
        i64::try_from(if negative { -value } else { value }).ok()
    }

    /// A boolean, also one in the spellings of Go's parser in a string (`"true"`, `"T"`, `"1"`; empty is false), or a
    /// whole number (0 is false).
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Number(_) => self.as_i64().map(|number| number != 0),
            Self::String(text) => match text.trim() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
                "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
                _ => None,
            },
            Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// Shows the shape only: configurations hold passwords and tokens.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::List(values) => f.debug_list().entries(values).finish(),
            Self::Object(body) => body.fmt(f),
            scalar => write!(f, "<{}>", scalar.kind()),
        }
    }
}
