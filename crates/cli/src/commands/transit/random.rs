use clap::Args;

use super::asking::ask;
use super::body::Body;
use super::place::Mount;
use super::printing::{OutputFlags, member_bytes, print_value};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::output::print_secret;

/// Make random bytes; prints them in base64
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  32 bytes:
      coffer transit random
  16 bytes in hexadecimal digits:
      coffer transit random -encoding=hex 16
  The bytes themselves into a file that only you can read:
      coffer transit random -output=seed.bin 64")]
pub(crate) struct Random {
    /// How many bytes
    #[arg(value_name = "BYTES", default_value_t = 32)]
    bytes: u64,
    #[command(flatten)]
    mount: Mount,
    /// How they are written: base64 or hex [default: base64]
    #[arg(long, value_name = "NAME", value_parser = ["base64", "hex"], hide_possible_values = true)]
    encoding: Option<String>,
    /// Where the server takes them from: platform, seal or all [default: platform]
    #[arg(long, value_name = "NAME", value_parser = ["platform", "seal", "all"], hide_possible_values = true)]
    source: Option<String>,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

impl Random {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.encoding.is_some() && self.output.is_given() {
            return Err(Failure::local(
                "-output writes the bytes themselves; leave out -encoding",
            ));
        }
        let path = format!("{}/random", self.mount.path()?);
        let body = Body::default()
            .with("bytes", Some(self.bytes))
            .with("format", self.encoding)
            .with("source", self.source);
        let answer = ask(cx, &path, &body, "making random bytes").await?;
        if !self.output.is_given() {
            return print_value(cx, &answer, "random_bytes", self.field.name());
        }
        if answer.wrap_info.is_some() {
            return print_secret(cx, &answer, None);
        }
        cx.ui.warnings(&answer.warnings);
        self.output
            .write(cx, &member_bytes(&answer, "random_bytes")?)?;
        self.output.tell(cx);
        Ok(())
    }
}
