//! How decoders read a [`Body`]: they take what they know, and what is left is unknown.

use std::sync::Arc;

use crate::{Body, Error, Item, Position, Value};

/// A block with all its labels, however it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// As many labels as were asked for. Blocks of one list share theirs, so a long label costs its length once.
    pub labels: Vec<Arc<str>>,
    /// The block's items.
    pub body: Body,
    /// Where the innermost label's or key's item starts.
    pub position: Position,
}

impl Body {
    /// Removes and returns every item of that name, in order. Upper and lower case are alike, as in Vault.
    pub fn take(&mut self, key: &str) -> Vec<Item> {
        self.items
            .extract_if(.., |item| item.key.eq_ignore_ascii_case(key))
            .collect()
    }

    /// Takes a text; a number or boolean counts as its text. The last one wins if there are several.
    ///
    /// # Errors
    /// If it is a list or a block.
    pub fn take_str(&mut self, key: &str) -> Result<Option<String>, Error> {
        self.take_last(key, "a string in double quotes", |value| {
            value.as_text().map(str::to_owned)
        })
    }

    /// Takes a boolean; `"true"`, `"1"`, `1` and their like count.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn take_bool(&mut self, key: &str) -> Result<Option<bool>, Error> {
        self.take_last(key, "true or false", Value::as_bool)
    }

    /// Takes a whole number; one in quotes counts.
    ///
    /// # Errors
    /// If it is anything else or does not fit.
    pub fn take_i64(&mut self, key: &str) -> Result<Option<i64>, Error> {
        self.take_last(key, "a whole number", Value::as_i64)
    }

    /// Takes a list of texts; a lone text is a list of one, and repeated keys add up.
    ///
    /// # Errors
    /// If an element is a list or a block.
    pub fn take_strings(&mut self, key: &str) -> Result<Option<Vec<String>>, Error> {
        let items = self.take(key);
        if items.is_empty() {
            return Ok(None);
        }
        let mut all = Vec::new();
        for item in items {
            let values = match &item.value {
                Value::List(values) => values.as_slice(),
                value => std::slice::from_ref(value),
            };
            for value in values {
                let text = value
                    .as_text()
                    .ok_or_else(|| mismatch(&item, value, "a list of strings"))?;
                all.push(text.to_owned());
            }
        }
        Ok(Some(all))
    }

    /// Takes the blocks of that name with that many labels, in all the ways people write them: `a "x" { }`,
    /// `a = { x = { } }`, `a = [{ x = { } }]`, and their JSON forms.
    ///
    /// # Errors
    /// If there is a plain value where a block should be, or too many labels.
    pub fn take_blocks(&mut self, key: &str, labels: usize) -> Result<Vec<Block>, Error> {
        let mut blocks = Vec::new();
        for item in self.take(key) {
            let position = item.position;
            gather(
                &mut blocks,
                Nest {
                    key,
                    wanted: labels,
                    labels: shared(item.labels).collect(),
                    position,
                },
                item.value,
            )?;
        }
        Ok(blocks)
    }

    fn take_last<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let mut last = None;
        for item in self.take(key) {
            last = Some(read(&item.value).ok_or_else(|| mismatch(&item, &item.value, expected))?);
        }
        Ok(last)
    }
}

/// Where a block is being looked for.
struct Nest<'a> {
    key: &'a str,
    wanted: usize,
    labels: Vec<Arc<str>>,
    position: Position,
}

/// Descends through lists and objects until a block has all its labels.
fn gather(blocks: &mut Vec<Block>, nest: Nest<'_>, value: Value) -> Result<(), Error> {
    let Nest {
        key,
        wanted,
        labels,
        position,
    } = nest;
    let shape = || format!("`{key}{} {{ … }}`", " \"label\"".repeat(wanted));
    if labels.len() > wanted {
        let found = format!("`{key}` with {} labels", labels.len());
        return Err(Error::new(
            position,
            found,
            shape(),
            "remove the label that is too many",
        ));
    }
    match value {
        Value::List(values) => {
            for value in values {
                gather(
                    blocks,
                    Nest {
                        key,
                        wanted,
                        labels: labels.clone(),
                        position,
                    },
                    value,
                )?;
            }
            Ok(())
        }
        Value::Object(body) if labels.len() == wanted => {
            blocks.push(Block {
                labels,
                body,
                position,
            });
            Ok(())
        }
        Value::Object(body) => {
            for item in body.items {
                let mut labels = labels.clone();
                labels.push(item.key.into());
                labels.extend(shared(item.labels));
                gather(
                    blocks,
                    Nest {
                        key,
                        wanted,
                        labels,
                        position: item.position,
                    },
                    item.value,
                )?;
            }
            Ok(())
        }
        value => {
            let found = format!("{} inside `{key}`", value.kind());
            Err(Error::new(
                position,
                found,
                shape(),
                "write it as a block with its label",
            ))
        }
    }
}

fn shared(labels: Vec<String>) -> impl Iterator<Item = Arc<str>> {
    labels.into_iter().map(Arc::from)
}

fn mismatch(item: &Item, value: &Value, expected: &str) -> Error {
    let found = format!("`{}` is {}", item.key, value.kind());
    Error::new(
        item.position,
        found,
        expected,
        format!("write `{} = …` with such a value", item.key),
    )
}
