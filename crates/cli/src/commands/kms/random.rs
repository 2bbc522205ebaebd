use clap::Args;
use serde_json::Map;

use super::output_flags::OutputFlags;
use super::target::{Mount, write};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;

/// Make random bytes; prints them in base64
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  32 bytes:
      coffer kms random
  The bytes themselves into a file that only you can read:
      coffer kms random -output=seed.bin 64")]
pub(crate) struct Random {
    /// How many bytes, 1 to 1024
    #[arg(value_name = "BYTES", default_value_t = 32)]
    bytes: u32,
    #[command(flatten)]
    mount: Mount,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

impl Random {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.mount.path("random");
        let body = Map::from_iter([("number_of_bytes".to_owned(), self.bytes.into())]);
        let answer = write(cx, &path, &body, "making random bytes").await?;
        let answer = answer.ok_or_else(|| Failure::nothing_at(&path))?;
        let field = self.field.name();
        self.output.print(cx, &answer, "plaintext", field)
    }
}
