use clap::Args;

use crate::context::Context;
use crate::failure::Outcome;
use crate::ui::Ui;

/// The level of Vault's API that this program speaks.
const API_LEVEL: &str = "1.21.0";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Print the version
#[derive(Debug, Args)]
pub(crate) struct Version {}

impl Version {
    pub(crate) fn run(self, cx: &Context) -> Outcome {
        print(&cx.program, &cx.ui);
        Ok(())
    }
}

/// Prints the version in the words of the program one was called as.
pub(crate) fn print(program: &str, ui: &Ui) {
    ui.line(&text(program));
}

fn text(program: &str) -> String {
    match program {
        "vault" | "bao" => format!("Vault v{API_LEVEL}+coffer.{VERSION} (Coffer v{VERSION})"),
        _ => format!("Coffer v{VERSION} (API of Vault v{API_LEVEL})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_that_look_for_vault_find_it() {
        assert!(text("vault").starts_with("Vault v1.21.0+coffer."));
        assert!(text("coffer").starts_with("Coffer v"));
    }
}
