//! How answers of the engine are printed: the one value that a command is for alone, bytes as bytes.

use std::io::{self, IsTerminal, Write};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use clap::Args;
use coffer_client::Secret;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::commands::envelope::output::Output;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{Format, cell, no_field, print_secret};

/// Where bytes go.
#[derive(Debug, Args)]
pub(super) struct OutputFlags {
    /// Write the bytes themselves to this file, which only you can read, or to standard output with -
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Output",
        conflicts_with = "field"
    )]
    output: Option<String>,
    /// Replace a file that is there
    #[arg(long, requires = "output", help_heading = "Output")]
    force: bool,
}

impl OutputFlags {
    /// Whether somebody said where.
    pub(super) fn is_given(&self) -> bool {
        self.output.is_some()
    }

    /// Whether that is standard output.
    pub(super) fn is_stdout(&self) -> bool {
        self.output.as_deref() == Some("-")
    }

    /// Results of a batch are lines of their own.
    pub(super) fn refuse_for_many(&self) -> Outcome {
        match self.is_given() {
            false => Ok(()),
            true => Err(Failure::local(
                "-output is for one item; send the lines of a batch into a file with `>`",
            )),
        }
    }

    /// Writes them there, or to standard output where nobody said where.
    pub(super) fn write(&self, cx: &Context, bytes: &[u8]) -> Outcome {
        let Some(path) = self.output.as_deref().filter(|path| *path != "-") else {
            return to_stdout(cx, bytes);
        };
        let mut output = Output::create(path, self.force, false)?;
        output
            .write_all(bytes)
            .map_err(|error| Failure::local(format!("{path} can not be written: {error}")))?;
        output.finish()
    }

    /// Says where they went, if that is a file.
    pub(super) fn tell(&self, cx: &Context) {
        let file = self.output.as_deref().filter(|path| *path != "-");
        if let (Some(path), Format::Table) = (file, cx.format) {
            cx.ui.line(&format!("Success! Written: {path}"));
        }
    }
}

/// Prints the value that the command is for, with a line end; the whole answer or another field where that is asked for.
pub(super) fn print_value(
    cx: &Context,
    secret: &Secret,
    name: &str,
    field: Option<&str>,
) -> Outcome {
    if is_for_programs(cx, secret, field) {
        return print_secret(cx, secret, field);
    }
    cx.ui.warnings(&secret.warnings);
    let value = Zeroizing::new(format!("{}\n", cell(member(secret, name)?).trim_end()));
    to_stdout(cx, value.as_bytes())
}

/// Whether the answer is printed as elsewhere: one field, another format, or a wrapping token in its place.
pub(super) fn is_for_programs(cx: &Context, secret: &Secret, field: Option<&str>) -> bool {
    field.is_some() || cx.format != Format::Table || secret.wrap_info.is_some()
}

/// A value of the answer, which has to be there.
pub(super) fn member<'a>(secret: &'a Secret, name: &str) -> Result<&'a Value, Failure> {
    let data = secret.data.as_ref();
    data.and_then(|data| data.get(name))
        .ok_or_else(|| no_field(name))
}

/// A value of the answer that stands for bytes.
pub(super) fn member_bytes(secret: &Secret, name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text = member(secret, name)?.as_str();
    text.and_then(unpacked).ok_or_else(|| Failure {
        code: 2,
        text: format!("the server's answer is not understood: \"{name}\" is not base64"),
    })
}

/// The bytes that base64 stands for, of either alphabet, with or without padding.
pub(super) fn unpacked(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim_end_matches('=');
    let padded = format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4));
    let bytes = match text.contains(['-', '_']) {
        true => URL_SAFE.decode(padded),
        false => STANDARD.decode(padded),
    };
    bytes.ok().map(Zeroizing::new)
}

/// A line of a batch, which a terminal gets in any case.
pub(super) fn print_line(cx: &Context, line: &[u8]) -> Outcome {
    if io::stdout().is_terminal() {
        cx.ui.print(&String::from_utf8_lossy(line));
        return Ok(());
    }
    raw(line)
}

/// Bytes go out as they are, but a terminal gets text alone, which does not steer it.
fn to_stdout(cx: &Context, bytes: &[u8]) -> Outcome {
    if io::stdout().is_terminal() {
        return match std::str::from_utf8(bytes) {
            Ok(text) => {
                cx.ui.line(text);
                Ok(())
            }
            Err(_) => Err(Failure::local(
                "these bytes are no text for a terminal; give -output=FILE, or send them on with `|` or `>`",
            )),
        };
    }
    raw(bytes)
}

/// A reader that went away is no error; a full disk is.
fn raw(bytes: &[u8]) -> Outcome {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::local(format!(
            "standard output can not be written: {error}"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_either_alphabet_is_read() {
        for text in ["+/8=", "+/8", "-_8", "-_8="] {
            assert_eq!(unpacked(text).unwrap().as_slice(), [0xfb, 0xff], "{text}");
        }
        assert!(unpacked("").unwrap().is_empty());
        assert!(unpacked("a").is_none() && unpacked("!!").is_none());
    }
}
