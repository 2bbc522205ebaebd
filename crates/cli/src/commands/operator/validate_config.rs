use std::path::PathBuf;

use clap::Args;
use coffer_client::variable;
use coffer_server::diagnose;

use super::diagnose::{NO_FILE, code, line};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::print;

/// Check a server's configuration: spelling, types, values
///
/// Nothing of this machine is looked at, so it can be meant for another one; `operator diagnose` does. The exit code
/// tells a script: 0 right, 2 with warnings, 1 wrong.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Before it goes to the server:
      coffer operator validate-config /etc/coffer/coffer.hcl
  Several files and directories, as the server reads them:
      coffer operator validate-config -config=/etc/coffer -config=extra.hcl")]
pub(crate) struct ValidateConfig {
    /// Configuration file, or directory of them
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same as a flag, repeatable [env: COFFER_CONFIG_PATH]
    #[arg(long, value_name = "PATH")]
    config: Vec<PathBuf>,
}

impl ValidateConfig {
    pub(crate) fn run(self, cx: &Context) -> Outcome {
        let paths = paths(&self.config, &self.paths).ok_or_else(|| Failure {
            code: 3,
            text: NO_FILE.to_owned(),
        })?;
        let check = diagnose::validate(&paths);
        print(cx, &super::diagnose::shown(&check), || line(&check))?;
        match code(&check) {
            0 => Ok(()),
            code => Err(Failure::silent(code)),
        }
    }
}

/// The configuration that is meant: flags and words, else the environment.
pub(super) fn paths(flags: &[PathBuf], words: &[PathBuf]) -> Option<Vec<PathBuf>> {
    let given: Vec<PathBuf> = flags.iter().chain(words).cloned().collect();
    match given.is_empty() {
        true => variable("CONFIG_PATH").map(|path| vec![path.into()]),
        false => Some(given),
    }
}
