//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Side-by-side load on two servers that speak the same API.
#[derive(Parser)]
pub struct Options {
    /// Binary under test (side A); it keeps its data in `storage "file"`.
    #[arg(long, default_value = "target/release/coffer")]
    pub server: String,
    /// Binary to compare with (side B); it keeps its data in `storage "raft"`. `none` leaves it out.
    #[arg(long, default_value = "bao")]
    pub peer: String,
    /// Storage stanza of side A: file or raft.
    #[arg(long, default_value = "file", value_parser = ["file", "raft"])]
    pub storage: String,
    /// Interleaved rounds; the table holds medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub rounds: u32,
    /// Connections that send at the same time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub connections: u32,
    /// KV reads and token look-ups per measurement.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub reads: u32,
    /// KV writes per measurement.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub writes: u32,
    /// Tokens to create; memory and restart are measured with these.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub tokens: u32,
    /// How many of the tokens renew themselves in the storm.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub renewals: u32,
    /// PostgreSQL credentials to issue; 0 leaves PostgreSQL out.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub credentials: u32,
    /// Logins of each auth method, and a 25th of that by password; 0 leaves them out.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub logins: u32,
    /// Measures logins and nothing else.
    #[arg(long)]
    pub only_logins: bool,
    /// Requests of each operation of transit, and a tenth of that in batches; 0 leaves them out.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub transit: u32,
    /// Measures transit and nothing else.
    #[arg(long, conflicts_with = "only_logins")]
    pub only_transit: bool,
    /// Longest time for one measurement; what is not sent by then is left out.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds_max: u64,
    /// Directory for the servers' data. It must be on the disk to be measured, not in memory.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    pub dir: PathBuf,
    /// Script that brings up a private PostgreSQL.
    #[arg(long, default_value = "demo/postgres.sh")]
    pub postgres: PathBuf,
}

/// One of the two servers.
pub struct Side {
    /// Column of the table: 0 or 1.
    pub column: usize,
    /// What the table calls it.
    pub label: String,
    /// Program to start.
    pub binary: String,
    /// Kind of its storage stanza.
    pub storage: String,
}

impl Options {
    /// The servers to measure, A first.
    pub fn sides(&self) -> Vec<Side> {
        let mut sides = vec![Side {
            column: 0,
            label: format!("A: {}", name(&self.server)),
            binary: self.server.clone(),
            storage: self.storage.clone(),
        }];
        if self.peer != "none" {
            sides.push(Side {
                column: 1,
                label: format!("B: {}", name(&self.peer)),
                binary: self.peer.clone(),
                storage: "raft".to_owned(),
            });
        }
        sides
    }
}

fn name(binary: &str) -> &str {
    binary.rsplit('/').next().unwrap_or(binary)
}
