use clap::Args;
use serde_json::Value;

use super::answered;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{cell, columns, print};

/// List the nodes of the cluster
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer operator raft list-peers")]
pub(crate) struct ListPeers {}

impl ListPeers {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let answer = cx
            .client()?
            .read("sys/storage/raft/configuration", &[])
            .await;
        let answer = answered(answer, "reading the cluster's configuration")?;
        let secret = answer.ok_or_else(|| Failure {
            code: 2,
            text: "No raft cluster configuration found".to_owned(),
        })?;
        let servers = secret
            .data
            .as_ref()
            .and_then(|data| data.get("config")?.get("servers"));
        let servers = servers.and_then(Value::as_array).into_iter().flatten();
        let row = |server: &Value| {
            let of = |name: &str| server.get(name).map(cell).unwrap_or_default();
            let state = match server.get("leader") {
                Some(Value::Bool(true)) => "leader",
                _ => "follower",
            };
            [of("node_id"), of("address"), state.to_owned(), of("voter")]
        };
        let rows: Vec<[String; 4]> = servers.map(row).collect();
        print(cx, &secret, || {
            columns(["Node", "Address", "State", "Voter"], &rows)
        })
    }
}
