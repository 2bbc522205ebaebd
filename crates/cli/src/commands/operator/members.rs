use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::output::{columns, print};

/// List the nodes of the cluster
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer operator members")]
pub(crate) struct Members {}

impl Members {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let nodes = cx
            .client()?
            .sys()
            .members()
            .await
            .or_failed("listing the nodes")?;
        let rows: Vec<[String; 7]> = nodes
            .iter()
            .map(|node| {
                [
                    node.hostname.clone(),
                    node.api_address.clone(),
                    node.cluster_address.clone(),
                    node.active_node.to_string(),
                    node.version.clone(),
                    node.upgrade_version.clone(),
                    node.last_echo.clone().unwrap_or_default(),
                ]
            })
            .collect();
        let heading = [
            "Host Name",
            "API Address",
            "Cluster Address",
            "Active Node",
            "Version",
            "Upgrade Version",
            "Last Echo",
        ];
        print(cx, &json!({ "Nodes": nodes }), || columns(heading, &rows))
    }
}
