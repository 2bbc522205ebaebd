use clap::Args;
use coffer_client::{Method, Request, Response};

use super::list::print_list;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// List the names below a path, at any depth
///
/// Needs the capability scan. Not everything can be scanned.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  All secrets of a mount of kv 2, and of kv 1:
      coffer scan secret/metadata
      coffer scan old
  The next hundred:
      coffer scan -after=team/app/db -limit=100 secret/metadata")]
pub(crate) struct Scan {
    /// Where to look
    #[arg(value_name = "PATH")]
    path: String,
    /// Begin after this name
    #[arg(long, value_name = "NAME")]
    after: Option<String>,
    /// At most so many names
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true)]
    limit: Option<i64>,
    /// Show what the server says about each name
    #[arg(long)]
    detailed: bool,
}

impl Scan {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mut request = Request::new(Method::Get, self.path.trim_end_matches('/'))
            .query("scan", "true")
            .wrappable();
        if let Some(after) = &self.after {
            request = request.query("after", after);
        }
        // The reference says -1 for "no limit".
        if let Some(limit) = self.limit.filter(|limit| *limit > 0) {
            request = request.query("limit", limit.to_string());
        }
        let answer = cx.client()?.send(request).await;
        let answer = answer
            .and_then(Response::secret)
            .or_failed(format!("scanning {}", self.path))?;
        print_list(cx, answer, &self.path, self.detailed)
    }
}
