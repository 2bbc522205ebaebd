use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::answered;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::output::print_secret;

const CONFIGURATION: &str = "sys/storage/raft/autopilot/configuration";

/// How a cluster looks after its nodes by itself
#[derive(Debug, Subcommand)]
pub(crate) enum Autopilot {
    /// Show the settings
    #[command(after_help = "Examples:\n  coffer operator raft autopilot get-config")]
    GetConfig,
    SetConfig(SetConfig),
    /// Show what it thinks of the nodes
    #[command(after_help = "Examples:\n  coffer operator raft autopilot state -format=json")]
    State,
}

/// Change the settings
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  coffer operator raft autopilot set-config -min-quorum=3 -cleanup-dead-servers=true"
)]
pub(crate) struct SetConfig {
    /// Whether nodes that are gone are taken out
    #[arg(long, value_name = "BOOL")]
    cleanup_dead_servers: Option<bool>,
    /// After how long a node is gone
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    dead_server_last_contact_threshold: Option<String>,
    /// After how long a silent leader is unwell
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    last_contact_threshold: Option<String>,
    /// How many entries a healthy node may be behind
    #[arg(long, value_name = "COUNT")]
    max_trailing_logs: Option<u64>,
    /// How many nodes are kept at least
    #[arg(long, value_name = "COUNT")]
    min_quorum: Option<u64>,
    /// How long a new node must be well before it votes
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    server_stabilization_time: Option<String>,
}

impl Autopilot {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::GetConfig => show(cx, CONFIGURATION).await,
            Self::State => show(cx, "sys/storage/raft/autopilot/state").await,
            Self::SetConfig(settings) => settings.run(cx).await,
        }
    }
}

async fn show(cx: &Context, path: &str) -> Outcome {
    let answer = cx.client()?.read(path, &[]).await;
    let answer = answered(answer, "asking the autopilot")?;
    let secret = answer.ok_or_else(|| Failure {
        code: 2,
        text: "The server has no autopilot: it is no raft cluster.".to_owned(),
    })?;
    print_secret(cx, &secret, None)
}

impl SetConfig {
    async fn run(self, cx: &Context) -> Outcome {
        let settings = [
            (
                "cleanup_dead_servers",
                self.cleanup_dead_servers.map(Value::from),
            ),
            (
                "dead_server_last_contact_threshold",
                self.dead_server_last_contact_threshold.map(Value::from),
            ),
            (
                "last_contact_threshold",
                self.last_contact_threshold.map(Value::from),
            ),
            ("max_trailing_logs", self.max_trailing_logs.map(Value::from)),
            ("min_quorum", self.min_quorum.map(Value::from)),
            (
                "server_stabilization_time",
                self.server_stabilization_time.map(Value::from),
            ),
        ];
        let given = settings.into_iter();
        let body: Map<String, Value> = given
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        let answer = cx.client()?.write(CONFIGURATION, &body).await;
        answered(answer, "changing the autopilot's settings")?;
        cx.ui
            .line("Success! The settings of the autopilot are changed.");
        Ok(())
    }
}
