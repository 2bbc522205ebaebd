use std::path::PathBuf;

use clap::{Args, ValueEnum};
use coffer_server::diagnose::{self, Check, Part, Verdict};
use serde_json::{Value, json};

use super::validate_config::paths;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::print;

/// What is said where no configuration is named.
pub(super) const NO_FILE: &str = "say which configuration: -config=PATH";
/// The exit code where something is wrong, as the reference's.
const FAILED: u8 = 4;

/// Find out why a server does not start
///
/// Looks at configuration, storage, listeners and certificates. Run it as the user, and with the environment, of the server. Listeners and storage are opened and closed again; a
/// new store is not made. The exit code tells a script: 0 all is well, 2 with warnings, 4 something is wrong.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Before the first start, or when a start fails:
      coffer operator diagnose -config=/etc/coffer/coffer.hcl
  While the server runs:
      coffer operator diagnose -config=/etc/coffer/coffer.hcl -skip=listener,storage")]
pub(crate) struct Diagnose {
    /// Configuration file, or directory of them, repeatable [env: COFFER_CONFIG_PATH]
    #[arg(long, value_name = "PATH")]
    config: Vec<PathBuf>,
    /// Leave these out
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    skip: Vec<Skip>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Skip {
    /// Opening the listeners
    Listener,
    /// Opening the storage
    Storage,
    /// There is none to look at: only Shamir's seal is served
    Autounseal,
}

impl Diagnose {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let paths = paths(&self.config, &[]).ok_or_else(|| Failure {
            code: 3,
            text: NO_FILE.to_owned(),
        })?;
        let parts = [
            (Skip::Listener, Part::Listener),
            (Skip::Storage, Part::Storage),
        ];
        let skipped = parts
            .into_iter()
            .filter(|(skip, _)| self.skip.contains(skip));
        let skipped: Vec<Part> = skipped.map(|(_, part)| part).collect();
        let checks = diagnose::diagnose(&paths, &skipped).await;
        let all: Vec<Value> = checks.iter().map(shown).collect();
        print(cx, &all, || {
            let lines: Vec<String> = checks.iter().map(line).collect();
            lines.join("\n")
        })?;
        match checks.iter().map(|check| check.verdict).max() {
            Some(Verdict::Bad) => Err(Failure::silent(FAILED)),
            Some(Verdict::Doubtful) => Err(Failure::silent(2)),
            _ => Ok(()),
        }
    }
}

/// A check for people.
pub(super) fn line(check: &Check) -> String {
    let mut text = format!("[ {} ] {}", word(check.verdict), check.name);
    for found in &check.found {
        text.push_str("\n    ");
        text.push_str(found);
    }
    text
}

/// A check for programs.
pub(super) fn shown(check: &Check) -> Value {
    json!({ "name": check.name, "status": word(check.verdict), "found": check.found })
}

/// The exit code that a check alone gives.
pub(super) fn code(check: &Check) -> u8 {
    match check.verdict {
        Verdict::Good | Verdict::Skipped => 0,
        Verdict::Doubtful => 2,
        Verdict::Bad => 1,
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "ok",
        Verdict::Skipped => "skipped",
        Verdict::Doubtful => "warning",
        Verdict::Bad => "failure",
    }
}
