//! The JSON variant, read with serde_json into the same tree.

use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{Body, Error, Item, MAX_DEPTH_LEVELS, Position, Value};

/// Reads a document whose first visible character is `{`.
///
/// Each level is cut into raw values, which borrow from the document: their place in it gives the positions that
/// `serde_json::Value` does not keep, and a key written twice stays two items, as in HCL.
pub(crate) fn parse(text: &str) -> Result<Body, Error> {
    let reader = Reader {
        text,
        last: Cell::new((0, Position::START)),
    };
    let members = reader.read::<Members<'_>>(text)?;
    reader.body(members, 1)
}

struct Reader<'a> {
    text: &'a str,
    /// The last offset asked for and its place. Keys are met in document order, so finding all costs one pass.
    last: Cell<(usize, Position)>,
}

impl<'a> Reader<'a> {
    fn body(&self, members: Members<'a>, depth: usize) -> Result<Body, Error> {
        let mut items = Vec::with_capacity(members.0.len());
        for (key, raw) in members.0 {
            let position = self.key_position(raw.get());
            // `null` is the absence of a value.
            if let Some(value) = self.value(raw.get(), depth)? {
                items.push(Item {
                    key,
                    labels: Vec::new(),
                    value,
                    position,
                });
            }
        }
        Ok(Body { items })
    }

    fn value(&self, raw: &'a str, depth: usize) -> Result<Option<Value>, Error> {
        if depth >= MAX_DEPTH_LEVELS {
            let expected = format!("at most {MAX_DEPTH_LEVELS} levels of objects and lists");
            return Err(Error::new(
                self.position(raw),
                "a value nested too deep",
                expected,
                "flatten the document",
            ));
        }
        Ok(Some(match raw.as_bytes().first() {
            Some(b'{') => Value::Object(self.body(self.read(raw)?, depth + 1)?),
            Some(b'[') => {
                let elements: Vec<&'a RawValue> = self.read(raw)?;
                let values = elements
                    .into_iter()
                    .map(|element| self.value(element.get(), depth + 1));
                Value::List(
                    values
                        .filter_map(Result::transpose)
                        .collect::<Result<_, _>>()?,
                )
            }
            Some(b'"') => Value::String(self.read(raw)?),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') => return Ok(None),
            _ => Value::Number(raw.to_owned()),
        }))
    }

    fn read<T: Deserialize<'a>>(&self, raw: &'a str) -> Result<T, Error> {
        serde_json::from_str(raw).map_err(|error| {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
            let column = u32::try_from(error.column()).unwrap_or(u32::MAX);
            let start = self.position(raw);
            let position = match line {
                0 | 1 => Position {
                    line: start.line,
                    column: start.column.saturating_add(column.saturating_sub(1)),
                },
                _ => Position {
                    line: start.line.saturating_add(line - 1),
                    column,
                },
            };
            let found = if error.is_eof() {
                "the document ends too early"
            } else {
                "this is not JSON"
            };
            let advice =
                "correct it, or write HCL (a document that starts with `{` is read as JSON)";
            Error::new(position, found, "a complete JSON object", advice)
        })
    }

    /// Where a raw value starts in the document.
    fn position(&self, raw: &str) -> Position {
        self.place(self.before(raw).len())
    }

    /// Where the key of a raw value starts: back over the colon to the opening quote.
    fn key_position(&self, raw: &str) -> Position {
        let before = self.before(raw).trim_end().trim_end_matches(':').trim_end();
        let mut inside = before.strip_suffix('"').unwrap_or(before);
        while let Some((head, _)) = inside.rsplit_once('"') {
            inside = head;
            let backslashes = head.len() - head.trim_end_matches('\\').len();
            if backslashes % 2 == 0 {
                break;
            }
        }
        self.place(inside.len())
    }

    fn place(&self, offset: usize) -> Position {
        let (from, position) = match self.last.get() {
            (last, _) if last > offset => (0, Position::START),
            last => last,
        };
        let place = position.after(self.text.get(from..offset).unwrap_or_default());
        self.last.set((offset, place));
        place
    }

    /// The document up to a raw value, which is part of it.
    fn before(&self, raw: &str) -> &'a str {
        let offset = (raw.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.text.get(..offset).unwrap_or_default()
    }
}

/// The members of an object in order, repeated keys included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}
