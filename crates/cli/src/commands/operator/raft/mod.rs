//! `operator raft`: what clients of a raft cluster ask. A server of Coffer keeps its data on one node: it takes snapshots and
//! refuses the rest, which is shown as it comes.

mod autopilot;
mod join;
mod list_peers;
mod peer;

use clap::Subcommand;
use coffer_client::Error;

use super::snapshot::Snapshot;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// Raft storage: snapshots; peers and autopilot of servers that have them
///
/// A server of Coffer is no raft cluster: it takes snapshots and refuses the rest.
#[derive(Debug, Subcommand)]
pub(crate) enum Raft {
    #[command(subcommand)]
    Snapshot(Snapshot),
    Join(join::Join),
    ListPeers(list_peers::ListPeers),
    /// Take a node out of the cluster
    #[command(after_help = "Examples:\n  coffer operator raft remove-peer node1")]
    RemovePeer(peer::Peer),
    /// Let a node that has no vote have one
    #[command(after_help = "Examples:\n  coffer operator raft promote node1")]
    Promote(peer::Peer),
    /// Take a node's vote for good
    #[command(after_help = "Examples:\n  coffer operator raft demote node1")]
    Demote(peer::Peer),
    #[command(subcommand)]
    Autopilot(autopilot::Autopilot),
}

impl Raft {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Snapshot(snapshot) => snapshot.run(cx).await,
            Self::Join(join) => join.run(cx).await,
            Self::ListPeers(list) => list.run(cx).await,
            Self::RemovePeer(peer) => peer.run(cx, "remove-peer").await,
            Self::Promote(peer) => peer.run(cx, "promote").await,
            Self::Demote(peer) => peer.run(cx, "demote").await,
            Self::Autopilot(autopilot) => autopilot.run(cx).await,
        }
    }
}

/// The server's word, and what it means where it knows no such path.
fn answered<T>(answer: Result<T, Error>, doing: &str) -> Result<T, Failure> {
    let is_unknown = matches!(&answer, Err(Error::Api { status: 404, .. }));
    answer.or_failed(doing).map_err(|failure| match is_unknown {
        true => Failure {
            text: format!(
                "{}\n\nThe server is no member of a raft cluster. One of Coffer keeps its data on one node; its snapshots are at \
                 `operator snapshot`.",
                failure.text
            ),
            ..failure
        },
        false => failure,
    })
}
