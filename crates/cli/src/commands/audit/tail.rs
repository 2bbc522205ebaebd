use clap::Args;
use coffer_client::{Method, Request};

use crate::commands::monitor;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Follow an audit device's lines
///
/// Lines come as the device records them, hashed by its key, until this is interrupted. What was recorded before is in the
/// device's log.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer audit tail file
  Who is refused, for a program:
      coffer audit tail file | jq -c 'select(.error) | [.time, .request.path, .error]'")]
pub(crate) struct Tail {
    /// The device's name
    #[arg(value_name = "PATH")]
    path: String,
}

impl Tail {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = format!("sys/audit-tail/{}", self.path.trim_matches('/'));
        let client = cx.client()?;
        let lines = client.download(&Request::new(Method::Get, path)).await;
        let mut lines = lines.or_failed("following the audit device")?;
        let ended = "The server ended it: it stops, was sealed, the device was disabled, or the token ended.";
        tokio::select! {
            ended = monitor::pass_on(&mut lines, "following the audit device", ended) => ended,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    }
}
