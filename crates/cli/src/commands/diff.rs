use clap::Args;

use crate::context::Context;
use crate::declared::{self, Options, Server};
use crate::failure::{Failure, Outcome};
use crate::output::print;

/// Show how a server differs from what a directory of files declares
///
/// The exit code tells a script: 0 no drift, 2 drift, 1 something could not be found out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  What `coffer apply` would do:
      coffer diff ./server
  For a script, with what is there beside what is declared and owned:
      coffer diff -prune -format=json ./server | jq '.changes[].name'")]
pub(crate) struct Diff {
    /// The directory
    #[arg(value_name = "DIR")]
    folder: String,
    /// Count as drift what the files own and do not declare
    #[arg(long)]
    prune: bool,
    /// Count as drift secrets that the server does not show
    #[arg(long)]
    write_secrets: bool,
}

impl Diff {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let declared = declared::read(&self.folder)?;
        let server = Server::new(cx.client()?);
        let options = Options {
            prune: self.prune,
            write_secrets: self.write_secrets,
        };
        let plan = declared::make(&server, &declared, options)
            .await
            .map_err(|failure| Failure::local(failure.text))?;
        print(cx, &plan, || declared::text(&plan))?;
        match (plan.problems.is_empty(), plan.is_empty()) {
            (false, _) => Err(Failure::local(plan.problems.join("\n\n"))),
            (true, true) => Ok(()),
            (true, false) => Err(Failure::silent(2)),
        }
    }
}
