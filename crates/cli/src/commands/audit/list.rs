use clap::Args;
use coffer_client::sys::AuditDevice;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::{Format, columns, print};

/// List the audit devices
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer audit list -detailed")]
pub(crate) struct List {
    /// Show settings too
    #[arg(long)]
    detailed: bool,
}

impl List {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let devices = cx
            .client()?
            .sys()
            .audit_devices()
            .await
            .or_failed("listing audit devices")?;
        if devices.is_empty() && cx.format == Format::Table {
            cx.ui.line("No audit devices are enabled.");
            return Err(Failure::silent(2));
        }
        print(cx, &devices, || match self.detailed {
            false => {
                let rows: Vec<[String; 3]> = devices
                    .iter()
                    .map(|(path, device)| {
                        [
                            path.clone(),
                            device.r#type.clone(),
                            device.description.clone(),
                        ]
                    })
                    .collect();
                columns(["Path", "Type", "Description"], &rows)
            }
            true => {
                let rows: Vec<[String; 6]> = devices
                    .iter()
                    .map(|(path, device)| {
                        let options: Vec<String> = device
                            .options
                            .iter()
                            .map(|(key, value)| format!("{key}={value}"))
                            .collect();
                        let replication = if device.local { "local" } else { "replicated" };
                        let (kind, about) = (device.r#type.clone(), device.description.clone());
                        [
                            path.clone(),
                            kind,
                            about,
                            replication.to_owned(),
                            options.join(" "),
                            health(device),
                        ]
                    })
                    .collect();
                columns(
                    [
                        "Path",
                        "Type",
                        "Description",
                        "Replication",
                        "Options",
                        "State",
                    ],
                    &rows,
                )
            }
        })
    }
}

/// How a device is doing, as far as its server says.
fn health(device: &AuditDevice) -> String {
    let Some(state) = &device.state else {
        return String::new();
    };
    let mut text = match (state.healthy, &state.failing_since) {
        (true, _) => "healthy".to_owned(),
        (false, None) => format!("failing: {}", state.last_error),
        (false, Some(since)) => format!("failing since {since}: {}", state.last_error),
    };
    if state.dropped_lines > 0 {
        text.push_str(&format!(" ({} lines dropped)", state.dropped_lines));
    }
    text
}
