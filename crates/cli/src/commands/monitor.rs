use std::io::Write;

use clap::Args;
use coffer_client::{Download, Method, Request};

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// Follow the server's log
///
/// Lines come as the server writes them, also such as its own log leaves out, until this is interrupted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  What the server does now, in detail:
      coffer monitor -log-level=debug
  For a program:
      coffer monitor -log-format=json | jq '.\"@message\"'")]
pub(crate) struct Monitor {
    /// The least severe lines to show: trace, debug, info, warn, error
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: String,
    /// standard or json
    #[arg(long, value_name = "FORMAT", default_value = "standard")]
    log_format: String,
}

impl Monitor {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let request = request(&self.log_level, &self.log_format);
        let mut lines = client
            .download(&request)
            .await
            .or_failed("following the log")?;
        let ended = "The server ended the log: it stops, was sealed, or the token ended.";
        tokio::select! {
            ended = pass_on(&mut lines, "following the log", ended) => ended,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    }
}

/// What asks for the log.
pub(super) fn request(level: &str, format: &str) -> Request {
    Request::new(Method::Get, "sys/monitor")
        .query("log_level", level)
        .query("log_format", format)
}

/// Prints what comes until the server ends it or nobody reads it any more.
pub(super) async fn pass_on(lines: &mut Download, doing: &'static str, ended: &str) -> Outcome {
    loop {
        let Some(piece) = lines.chunk().await.or_failed(doing)? else {
            return Err(Failure {
                code: 2,
                text: ended.to_owned(),
            });
        };
        let mut out = std::io::stdout().lock();
        if out.write_all(&piece).and_then(|()| out.flush()).is_err() {
            return Ok(());
        }
    }
}
