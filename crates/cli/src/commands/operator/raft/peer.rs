use clap::Args;
use serde_json::json;

use super::answered;
use crate::context::Context;
use crate::failure::Outcome;

/// A node of the cluster.
#[derive(Debug, Args)]
pub(crate) struct Peer {
    /// The node
    #[arg(value_name = "NODE")]
    server_id: String,
}

impl Peer {
    /// Asks for something to be done about it.
    pub(crate) async fn run(self, cx: &Context, what: &str) -> Outcome {
        let body = json!({ "server_id": self.server_id });
        let path = format!("sys/storage/raft/{what}");
        let answer = cx.client()?.write(&path, &body).await;
        answered(answer, &format!("asking to {what} {}", self.server_id))?;
        cx.ui
            .line(&format!("Success! Done: {what} {}", self.server_id));
        Ok(())
    }
}
