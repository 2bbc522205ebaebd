//! `debug`: a bundle of facts about a server, for people who look for a fault.

mod bundle;
mod capture;
mod tar;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use coffer_wire::Timestamp;

use self::bundle::{Bundle, Plan};
use self::capture::Capture;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::input;

/// Everything that can be captured, in the order it is told about.
const TARGETS: [&str; 7] = [
    "config",
    "host",
    "metrics",
    "requests",
    "replication-status",
    "server-status",
    "log",
];
/// The shortest time between two looks, and for all of them.
const SHORTEST: Duration = Duration::from_secs(5);
/// The most looks at one target: all of them are kept in memory.
const LOOKS_MAX: u64 = 10_000;

/// Capture facts about a server over a while, for a search for faults
///
/// The bundle holds configuration, host, metrics, state, requests in flight and log, as far as the token may see them. It holds no secret, but names of paths.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Two minutes of everything, into the current directory:
      coffer debug
  Ten minutes of metrics and log, uncompressed:
      coffer debug -duration=10m -target=metrics -target=log -compress=false -output=/tmp/facts")]
pub(crate) struct Debug {
    /// How long to capture
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = input::duration)]
    duration: String,
    /// How often to look at the server's state, its host and its requests
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = input::duration)]
    interval: String,
    /// How often to look at its metrics
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = input::duration)]
    metrics_interval: String,
    /// What to capture, repeatable: config, host, metrics, requests, replication-status, server-status, log [default: all]
    #[arg(
        long = "target",
        alias = "targets",
        value_name = "TARGET",
        value_delimiter = ','
    )]
    targets: Vec<String>,
    /// Whether to pack the files into one
    #[arg(long, value_name = "BOOL", default_value = "true", num_args = 0..=1, default_missing_value = "true")]
    compress: bool,
    /// The file to write, or the directory
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// The form of the log: standard or json
    #[arg(long, value_name = "FORMAT", default_value = "standard")]
    log_format: String,
}

impl Debug {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let plan = self.plan(cx, client.address())?;
        let bundle = Bundle::new(plan)?;
        cx.ui.line(&bundle.plan.announced());
        let mut capture = Capture::new(&client, bundle);
        tokio::select! {
            () = capture.run() => {}
            _ = tokio::signal::ctrl_c() => cx.ui.warn("Interrupted: the bundle holds what was captured so far."),
        }
        let bundle = capture.into_bundle();
        for failed in bundle.failures() {
            cx.ui.warn(&failed);
        }
        let written = bundle.write()?;
        cx.ui.line(&format!(
            "Success! Bundle written to: {}",
            written.display()
        ));
        Ok(())
    }

    fn plan(&self, cx: &Context, address: &str) -> Result<Plan, Failure> {
        let duration = long_enough("duration", &self.duration)?;
        let interval = long_enough("interval", &self.interval)?;
        let metrics_interval = long_enough("metrics-interval", &self.metrics_interval)?;
        for (name, each) in [
            ("interval", interval),
            ("metrics-interval", metrics_interval),
        ] {
            if each > duration {
                return Err(Failure::local(format!("-{name} is longer than -duration")));
            }
            if duration.as_secs() / each.as_secs().max(1) > LOOKS_MAX {
                return Err(Failure::local(format!(
                    "-duration has room for more than {LOOKS_MAX} times -{name}; make one of them longer or the other shorter"
                )));
            }
        }
        if !matches!(self.log_format.as_str(), "standard" | "json") {
            return Err(Failure::local("-log-format is standard or json"));
        }
        let begun = now();
        Ok(Plan {
            program: cx.program.clone(),
            address: address.to_owned(),
            duration,
            interval,
            metrics_interval,
            targets: targets(&self.targets)?,
            compress: self.compress,
            output: self
                .output
                .clone()
                .unwrap_or_else(|| default_output(&cx.program, begun)),
            log_format: self.log_format.clone(),
            begun,
        })
    }
}

fn long_enough(name: &str, text: &str) -> Result<Duration, Failure> {
    let duration = coffer_wire::parse_duration(text)
        .map_err(|error| Failure::local(format!("-{name}: {error}")))?;
    if duration < SHORTEST {
        let secs = SHORTEST.as_secs();
        return Err(Failure::local(format!("-{name} is shorter than {secs} s")));
    }
    Ok(duration)
}

fn targets(asked: &[String]) -> Result<Vec<&'static str>, Failure> {
    if asked.is_empty() {
        return Ok(TARGETS.to_vec());
    }
    if let Some(unknown) = asked.iter().find(|name| !TARGETS.contains(&name.as_str())) {
        return Err(Failure::local(format!(
            "there is no target {unknown:?}; there are {}",
            TARGETS.join(", ")
        )));
    }
    let is_asked = |name: &&str| asked.iter().any(|asked| asked == name);
    Ok(TARGETS.into_iter().filter(is_asked).collect())
}

fn default_output(program: &str, begun: Timestamp) -> PathBuf {
    let when = begun.whole_seconds().to_string().replace(':', "-");
    PathBuf::from(format!("{program}-debug-{when}"))
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::EPOCH.plus(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_keep_their_order() {
        let asked = ["log".to_owned(), "config".to_owned()];
        assert_eq!(targets(&asked).unwrap(), ["config", "log"]);
        assert_eq!(targets(&[]).unwrap().len(), TARGETS.len());
        assert!(targets(&["pprof".to_owned()]).is_err());
    }

    #[test]
    fn times_have_a_bound() {
        assert!(long_enough("interval", "4s").is_err());
        assert_eq!(long_enough("interval", "5s").unwrap(), SHORTEST);
    }
}
