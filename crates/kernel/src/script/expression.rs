//! Values of a script: written out, or taken from somewhere when it runs.

use std::fmt;

use coffer_hcl::{Body, Error, Item, Position, Value};
use serde_json::Value as Json;

use super::convert::Kind;
use super::template::Template;

/// Most names on the way to a field.
const MAX_SELECTOR: usize = 32;

/// Which of the two kinds of script is read. They differ in the word for a block and in where values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Of the configuration: environment and files can be read, nothing is given.
    Initialize,
    /// Of the API: fields are given by who runs it; environment and files are the server's own.
    Workflow,
}

impl Dialect {
    /// The word for a block.
    pub fn word(self) -> &'static str {
        match self {
            Self::Initialize => "initialize",
            Self::Workflow => "flow",
        }
    }

    fn reference(self) -> &'static str {
        match self {
            Self::Initialize => "initialize_name",
            Self::Workflow => "flow_name",
        }
    }

    fn sources(self) -> &'static [&'static str] {
        match self {
            Self::Initialize => &["env", "file", "request", "response", "template"],
            Self::Workflow => &["input", "request", "response", "template"],
        }
    }
}

/// A value as it is written.
#[derive(Clone, PartialEq)]
pub(super) enum Expression {
    /// The value itself.
    Literal(Json),
    /// A list.
    List(Vec<Self>),
    /// Fields.
    Map(Vec<(String, Self)>),
    /// Taken from somewhere, and made a value of this kind.
    Taken(Box<Source>, Kind, Position),
}

/// Where a value is taken from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// A variable of the server's environment.
    Variable { name: String, required: bool },
    /// A file on the server.
    File { path: String },
    /// A field that was given.
    Input { field: String },
    /// Something of an earlier request.
    Request(Reference),
    /// Something of an earlier answer.
    Response(Reference),
    /// A text with values in it.
    Template(Template),
}

/// A request of the script, and the way to one of its fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    /// The block.
    pub block: String,
    /// The request.
    pub step: String,
    /// The names on the way.
    pub selector: Vec<String>,
}

impl Expression {
    /// Reads a value.
    pub fn read(value: Value, at: Position, dialect: Dialect) -> Result<Self, Error> {
        Ok(match value {
            Value::String(text) => Self::Literal(text.into()),
            Value::Bool(flag) => Self::Literal(flag.into()),
            Value::Number(text) => Self::Literal(number(&text, at)?),
            Value::List(values) => {
                let values = values.into_iter();
                let values = values.map(|value| Self::read(value, at, dialect));
                Self::List(values.collect::<Result<_, _>>()?)
            }
            Value::Object(body) if body.items.iter().any(|item| item.key == "eval_source") => {
                taken(body, at, dialect)?
            }
            Value::Object(body) => Self::Map(fields(body, dialect)?),
        })
    }

    /// Calls `each` with every source in it, and where it is written.
    pub fn sources<'a>(&'a self, each: &mut impl FnMut(&'a Source, Position)) {
        match self {
            Self::Literal(_) => {}
            Self::List(values) => values.iter().for_each(|value| value.sources(each)),
            Self::Map(fields) => fields.iter().for_each(|(_, value)| value.sources(each)),
            Self::Taken(source, _, at) => each(source, *at),
        }
    }
}

/// Shows the shape only: scripts hold passwords.
impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(_) => f.write_str("<value>"),
            Self::List(values) => f.debug_list().entries(values).finish(),
            Self::Map(fields) => f
                .debug_map()
                .entries(fields.iter().map(|(name, value)| (name, value)))
                .finish(),
            Self::Taken(source, kind, _) => write!(f, "{kind:?} from {source:?}"),
        }
    }
}

fn fields(body: Body, dialect: Dialect) -> Result<Vec<(String, Expression)>, Error> {
    let mut fields: Vec<(String, Expression)> = Vec::with_capacity(body.items.len());
    for item in body.items {
        if fields.iter().any(|(name, _)| *name == item.key) || !item.labels.is_empty() {
            return Err(Error::new(
                item.position,
                format!("`{}` twice, or as a block with a name", item.key),
                "each field once",
                "write a list, or one map",
            ));
        }
        let value = Expression::read(item.value, item.position, dialect)?;
        fields.push((item.key, value));
    }
    Ok(fields)
}

