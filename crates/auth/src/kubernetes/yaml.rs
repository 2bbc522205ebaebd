//! As much of YAML as people write for label selectors: objects, lists and texts. Anchors, tags and further documents are
//! refused, so that a text is as long as what it says.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// How deep objects and lists may lie in one another.
const MAX_DEPTH: usize = 8;

/// Reads one document. Whatever is no object and no list is a text, but for nothing at all.
pub(super) fn read(text: &str) -> Result<Value, &'static str> {
    let mut document = Document::default();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|_| "it is neither JSON nor YAML")?;
        document.take(event)?;
    }
    document.whole.ok_or("it is empty")
}

/// A document as far as it was read.
#[derive(Default)]
struct Document {
    open: Vec<Part>,
    whole: Option<Value>,
}

/// An object or a list that is still open; of an object also the name whose value comes next.
enum Part {
    Object(Map<String, Value>, Option<String>),
    List(Vec<Value>),
}

impl Document {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        const PLAIN: &str = "anchors and tags are not understood";
        match event {
            Event::MappingStart(0, None) => self.begin(Part::Object(Map::new(), None)),
            Event::SequenceStart(0, None) => self.begin(Part::List(Vec::new())),
            Event::MappingEnd | Event::SequenceEnd => self.end(),
            Event::Scalar(text, style, 0, None) => {
                let nothing = matches!(&*text, "" | "~" | "null");
                match nothing && style == ScalarStyle::Plain {
                    true => self.put(Value::Null),
                    false => self.put(Value::String(text.into_owned())),
                }
            }
            Event::Alias(_)
            | Event::MappingStart(..)
            | Event::SequenceStart(..)
            | Event::Scalar(..) => Err(PLAIN),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, part: Part) -> Result<(), &'static str> {
        if self.open.len() >= MAX_DEPTH {
            return Err("it is too deep");
        }
        self.open.push(part);
        Ok(())
    }

    fn end(&mut self) -> Result<(), &'static str> {
        match self.open.pop() {
            Some(Part::Object(map, None)) => self.put(Value::Object(map)),
            Some(Part::List(items)) => self.put(Value::Array(items)),
            _ => Err("a name has no value"),
        }
    }

    fn put(&mut self, value: Value) -> Result<(), &'static str> {
        match self.open.last_mut() {
            None if self.whole.is_some() => return Err("it has more than one document"),
            None => self.whole = Some(value),
            Some(Part::List(items)) => items.push(value),
            Some(Part::Object(map, name)) => match (name.take(), value) {
                (Some(name), _) if map.contains_key(&name) => return Err("a name comes twice"),
                (Some(name), value) => {
                    map.insert(name, value);
                }
                (None, Value::String(text)) => *name = Some(text),
                (None, _) => return Err("a name is no text"),
            },
        }
        Ok(())
    }
}
