//! The answer to a batch, written item by item into the text that the client gets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::WipingBuffer;
use coffer_engine::{Body, Fault, Replies, Reply};
use coffer_wire::{Int, write_json};
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Results of a batch, in the order of its items.
pub(super) struct Results {
    text: WipingBuffer,
    items: usize,
    failed: usize,
    empty_field: Option<&'static str>,
}

impl Results {
    /// Of a batch whose results take about so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut text = WipingBuffer::with_capacity(bytes.saturating_add(64));
        text.extend(b"{\"batch_results\":[");
        Self {
            text,
            items: 0,
            failed: 0,
            empty_field: None,
        }
    }

    /// Failures have this field, too, empty.
    pub(super) fn with_empty(mut self, field: &'static str) -> Self {
        self.empty_field = Some(field);
        self
    }

    /// Adds what an item gave; `write` writes its fields, without a comma at the end.
    pub(super) fn succeeded(
        &mut self,
        reference: &str,
        write: impl FnOnce(&mut WipingBuffer),
    ) -> Result<(), Fault> {
        self.next();
        write(&mut self.text);
        self.end(reference)
    }

    /// Adds why an item gave nothing.
    pub(super) fn failed(&mut self, reference: &str, why: &str) -> Result<(), Fault> {
        self.failed += 1;
        self.next();
        if let Some(field) = self.empty_field {
            self.text.extend(format!("\"{field}\":\"\",").as_bytes());
        }
        self.text.extend(b"\"error\":");
        write_json(&mut self.text, &why).map_err(Fault::internal)?;
        self.end(reference)
    }

    /// Adds an item's result, or why it gave none. What is no fault of the item is one of the whole.
    pub(super) fn add<T>(
        &mut self,
        reference: &str,
        result: Result<T, Fault>,
        write: impl FnOnce(&mut WipingBuffer, T),
    ) -> Result<(), Fault> {
        match result {
            Ok(made) => self.succeeded(reference, |text| write(text, made)),
            Err(Fault::Invalid(why)) => self.failed(reference, &why),
            Err(other) => Err(other),
        }
    }

    /// The whole answer.
    pub(super) fn reply(mut self) -> Reply {
        self.text.extend(b"]}");
        Reply {
            body: Body::Json(self.text.into_inner()),
            ..Reply::default()
        }
    }

    /// The whole answer; where items failed with a status that says so: `partial` where others did not, if it is one.
    pub(super) fn reply_with_status(self, partial: Option<Int>) -> Reply {
        let (items, failed) = (self.items, self.failed);
        let reply = self.reply();
        let partial = partial.filter(|_| failed < items);
        match (failed, partial) {
            (0, _) => reply,
            (_, None) => reply.status(400),
            (_, Some(code)) => match u16::try_from(code.0) {
                Ok(code @ 200..=599) => reply.status(code),
                _ => reply.status(400).warn(
                    "invalid HTTP response code override from partial_failure_response_code, reverting to 400",
                ),
            },
        }
    }

    fn next(&mut self) {
        self.text.extend(if self.items == 0 { b"{" } else { b",{" });
        self.items += 1;
    }

    fn end(&mut self, reference: &str) -> Result<(), Fault> {
        self.text.extend(b",\"reference\":");
        write_json(&mut self.text, &reference).map_err(Fault::internal)?;
        self.text.extend(b"}");
        Ok(())
    }
}

/// Writes bytes as base64.
pub(super) fn write_base64(to: &mut WipingBuffer, bytes: &[u8]) {
    let length = bytes.len().div_ceil(3) * 4;
    // The room is exactly what the text takes.
    let _ = STANDARD.encode_slice(bytes, to.grow(length));
}

/// A reply that was written already and has the form of `T`.
pub(super) struct Written<T>(pub(super) Reply, std::marker::PhantomData<fn() -> T>);

impl<T> From<Reply> for Written<T> {
    fn from(reply: Reply) -> Self {
        Self(reply, std::marker::PhantomData)
    }
}

impl<T: JsonSchema> Replies for Written<T> {
    fn reply(self) -> Result<Reply, Fault> {
        Ok(self.0)
    }

    fn schema(types: &mut SchemaGenerator) -> Option<Schema> {
        Some(T::json_schema(types))
    }
}
