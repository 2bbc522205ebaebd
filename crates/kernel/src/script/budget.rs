//! How much one run may make.

use coffer_wire::MAX_JSON_DEPTH;
use serde_json::Value;

/// Most bytes of texts in the values that one run makes and keeps: requests, answers, outputs. Less than a client may
/// send in one request.
const MAX_RUN_BYTES: usize = 8 * 1024 * 1024;
/// Most memory that the values of one run may take beside their texts, by the estimates below.
const MAX_TREE_BYTES: usize = 32 * 1024 * 1024;
/// A map takes about so much, before its fields.
const MAP_BYTES: usize = 768;
/// A value takes about so much, its share of the room to grow included.
const VALUE_BYTES: usize = 96;

/// What is left of it. A run spends it before it makes anything: a step that repeats the one before it many times
/// would else grow by a power of their number.
pub(crate) struct Budget {
    texts: usize,
    tree: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            texts: MAX_RUN_BYTES,
            tree: MAX_TREE_BYTES,
        }
    }
}

impl Budget {
    /// Pays for a text.
    pub fn text(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.texts.checked_sub(bytes);
        self.texts = left.ok_or_else(|| {
            format!(
                "the requests and answers of one run may have {MAX_RUN_BYTES} bytes in all, and this is past that"
            )
        })?;
        Ok(())
    }

    /// Pays for a value, without what is in it.
    pub fn node(&mut self, is_map: bool) -> Result<(), String> {
        let bytes = if is_map { MAP_BYTES } else { VALUE_BYTES };
        let left = self.tree.checked_sub(bytes);
        self.tree = left.ok_or_else(|| {
            format!(
                "the lists and maps of one run may take {MAX_TREE_BYTES} bytes in all, and this is past that"
            )
        })?;
        Ok(())
    }

    /// Pays for a copy of a value that is put below `depth` others.
    pub fn copy(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        deep(value, depth)?;
        self.node(value.is_object())?;
        match value {
            Value::String(text) => self.text(text.len()),
            Value::Array(values) => values
                .iter()
                .try_for_each(|value| self.copy(value, depth + 1)),
            Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
                self.text(name.len())?;
                self.copy(value, depth + 1)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    /// Pays for the tree of a JSON text, known before anything is built.
    pub fn json(&mut self, text: &[u8]) -> Result<(), String> {
        self.text(text.len())?;
        let (mut in_text, mut escaped) = (false, false);
        for byte in text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = in_text,
                b'"' => in_text = !in_text,
                b'{' if !in_text => self.node(true)?,
                b',' | b':' | b'[' if !in_text => self.node(false)?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn deep(value: &Value, depth: usize) -> Result<(), String> {
    match value {
        Value::Array(_) | Value::Object(_) => nested(depth),
        _ => Ok(()),
    }
}

/// Refuses a list or map below `depth` others, where no request of a client could have one.
pub(super) fn nested(depth: usize) -> Result<(), String> {
    if depth + 1 < MAX_JSON_DEPTH {
        return Ok(());
    }
    Err(format!(
        "lists and maps may be nested less than {MAX_JSON_DEPTH} deep"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(levels: usize) -> Value {
        (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
    }

    #[test]
    fn what_parses_is_not_too_deep_and_what_is_not_does_not_parse() {
        for levels in [1, MAX_JSON_DEPTH - 1, MAX_JSON_DEPTH, MAX_JSON_DEPTH + 1] {
            let value = wrapped(levels);
            let parses = serde_json::from_str::<Value>(&value.to_string()).is_ok();
            assert_eq!(
                Budget::default().copy(&value, 0).is_ok(),
                parses,
                "{levels}"
            );
        }
        assert!(Budget::default().copy(&wrapped(100), 100).is_err());
        assert!(Budget::default().copy(&Value::Null, 500).is_ok());
    }

    #[test]
    fn a_copy_costs_what_its_text_does() {
        let value = serde_json::json!({ "a": [1, "zwei", { "b": null }], "c": {} });
        let (mut copied, mut read) = (Budget::default(), Budget::default());
        copied.copy(&value, 0).unwrap();
        read.json(value.to_string().as_bytes()).unwrap();
        assert!(copied.texts < MAX_RUN_BYTES && read.texts <= copied.texts);
        assert!(copied.tree.abs_diff(read.tree) < MAP_BYTES);
    }

    #[test]
    fn texts_and_trees_end() {
        let mut budget = Budget::default();
        assert!(budget.text(MAX_RUN_BYTES).is_ok());
        assert!(budget.text(1).is_err());
        let small = format!("[{}0]", "{},".repeat(MAX_TREE_BYTES / MAP_BYTES));
        assert!(Budget::default().json(small.as_bytes()).is_err());
    }
}
