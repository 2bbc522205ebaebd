use clap::Args;
use serde_json::Map;

use super::target::{Target, done, text, write};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Let a master key be used
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms enable -key=alias/app")]
pub(crate) struct Enable {
    #[command(flatten)]
    target: Target,
}

impl Enable {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        turn(cx, &self.target, "enable").await
    }
}

/// Let a master key be used no more, until it is enabled again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms disable -key=alias/app")]
pub(crate) struct Disable {
    #[command(flatten)]
    target: Target,
}

impl Disable {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        turn(cx, &self.target, "disable").await
    }
}

async fn turn(cx: &Context, target: &Target, how: &str) -> Outcome {
    let doing = format!("asking to {how} {}", target.name());
    let answer = write(cx, &target.part(how), &Map::new(), &doing).await?;
    done(cx, answer, &format!("Success! {how}d {}", target.name()))
}

/// Decide that a master key is deleted, after some days to think again
///
/// What it has encrypted can not be read by anybody after that.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms schedule-deletion -key=alias/app -days=7")]
pub(crate) struct ScheduleDeletion {
    #[command(flatten)]
    target: Target,
    /// How many days there are to cancel it, 7 to 30
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    days: u32,
}

impl ScheduleDeletion {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let body = Map::from_iter([("pending_window_in_days".to_owned(), self.days.into())]);
        let path = self.target.part("schedule-deletion");
        let doing = format!("scheduling the deletion of {}", self.target.name());
        let answer = write(cx, &path, &body, &doing).await?;
        let answer = answer.ok_or_else(|| Failure::nothing_at(&path))?;
        let said = format!(
            "{} will be deleted at {}; until then it can not be used, and `cancel-deletion` keeps it",
            text(&answer, "key_id")?,
            text(&answer, "deletion_date")?
        );
        done(cx, Some(answer), &said)
    }
}

/// Keep a master key that was to be deleted; it is disabled then
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms cancel-deletion -key=alias/app
  coffer kms enable -key=alias/app")]
pub(crate) struct CancelDeletion {
    #[command(flatten)]
    target: Target,
}

impl CancelDeletion {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let doing = format!("cancelling the deletion of {}", self.target.name());
        let path = self.target.part("cancel-deletion");
        let answer = write(cx, &path, &Map::new(), &doing).await?;
        let said = format!("Success! {} stays; it is disabled", self.target.name());
        done(cx, answer, &said)
    }
}
