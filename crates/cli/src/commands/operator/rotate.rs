use clap::Args;

use super::key_status::table;
use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::output::{Format, print};

/// Begin a new key for what is stored from now on; the rest stays readable
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer operator rotate")]
pub(crate) struct Rotate {}

impl Rotate {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        client.sys().rotate().await.or_failed("rotating the key")?;
        let key = client
            .sys()
            .key_status()
            .await
            .or_failed("reading the key's status")?;
        if cx.format == Format::Table {
            cx.ui.line("Success! Rotated key\n\n");
        }
        print(cx, &key, || table(&key))
    }
}