fn number(text: &str, at: Position) -> Result<Json, Error> {
    let whole = Value::Number(text.to_owned()).as_i64();
    let number = whole.map(Json::from).or_else(|| {
        let number = text.parse().ok().and_then(serde_json::Number::from_f64);
        number.map(Json::Number)
    });
    let wrong = || Error::new(at, "a number that is too large", "a number", "correct it");
    number.ok_or_else(wrong)
}

fn taken(mut body: Body, at: Position, dialect: Dialect) -> Result<Expression, Error> {
    let name = required(&mut body, "eval_source", at)?;
    let kind = required(&mut body, "eval_type", at)?;
    let kind = Kind::named(&kind)
        .ok_or_else(|| unknown(at, "eval_type", &kind, Kind::NAMES.iter().copied()))?;
    if !dialect.sources().contains(&name.as_str()) {
        let known = dialect.sources().iter().copied();
        return Err(unknown(at, "eval_source", &name, known));
    }
    let source = match name.as_str() {
        "env" => Source::Variable {
            name: required(&mut body, "env_var", at)?,
            required: body.take_bool("require_present")?.unwrap_or(false),
        },
        "file" => Source::File {
            path: required(&mut body, "path", at)?,
        },
        "input" => Source::Input {
            field: required(&mut body, "field_name", at)?,
        },
        "request" => Source::Request(reference(&mut body, at, dialect)?),
        "response" => Source::Response(reference(&mut body, at, dialect)?),
        _ => Source::Template(Template::parse(&required(&mut body, "template", at)?, at)?),
    };
    let known = match name.as_str() {
        "env" => "`env_var`, `require_present`",
        "file" => "`path`",
        "input" => "`field_name`",
        "request" | "response" => "the names of a request and its block, and `field_selector`",
        _ => "`template`",
    };
    nothing_else(&body, &format!("a value from `{name}`"), known)?;
    Ok(Expression::Taken(Box::new(source), kind, at))
}

/// `request_name` and `response_name` mean the same: people write either.
fn reference(body: &mut Body, at: Position, dialect: Dialect) -> Result<Reference, Error> {
    let block = required(body, dialect.reference(), at)?;
    let (one, other) = (
        body.take_str("request_name")?,
        body.take_str("response_name")?,
    );
    let step = one.or(other).filter(|name| !name.is_empty());
    let selector = body.take_strings("field_selector")?.unwrap_or_default();
    if selector.len() > MAX_SELECTOR {
        return Err(Error::new(
            at,
            format!("`field_selector` with {} names", selector.len()),
            format!("at most {MAX_SELECTOR}"),
            "shorten it",
        ));
    }
    Ok(Reference {
        block,
        step: step.ok_or_else(|| missing(at, "request_name"))?,
        selector,
    })
}

fn required(body: &mut Body, key: &str, at: Position) -> Result<String, Error> {
    let text = body.take_str(key)?.filter(|text| !text.is_empty());
    text.ok_or_else(|| missing(at, key))
}

fn missing(at: Position, key: &str) -> Error {
    Error::new(
        at,
        format!("a value without `{key}`"),
        format!("`{key} = \"…\"`"),
        "add it",
    )
}

/// Refuses what is left of a block when what it can hold was taken out.
pub(super) fn nothing_else(body: &Body, place: &str, known: &str) -> Result<(), Error> {
    match body.items.first() {
        None => Ok(()),
        Some(Item { key, position, .. }) => Err(Error::new(
            *position,
            format!("unknown key {key:?} in {place}"),
            known,
            "correct or remove it",
        )),
    }
}

/// A word that is none of those that are known.
pub(super) fn unknown(
    at: Position,
    what: &str,
    word: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Error {
    let advice = match coffer_hcl::nearest(word, known.clone()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "correct it".to_owned(),
    };
    let list = known.collect::<Vec<_>>().join(", ");
    Error::new(
        at,
        format!("unknown {what} {word:?}"),
        format!("one of {list}"),
        advice,
    )
}
