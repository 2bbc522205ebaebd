//! Results as they come: a line for each item, and what to say at the end.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Job;
use super::item::Item;
use crate::commands::transit::asking::step;
use crate::commands::transit::printing::{print_line, unpacked};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{Format, cell, structured};

/// The most results that are kept for one JSON document; lines have no such bound.
const MAX_KEPT: usize = 100_000;

pub(super) struct Report<'a> {
    cx: &'a Context,
    job: &'a Job<'a>,
    json_lines: bool,
    /// For one document in place of lines.
    kept: Vec<Value>,
    items: u64,
    failed: u64,
    refuted: u64,
    /// What helps against the first failure.
    step: Option<&'static str>,
}

impl<'a> Report<'a> {
    pub(super) fn new(cx: &'a Context, job: &'a Job<'a>, json_lines: bool) -> Self {
        Self {
            cx,
            job,
            json_lines,
            kept: Vec::new(),
            items: 0,
            failed: 0,
            refuted: 0,
            step: None,
        }
    }

    /// Prints the result of an item.
    pub(super) fn add(&mut self, item: &Item, mut result: Map<String, Value>) -> Outcome {
        self.items += 1;
        self.judge(item, &mut result);
        if self.cx.format != Format::Table {
            return self.keep(result);
        }
        let line = match self.json_lines {
            true => self.json_line(item, result)?,
            false => self.line(item, &result),
        };
        print_line(self.cx, &line)
    }

    /// Counts it, and tells of a failure at once.
    fn judge(&mut self, item: &Item, result: &mut Map<String, Value>) {
        let has_result = result.contains_key(self.job.kind.result);
        if !has_result && !result.contains_key("error") {
            let (name, value) = match self.job.kind.proof {
                // OpenBao leaves it out where an HMAC is not valid.
                Some(_) => ("valid", Value::Bool(false)),
                None => ("error", "the server answered nothing for it".into()),
            };
            result.insert(name.to_owned(), value);
        }
        if let Some(error) = result
            .get("error")
            .map(cell)
            .filter(|text| !text.is_empty())
        {
            self.step = self.step.or_else(|| step(std::slice::from_ref(&error)));
            self.fail(item, &error);
        } else if result.get("valid") == Some(&Value::Bool(false)) {
            self.refuted += 1;
            self.tell(item, "NOT valid");
        }
    }

    fn fail(&mut self, item: &Item, reason: &str) {
        self.failed += 1;
        self.tell(item, reason);
    }

    fn tell(&self, item: &Item, what: &str) {
        let reference = item.given.get("reference").map(cell).unwrap_or_default();
        let mut text = format!("line {}", item.number);
        if !reference.is_empty() {
            let _ = write!(text, " (\"{reference}\")");
        }
        self.cx.ui.error(&format!("{text}: {what}"));
    }

    fn keep(&mut self, result: Map<String, Value>) -> Outcome {
        if self.kept.len() == MAX_KEPT {
            return Err(Failure::local(format!(
                "more than {MAX_KEPT} results are too many for one document; use -json-lines without -format"
            )));
        }
        self.kept.push(result.into());
        Ok(())
    }

    /// The bare result; nothing for one that failed, so that lines stay beside their items.
    fn line(&mut self, item: &Item, result: &Map<String, Value>) -> Zeroizing<Vec<u8>> {
        let has_failed = result
            .get("error")
            .is_some_and(|error| !cell(error).is_empty());
        let value = result.get(self.job.kind.result).map(cell);
        let mut line = match value.filter(|_| !has_failed) {
            None => Zeroizing::default(),
            Some(text) if self.job.kind.gives_bytes => match unpacked(&text) {
                Some(bytes) if !bytes.contains(&b'\n') => bytes,
                Some(_) => {
                    self.fail(
                        item,
                        "it holds a line end, so it is not one line; use -json-lines",
                    );
                    Zeroizing::default()
                }
                None => {
                    self.fail(item, "the server's answer is not base64");
                    Zeroizing::default()
                }
            },
            Some(text) => text.into_bytes().into(),
        };
        line.push(b'\n');
        line
    }

    /// The server's result with bytes as text where they are text.
    fn json_line(
        &self,
        item: &Item,
        mut result: Map<String, Value>,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let reference = result.get("reference").and_then(Value::as_str);
        if reference.is_none_or(str::is_empty) {
            result.remove("reference");
            if let Some(given) = item.given.get("reference") {
                result.insert("reference".to_owned(), given.clone());
            }
        }
        let failed = result
            .get("error")
            .is_some_and(|error| !cell(error).is_empty());
        if failed {
            result.remove(self.job.kind.result);
            result.remove("key_version");
        } else {
            result.remove("error");
        }
        if self.job.kind.gives_bytes
            && let Some(packed) = result.remove(self.job.kind.result)
        {
            let (name, value) = readable(&cell(&packed));
            result.insert(name.to_owned(), value.into());
        }
        if self.job.kind.echoes {
            for (name, value) in &item.given {
                if !result.contains_key(name) {
                    result.insert(name.clone(), value.clone());
                }
            }
        }
        let mut line = Zeroizing::new(serde_json::to_vec(&result).map_err(|error| {
            Failure::local(format!("the result can not be written as JSON: {error}"))
        })?);
        line.push(b'\n');
        Ok(line)
    }

    /// Says how far it came, so that the rest can be done later.
    pub(super) fn interrupted(&self, mut failure: Failure) -> Failure {
        if self.items > 0 && !failure.text.is_empty() {
            let _ = write!(
                failure.text,
                "\n\n{} items were answered before that, {} of them failed.",
                self.items, self.failed
            );
        }
        failure
    }

    /// Prints the document, if it is one, and says how it went.
    pub(super) fn finish(self) -> Outcome {
        if self.cx.format != Format::Table {
            self.cx.ui.line(&structured(self.cx.format, &self.kept)?);
        }
        let doing = &self.job.doing;
        if self.failed > 0 {
            let step = self.step.map(|step| format!("\n\n{step}"));
            return Err(Failure {
                code: 2,
                text: format!(
                    "Error {doing}: {} of {} items failed{}",
                    self.failed,
                    self.items,
                    step.unwrap_or_default()
                ),
            });
        }
        match self.refuted {
            0 => Ok(()),
            refuted => Err(Failure::not_genuine(format!(
                "{refuted} of {} items are NOT valid",
                self.items
            ))),
        }
    }
}

/// Bytes as a JSON line has them: `text` where they are, else `base64`.
fn readable(packed: &str) -> (&'static str, String) {
    let text = unpacked(packed).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
    match text {
        Some(text) => ("text", text),
        None => match unpacked(packed) {
            Some(bytes) => ("base64", STANDARD.encode(bytes)),
            None => ("base64", packed.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_where_they_can_be() {
        assert_eq!(readable("aGk="), ("text", "hi".to_owned()));
        assert_eq!(readable(""), ("text", String::new()));
        assert_eq!(readable("+/8="), ("base64", "+/8=".to_owned()));
    }
}
