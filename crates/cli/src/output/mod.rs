//! How answers are printed.

mod display;
mod format;
mod secret;
mod table;
mod yaml;

use serde::Serialize;

pub(crate) use display::{cell, human_secs, quoted_list, title};
pub(crate) use format::Format;
pub(crate) use secret::{key_rows, no_field, print_field, print_secret};
pub(crate) use table::{columns, key_values};

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Prints a value: `table` makes its rows where a table is wanted, other formats come from the value itself.
pub(crate) fn print(
    cx: &Context,
    value: &impl Serialize,
    table: impl FnOnce() -> String,
) -> Outcome {
    let text = match cx.format {
        Format::Table => table(),
        other => structured(other, value)?,
    };
    cx.ui.line(&text);
    Ok(())
}

/// A value in one of the structured formats.
pub(crate) fn structured(format: Format, value: &impl Serialize) -> Result<String, Failure> {
    let unwritable =
        |error: serde_json::Error| Failure::local(format!("the answer cannot be printed: {error}"));
    match format {
        Format::Yaml => Ok(yaml::document(
            &serde_json::to_value(value).map_err(unwritable)?,
        )),
        Format::Raw => Err(Failure::local(
            "the format raw is for `read` only; use json here",
        )),
        Format::Table | Format::Json | Format::Pretty => {
            serde_json::to_string_pretty(value).map_err(unwritable)
        }
    }
}
