use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::failure::Outcome;

/// Print a script that completes commands and flags in a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  For the present shell:
      source <(coffer completion bash)
  For good, in fish:
      coffer completion fish > ~/.config/fish/completions/coffer.fish")]
pub(crate) struct Completion {
    /// The shell to complete in
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self, cx: &Context) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut Cli::command(),
            cx.program.clone(),
            &mut script,
        );
        cx.ui.print(&String::from_utf8_lossy(&script));
        Ok(())
    }
}

/// For those who ask the way other tools of this kind install it: nothing is written to a shell's start-up files unasked.
pub(crate) fn advice(program: &str) -> String {
    format!(
        "Completion is a line in your shell's start-up file: source <({program} completion bash)  (or zsh, fish)"
    )
}
