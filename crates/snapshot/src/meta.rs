//! What a snapshot says about itself.

use serde::{Deserialize, Serialize};

/// The format that this version writes.
pub const FORMAT: u64 = 1;

/// The description of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The number of its format.
    pub format: u64,
    /// How many entries it holds.
    pub entries: u64,
    /// When it was made, RFC 3339.
    pub created: String,
    /// The cluster that made it, which keeps its id for ever.
    pub cluster_id: String,
    /// That cluster's name.
    pub cluster_name: String,
    /// The version of the server that made it.
    pub version: String,
}

/// The description as it is written: with the fields that readers of raft snapshots look for.
#[derive(Serialize, Deserialize)]
pub(crate) struct Written {
    #[serde(rename = "Version")]
    raft_version: u64,
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Index")]
    index: u64,
    #[serde(rename = "Term")]
    term: u64,
    #[serde(rename = "Peers")]
    peers: Option<String>,
    #[serde(rename = "Configuration")]
    configuration: Configuration,
    #[serde(rename = "ConfigurationIndex")]
    configuration_index: u64,
    /// The length of `state.bin` in bytes.
    #[serde(rename = "Size")]
    pub(crate) state_bytes: u64,
    #[serde(rename = "Coffer")]
    pub(crate) meta: Meta,
}

#[derive(Serialize, Deserialize)]
struct Configuration {
    #[serde(rename = "Servers")]
    servers: [(); 0],
}

impl Written {
    pub(crate) fn new(meta: Meta, state_bytes: u64) -> Self {
        Self {
            raft_version: 1,
            id: format!("coffer-{}", meta.created),
            index: 0,
            term: 0,
            peers: None,
            configuration: Configuration { servers: [] },
            configuration_index: 0,
            state_bytes,
            meta,
        }
    }
}

/// What tells a snapshot of ours from another's, whatever else has changed in it.
#[derive(Deserialize)]
pub(crate) struct Kind {
    #[serde(rename = "Coffer")]
    pub(crate) ours: Option<Format>,
}

/// The number of the format, and whatever else.
#[derive(Deserialize)]
pub(crate) struct Format {
    pub(crate) format: u64,
}
