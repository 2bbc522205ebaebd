use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Print what is in use
#[derive(Debug, Subcommand)]
pub(crate) enum Print {
    /// Print the token in use
    #[command(
        after_help = "Examples:\n  For another program:\n      COFFER_TOKEN=$(coffer print token) other-program"
    )]
    Token,
}

impl Print {
    pub(crate) fn run(self, cx: &Context) -> Outcome {
        let token = cx.token().ok_or_else(|| Failure {
            code: 2,
            text: "no token is in use; log in with `coffer login` or set COFFER_TOKEN".to_owned(),
        })?;
        cx.ui.line(token.expose());
        Ok(())
    }
}
