use clap::Args;
use coffer_client::Kv2Options;

use super::mount::Target;
use super::print_version;
use crate::commands::write::print_written;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::input;

/// Write a secret; where versions are kept, the former ones stay readable
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Two values:
      coffer kv put -mount=secret app user=alice password=hunter2
  A value from a file, one from standard input:
      printf %s \"$PASSWORD\" | coffer kv put secret/app cert=@cert.pem password=-
  A whole JSON object:
      coffer kv put secret/app @app.json
  Only if nobody wrote since version 3 was read (0: only if there is none yet):
      coffer kv put -cas=3 secret/app user=bob")]
pub(crate) struct Put {
    #[command(flatten)]
    target: Target,
    /// The values: key=value, key=@file, key=-, @file.json, or -
    #[arg(value_name = "KEY=VALUE")]
    data: Vec<String>,
    /// Write only if this is the current version; 0 for a secret that must not exist
    #[arg(long, value_name = "VERSION", allow_hyphen_values = true)]
    cas: Option<i64>,
    #[command(flatten)]
    field: Field,
}

impl Put {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.data.is_empty() {
            return Err(Failure::local(
                "there is no data to write; give key=value, @file.json or -",
            ));
        }
        let data = input::data(&self.data, &cx.ui)?;
        let client = cx.client()?;
        let place = self.target.resolve(cx, &client).await?;
        let path = place.path("data");
        let doing = format!("writing data to {path}");
        if !place.versioned {
            let answer = client
                .kv1(&place.mount)
                .put(&place.name, &data)
                .await
                .or_failed(&doing)?;
            return print_written(cx, answer, &path, self.field.name());
        }
        let options = Kv2Options { cas: cas(self.cas) };
        let answer = client
            .kv2(&place.mount)
            .put_with(&place.name, &data, options)
            .await
            .or_failed(&doing)?;
        match answer {
            Some(secret) => print_version(cx, &secret, &path, self.field.name()),
            None => print_written(cx, None, &path, None),
        }
    }
}

/// A negative number is the reference's way to say "no condition".
pub(super) fn cas(given: Option<i64>) -> Option<u64> {
    given.and_then(|version| u64::try_from(version).ok())
}
