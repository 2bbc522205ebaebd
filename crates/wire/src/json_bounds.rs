//! Bounds on the shape of a JSON body, looked at before anything is built of it.

use thiserror::Error;

use crate::json::MAX_JSON_DEPTH;

/// What a body may hold; none where nothing is bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonBounds {
    /// How deeply objects and lists may nest.
    pub depth: Option<usize>,
    /// How many texts there may be, names of fields among them.
    pub texts: Option<usize>,
    /// How long a text may be, in bytes as they are sent.
    pub text_bytes: Option<usize>,
    /// How many fields an object may have.
    pub fields: Option<usize>,
    /// How many elements a list may have.
    pub elements: Option<usize>,
    /// How much memory the values may take, in bytes: their texts, and 96 bytes for each value or field.
    pub memory_bytes: Option<usize>,
}

/// Which bound a body passes.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the JSON body has more {what} than the {most} that this listener takes ({setting})")]
pub struct BoundPassed {
    what: &'static str,
    most: usize,
    setting: &'static str,
}

/// About what a value takes beside its text.
const VALUE_BYTES: usize = 96;

impl JsonBounds {
    /// Looks at a body's bytes once. What is no JSON is left to the parser.
    ///
    /// # Errors
    /// The first bound that is passed.
    pub fn check(&self, body: &[u8]) -> Result<(), BoundPassed> {
        if *self == Self::default() {
            return Ok(());
        }
        let mut seen = Seen::default();
        for byte in body {
            seen.take(*byte, self)?;
            // The parser refuses it in a moment, and what is remembered here stays small.
            if seen.open.len() > MAX_JSON_DEPTH {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// What was seen of a body so far.
#[derive(Default)]
struct Seen {
    /// For each object or list that is open: whether it is a list, and how many values it has begun.
    open: Vec<(bool, usize)>,
    in_text: bool,
    escaped: bool,
    text_bytes: usize,
    texts: usize,
    memory_bytes: usize,
}

impl Seen {
    fn take(&mut self, byte: u8, bounds: &JsonBounds) -> Result<(), BoundPassed> {
        if self.in_text {
            return self.inside(byte, bounds);
        }
        match byte {
            b'"' => {
                self.in_text = true;
                self.text_bytes = 0;
                self.texts += 1;
                bound(
                    bounds.texts,
                    self.texts,
                    "texts",
                    "max_request_json_strings",
                )?;
            }
            b'{' | b'[' => {
                self.open.push((byte == b'[', 1));
                bound(bounds.depth, self.open.len(), "levels", "max_json_depth")?;
                self.weigh(VALUE_BYTES, bounds)?;
            }
            b'}' | b']' => drop(self.open.pop()),
            b',' => self.next(bounds)?,
            _ => {}
        }
        Ok(())
    }

    fn inside(&mut self, byte: u8, bounds: &JsonBounds) -> Result<(), BoundPassed> {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_text = false;
                return Ok(());
            }
            _ => {}
        }
        self.text_bytes += 1;
        let most = bounds.text_bytes;
        bound(
            most,
            self.text_bytes,
            "bytes in one text",
            "max_json_string_value_length",
        )?;
        self.weigh(1, bounds)
    }

    /// One more value in the innermost object or list.
    fn next(&mut self, bounds: &JsonBounds) -> Result<(), BoundPassed> {
        let Some((list, values)) = self.open.last_mut() else {
            return Ok(());
        };
        *values += 1;
        let (list, values) = (*list, *values);
        match list {
            true => bound(
                bounds.elements,
                values,
                "elements in one list",
                "max_json_array_element_count",
            )?,
            false => bound(
                bounds.fields,
                values,
                "fields in one object",
                "max_json_object_entry_count",
            )?,
        }
        self.weigh(VALUE_BYTES, bounds)
    }

    fn weigh(&mut self, bytes: usize, bounds: &JsonBounds) -> Result<(), BoundPassed> {
        self.memory_bytes += bytes;
        let most = bounds.memory_bytes;
        bound(
            most,
            self.memory_bytes,
            "bytes of values",
            "max_request_json_memory",
        )
    }
}

fn bound(
    most: Option<usize>,
    seen: usize,
    what: &'static str,
    setting: &'static str,
) -> Result<(), BoundPassed> {
    match most.filter(|most| seen > *most) {
        Some(most) => Err(BoundPassed {
            what,
            most,
            setting,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(bounds: JsonBounds, body: &str) -> bool {
        bounds.check(body.as_bytes()).is_ok()
    }

    #[test]
    fn each_bound_is_the_last_that_fits() {
        let none = JsonBounds::default();
        let depth = JsonBounds {
            depth: Some(2),
            ..none
        };
        assert!(fits(depth, r#"{"a":[1],"b":{}}"#) && !fits(depth, r#"{"a":[[]]}"#));
        let texts = JsonBounds {
            texts: Some(2),
            ..none
        };
        assert!(fits(texts, r#"{"a":"b\"c"}"#) && !fits(texts, r#"{"a":"b","c":1}"#));
        let length = JsonBounds {
            text_bytes: Some(3),
            ..none
        };
        assert!(fits(length, r#"{"abc":"\"x"}"#) && !fits(length, r#"{"abcd":1}"#));
        let fields = JsonBounds {
            fields: Some(2),
            ..none
        };
        assert!(fits(fields, r#"{"a":[1,2,3],"b":1}"#) && !fits(fields, r#"{"a":1,"b":2,"c":3}"#));
        let elements = JsonBounds {
            elements: Some(2),
            ..none
        };
        assert!(fits(elements, r#"{"a":[1,2],"b":1,"c":1}"#) && !fits(elements, "[1,2,3]"));
        let memory = JsonBounds {
            memory_bytes: Some(200),
            ..none
        };
        assert!(fits(memory, r#"{"a":"bbbb"}"#) && !fits(memory, r#"{"a":[],"b":[]}"#));
    }

    #[test]
    fn signs_inside_texts_mean_nothing() {
        let bounds = JsonBounds {
            depth: Some(1),
            fields: Some(1),
            elements: Some(1),
            ..JsonBounds::default()
        };
        assert!(fits(bounds, r#"{"[{,,,\"[":"]]]}"}"#));
    }

    #[test]
    fn what_is_no_json_is_left_to_the_parser() {
        let bounds = JsonBounds {
            depth: Some(1),
            ..JsonBounds::default()
        };
        assert!(
            fits(bounds, "]]}},,\"") && fits(bounds, "") && fits(JsonBounds::default(), "[[[[")
        );
    }

    #[test]
    fn no_more_is_remembered_than_the_parser_takes() {
        let bounds = JsonBounds {
            fields: Some(1),
            ..JsonBounds::default()
        };
        let mut seen = Seen::default();
        let deep = [b'['; MAX_JSON_DEPTH + 1];
        deep.iter()
            .for_each(|byte| seen.take(*byte, &bounds).unwrap());
        assert_eq!(seen.open.len(), MAX_JSON_DEPTH + 1);
        assert_eq!(bounds.check(&vec![b'['; 1_000_000]), Ok(()));
    }

    #[test]
    fn the_setting_is_named() {
        let bounds = JsonBounds {
            texts: Some(1),
            ..JsonBounds::default()
        };
        let passed = bounds.check(br#"{"a":"b"}"#).unwrap_err().to_string();
        assert!(
            passed.contains("max_request_json_strings") && passed.contains('1'),
            "{passed}"
        );
    }
}
