//! The fields that whoever runs a workflow gives.

use coffer_engine::Fault;
use coffer_hcl::{Body, Error, Position};
use coffer_wire::Wiped;
use serde_json::{Map, Value};

use super::convert::Kind;
use super::expression::{Dialect, Expression, nothing_else, unknown};
use super::parse::{MAX_NAME_BYTES, named};

/// Most fields.
const MAX_FIELDS: usize = 128;

/// One field: `field "string" "name" { required = true }`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    /// What it is called.
    pub name: String,
    kind: Kind,
    required: bool,
    default: Option<Wiped<Value>>,
}

const KINDS: [(&str, Kind); 10] = [
    ("string", Kind::Text),
    ("name_string", Kind::Text),
    ("int", Kind::Whole),
    ("int64", Kind::Whole),
    ("float", Kind::Fraction),
    ("bool", Kind::Flag),
    ("map", Kind::Fields),
    ("slice", Kind::List),
    ("string_slice", Kind::Texts),
    ("comma_string_slice", Kind::Texts),
];

/// Reads `input { … }`.
pub(super) fn read(body: &mut Body) -> Result<Vec<Field>, Error> {
    let mut fields: Vec<Field> = Vec::new();
    for mut block in body.take_blocks("input", 0)? {
        for field in block.body.take_blocks("field", 2)? {
            let position = field.position;
            let field = one(field)?;
            if fields.iter().any(|other| other.name == field.name) || fields.len() == MAX_FIELDS {
                return Err(Error::new(
                    position,
                    format!("the field {:?} twice, or one too many", field.name),
                    format!("at most {MAX_FIELDS} fields, each once"),
                    "remove it",
                ));
            }
            fields.push(field);
        }
        nothing_else(&block.body, "`input`", "blocks `field`")?;
    }
    Ok(fields)
}

fn one(block: coffer_hcl::Block) -> Result<Field, Error> {
    let at = block.position;
    let label = |index: usize| block.labels.get(index).map_or("", |label| label);
    let (word, name) = (label(0), label(1));
    let kind = KINDS.iter().find(|(known, _)| *known == word);
    let words = KINDS.iter().map(|(known, _)| *known);
    let (_, kind) = kind.ok_or_else(|| unknown(at, "type of a field", word, words))?;
    let name = named(name, at)?;
    let mut body = block.body;
    let required = body.take_bool("required")?.unwrap_or(false);
    for ignored in ["description", "deprecated", "query"] {
        body.take(ignored);
    }
    let default = match body.take("default").pop() {
        Some(item) => Some(Wiped(default(item, *kind)?)),
        None => None,
    };
    nothing_else(
        &body,
        &format!("field {name:?}"),
        "`required`, `default`, `description`, `deprecated`, `query`",
    )?;
    Ok(Field {
        name,
        kind: *kind,
        required,
        default,
    })
}

fn default(item: coffer_hcl::Item, kind: Kind) -> Result<Value, Error> {
    let at: Position = item.position;
    let wrong = || {
        Error::new(
            at,
            "a `default` that does not fit",
            kind.shown(),
            "correct it",
        )
    };
    match Expression::read(item.value, at, Dialect::Workflow)? {
        Expression::Literal(value) => kind.of(value).ok_or_else(wrong),
        Expression::List(values) => {
            let literal = |value| match value {
                Expression::Literal(value) => Some(value),
                _ => None,
            };
            let values = values.into_iter().map(literal).collect::<Option<Vec<_>>>();
            let list = values.map(Value::Array).ok_or_else(wrong)?;
            kind.of(list).ok_or_else(wrong)
        }
        Expression::Map(_) | Expression::Taken(..) => Err(wrong()),
    }
}

/// What was given, in the declared kinds. Fields that are not declared are left out.
pub(super) fn accept(
    fields: &[Field],
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Fault> {
    let mut accepted = Map::new();
    for field in fields {
        let name = field.name.as_str();
        let value = match given.get(name) {
            Some(value) if field.kind == Kind::Texts => split(value),
            Some(value) => value.clone(),
            None if field.required => {
                return Err(Fault::invalid(format!("the field {name:?} is missing")));
            }
            None => field.default.clone().unwrap_or_default().0.take(),
        };
        let fits = field.kind.of(value).ok_or_else(|| {
            Fault::invalid(format!("the field {name:?} must be {}", field.kind.shown()))
        })?;
        accepted.insert(field.name.clone(), fits);
    }
    debug_assert!(
        fields
            .iter()
            .all(|field| field.name.len() <= MAX_NAME_BYTES)
    );
    Ok(accepted)
}

/// A text is a list with commas.
fn split(value: &Value) -> Value {
    match value {
        Value::String(text) => text.split(',').map(str::trim).collect(),
        other => other.clone(),
    }
}
