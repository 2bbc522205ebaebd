use clap::Args;
use coffer_client::sys::{Leader, SealStatus};
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{key_values, print};

/// Show whether the server is initialised, sealed, and who leads
///
/// The exit code tells a script: 0 unsealed, 2 sealed, 1 no answer.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  For people:
      coffer status
  Wait until it is unsealed:
      until coffer status >/dev/null; do sleep 1; done
  One fact for a script:
      coffer status -format=json | jq .sealed")]
pub(crate) struct Status {}

impl Status {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let asking = |error: coffer_client::Error| Failure {
            code: 1,
            ..Failure::remote("checking the seal status", &error)
        };
        let seal = client.sys().seal_status().await.map_err(asking)?;
        // A sealed server does not say, and status has to be shown of every server.
        let leader = client.sys().leader().await.ok();
        let sealed = seal.sealed;
        print_status(cx, &seal, leader.as_ref())?;
        if sealed {
            Err(Failure::silent(2))
        } else {
            Ok(())
        }
    }
}

/// Prints the state of the seal and, where it is known, of the cluster.
pub(super) fn print_status(cx: &Context, seal: &SealStatus, leader: Option<&Leader>) -> Outcome {
    let view = View::new(seal, leader);
    print(cx, &view, || key_values(&rows(seal, leader)))
}

/// The answers of two endpoints as the one object the reference prints.
#[derive(Serialize)]
struct View<'a> {
    #[serde(flatten)]
    seal: &'a SealStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    ha_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_self: Option<bool>,
    #[serde(skip_serializing_if = "str::is_empty")]
    active_time: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    leader_address: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    leader_cluster_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    raft_committed_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raft_applied_index: Option<u64>,
}

impl<'a> View<'a> {
    fn new(seal: &'a SealStatus, leader: Option<&'a Leader>) -> Self {
        let ha = leader.filter(|leader| leader.ha_enabled && !seal.sealed);
        let index = |of: fn(&Leader) -> u64| ha.map(of).filter(|index| *index > 0);
        Self {
            seal,
            ha_enabled: leader.map(|leader| leader.ha_enabled),
            is_self: ha.map(|leader| leader.is_self).filter(|is_self| *is_self),
            active_time: ha
                .filter(|leader| leader.is_self)
                .map_or("", |leader| &leader.active_time),
            leader_address: ha.map_or("", |leader| &leader.leader_address),
            leader_cluster_address: ha.map_or("", |leader| &leader.leader_cluster_address),
            raft_committed_index: index(|leader| leader.raft_committed_index),
            raft_applied_index: index(|leader| leader.raft_applied_index),
        }
    }
}

fn rows(seal: &SealStatus, leader: Option<&Leader>) -> Vec<[String; 2]> {
    let total = match seal.recovery_seal {
        true => "Total Recovery Shares",
        false => "Total Shares",
    };
    let mut rows = vec![row("Seal Type", &seal.r#type)];
    if !seal.recovery_seal_type.is_empty() {
        rows.push(row("Recovery Seal Type", &seal.recovery_seal_type));
    }
    rows.extend([
        row("Initialized", seal.initialized),
        row("Sealed", seal.sealed),
        row(total, seal.n),
        row("Threshold", seal.t),
    ]);
    if let Some(glass) = &seal.break_glass {
        rows.push(row(
            "Break-Glass Shares",
            format!(
                "{}, {} of which open the server without its seals",
                glass.n, glass.t
            ),
        ));
        if seal.sealed {
            rows.push(row(
                "Break-Glass Progress",
                format!("{}/{}", glass.progress, glass.t),
            ));
        }
    }
    if seal.sealed {
        rows.push(row(
            "Unseal Progress",
            format!("{}/{}", seal.progress, seal.t),
        ));
        rows.push(row("Unseal Nonce", &seal.nonce));
    }
    if seal.migration {
        rows.push(row("Seal Migration in Progress", true));
    }
    rows.push(row("Version", &seal.version));
    for (name, text) in [
        ("Build Date", &seal.build_date),
        ("Commit Date", &seal.commit_date),
    ] {
        if !text.is_empty() {
            rows.push(row(name, text));
        }
    }
    rows.push(row("Storage Type", &seal.storage_type));
    if !seal.cluster_id.is_empty() {
        rows.push(row("Cluster Name", &seal.cluster_name));
        rows.push(row("Cluster ID", &seal.cluster_id));
    }
    if let Some(leader) = leader {
        rows.extend(cluster_rows(leader, seal.sealed));
    }
    rows
}

fn cluster_rows(leader: &Leader, sealed: bool) -> Vec<[String; 2]> {
    let mut rows = vec![row("HA Enabled", leader.ha_enabled)];
    if !leader.ha_enabled || sealed {
        return rows;
    }
    rows.push(row("HA Cluster", &leader.leader_cluster_address));
    rows.push(row(
        "HA Mode",
        if leader.is_self { "active" } else { "standby" },
    ));
    if leader.is_self {
        rows.push(row("Active Since", &leader.active_time));
    } else if !leader.leader_address.is_empty() {
        rows.push(row("Active Node Address", &leader.leader_address));
    }
    for (name, index) in [
        ("Raft Committed Index", leader.raft_committed_index),
        ("Raft Applied Index", leader.raft_applied_index),
    ] {
        if index > 0 {
            rows.push(row(name, index));
        }
    }
    rows
}

fn row(name: &str, value: impl ToString) -> [String; 2] {
    [name.to_owned(), value.to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_server_shows_its_progress() {
        let seal = SealStatus {
            r#type: "shamir".to_owned(),
            initialized: true,
            sealed: true,
            t: 2,
            n: 3,
            progress: 1,
            version: "1.21.0".to_owned(),
            storage_type: "file".to_owned(),
            ..SealStatus::default()
        };
        let wanted = "\
Key                Value
---                -----
Seal Type          shamir
Initialized        true
Sealed             true
Total Shares       3
Threshold          2
Unseal Progress    1/2
Unseal Nonce       n/a
Version            1.21.0
Storage Type       file";
        assert_eq!(key_values(&rows(&seal, None)), wanted);
        let json = serde_json::to_string(&View::new(&seal, None)).unwrap();
        assert!(
            json.starts_with(r#"{"type":"shamir","initialized":true,"sealed":true,"t":2,"n":3,"#),
            "{json}"
        );
        assert!(json.ends_with(r#""storage_type":"file"}"#), "{json}");
    }
}
