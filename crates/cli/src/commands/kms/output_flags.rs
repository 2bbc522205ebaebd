//! Where the bytes of an answer go.

use std::io::{self, IsTerminal, Write};

use clap::Args;
use coffer_client::Secret;

use super::target::{bytes, print_text};
use crate::commands::envelope::output::Output;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{Format, print_secret};

/// Where the bytes of an answer go.
#[derive(Debug, Args)]
pub(super) struct OutputFlags {
    /// Write the bytes themselves to this file, which only you can read, or to standard output with -
    #[arg(long, value_name = "FILE", help_heading = "Output")]
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

    /// The file, where it is one.
    fn file(&self) -> Option<&str> {
        self.output.as_deref().filter(|path| *path != "-")
    }

    /// Prints the bytes of an answer: in base64, or as they are where it was said where.
    pub(super) fn print(
        &self,
        cx: &Context,
        secret: &Secret,
        name: &str,
        field: Option<&str>,
    ) -> Outcome {
        match self.is_given() {
            false => print_text(cx, secret, name, field),
            true => self.write(cx, secret, name),
        }
    }

    /// Prints the bytes of an answer as they are; all of the answer to programs.
    pub(super) fn print_raw(&self, cx: &Context, secret: &Secret, name: &str) -> Outcome {
        match self.is_given() || cx.format == Format::Table {
            true => self.write(cx, secret, name),
            false => print_secret(cx, secret, None),
        }
    }

    /// Writes the bytes of an answer; a wrapping token is printed in their place.
    fn write(&self, cx: &Context, secret: &Secret, name: &str) -> Outcome {
        if secret.wrap_info.is_some() {
            return print_secret(cx, secret, None);
        }
        cx.ui.warnings(&secret.warnings);
        self.put(cx, &bytes(secret, name)?)?;
        if let (Some(path), Format::Table) = (self.file(), cx.format) {
            cx.ui.line(&format!("Success! written to {path}"));
        }
        Ok(())
    }

    /// Writes bytes there, or to standard output where nobody said where. Answers whether that is a file.
    pub(super) fn put(&self, cx: &Context, bytes: &[u8]) -> Result<bool, Failure> {
        let Some(path) = self.file() else {
            to_stdout(cx, bytes)?;
            return Ok(false);
        };
        let mut output = Output::create(path, self.force, false)?;
        output
            .write_all(bytes)
            .map_err(|error| Failure::local(format!("{path} can not be written: {error}")))?;
        output.finish()?;
        Ok(true)
    }
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
    let mut out = io::stdout().lock();
    // A reader that went away is no error; a full disk is.
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::local(format!(
            "standard output can not be written: {error}"
        ))),
        _ => Ok(()),
    }
}
