//! HCL 1 and its JSON variant as Vault reads them, with positions.
//!
//! Policies and server configurations are written in this language. It is HCL **1**: the parser never sees newlines,
//! attribute names may be quoted, commas are optional between items, and a repeated key means one more of it. The
//! HCL 2 crates refuse much of what people have in their files, hence a parser of our own.
//!
//! - [`parse`] turns text into a [`Body`]; a document whose first visible character is `{` is read as JSON.
//! - [`Body`]'s `take_*` methods are what decoders use: they remove what they know, and what is left is unknown.
//! - [`format`] is `policy fmt`: canonical layout that keeps every comment.
//!
//! Limits are applied while reading, so hostile input costs memory in proportion to its size and never the stack.

mod body;
mod error;
mod format;
mod json;
mod lexer;
mod lookup;
mod nearest;
mod parser;
mod position;
mod text;

pub use body::{Body, Item, Value};
pub use error::Error;
pub use format::format;
pub use lookup::Block;
pub use nearest::nearest;
pub use position::Position;

/// Largest document that is read, in bytes.
pub const MAX_INPUT_BYTES: usize = 1024 * 1024;

/// Deepest nesting of blocks and lists, in levels.
pub const MAX_DEPTH_LEVELS: usize = 64;

/// Reads a document, HCL or (first visible character `{`) JSON.
///
/// # Errors
/// The first thing that is wrong, with its line and column, what was expected there, and what to do.
pub fn parse(text: &str) -> Result<Body, Error> {
    let text = measured(text)?;
    if is_json(text) {
        json::parse(text)
    } else {
        parser::parse(text)?.into_body()
    }
}

/// Whether a document is in the JSON variant.
#[must_use]
pub fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('{')
}

/// The text without a byte order mark, if it is not too large to read.
fn measured(text: &str) -> Result<&str, Error> {
    if text.len() > MAX_INPUT_BYTES {
        return Err(Error::new(
            Position::START,
            format!("the document has {} bytes", text.len()),
            format!("at most {MAX_INPUT_BYTES} bytes"),
            "split it into several documents",
        ));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
