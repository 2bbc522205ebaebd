use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::declared::{self, Options, Plan, Report, Server};
use crate::failure::{Failure, Outcome};
use crate::output::{Format, print};

/// Make a server equal to what a directory of files declares
///
/// Mounts, auth methods, policies, token roles, namespaces, entities, groups, quotas, audit devices, and whatever plain
/// data has a path. It shows what it would do and asks; doing it twice changes nothing the second time. What no file
/// names stays as it is, unless -prune is given and the files say that they own it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Look, then answer yes:
      coffer apply ./server
  Without being asked, from continuous integration:
      coffer apply -auto-approve ./server
  And remove what the files own and no longer declare:
      coffer apply -prune ./server")]
pub(crate) struct Apply {
    /// The directory
    #[arg(value_name = "DIR")]
    folder: String,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
    /// Remove what the files own and do not declare
    #[arg(long)]
    prune: bool,
    /// Write secrets again that the server does not show
    #[arg(long)]
    write_secrets: bool,
}

impl Apply {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let declared = declared::read(&self.folder)?;
        let server = Server::new(cx.client()?);
        let options = Options {
            prune: self.prune,
            write_secrets: self.write_secrets,
        };
        let plan = declared::make(&server, &declared, options).await?;
        let for_people = cx.format == Format::Table;
        if for_people {
            cx.ui.line(&declared::text(&plan));
        }
        if !plan.problems.is_empty() {
            let problems = plan.problems.join("\n\n");
            let text = format!("{problems}\n\nNothing was changed.");
            return Err(Failure::local(text));
        }
        if !plan.is_empty() && !self.auto_approve {
            let instead = "Look at it with `coffer diff`, then give -auto-approve.";
            let question = "Shall this be done? Only yes is yes:";
            if !cx.ui.confirmed(question, instead)? {
                return Err(Failure::local("Nothing was changed."));
            }
        }
        let report = declared::carry_out(&server, &declared, &plan, |change, outcome| {
            let line = declared::headline(change);
            match outcome {
                _ if !for_people => {}
                Ok(()) => cx.ui.line(&format!("done    {line}")),
                Err(reason) => cx.ui.line(&format!("not     {line}: {reason}")),
            }
        })
        .await;
        finish(cx, &plan, &report)
    }
}

fn finish(cx: &Context, plan: &Plan, report: &Report) -> Outcome {
    cx.ui.warnings(&report.remarks);
    if cx.format != Format::Table {
        print(cx, &json!({ "plan": plan, "report": report }), String::new)?;
    }
    let (done, failed) = (report.done.len(), report.failed.len());
    let skipped = report.skipped.len();
    if failed + skipped > 0 {
        return Err(Failure::local(format!(
            "{done} done, {failed} failed, {skipped} left alone. What was done stays; run it again when the cause is mended."
        )));
    }
    if done > 0 && cx.format == Format::Table {
        cx.ui.line(&format!("Success! {done} done."));
    }
    Ok(())
}
