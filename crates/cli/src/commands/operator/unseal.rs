use clap::Args;

use super::unseal_key;
use crate::commands::status::print_status;
use crate::context::Context;
use crate::failure::{Outcome, While};

/// Give one unseal key; enough of them open the server
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Asked for without showing it, so that it stays out of the shell's history:
      coffer operator unseal
  From a file:
      coffer operator unseal - < key
  Begin anew:
      coffer operator unseal -reset")]
pub(crate) struct Unseal {
    /// The key, or - for standard input; asked for when left out
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// Forget the keys given so far
    #[arg(long, conflicts_with = "key")]
    reset: bool,
    /// The key is for moving to another seal
    #[arg(long)]
    migrate: bool,
}

impl Unseal {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let sys = client.sys();
        let seal = match self.reset {
            true => sys
                .reset_unseal()
                .await
                .or_failed("resetting the unseal attempt")?,
            false => {
                let key = unseal_key(cx, self.key.as_deref())?;
                sys.unseal(&key, self.migrate)
                    .await
                    .or_failed("unsealing")?
            }
        };
        let leader = sys.leader().await.ok();
        print_status(cx, &seal, leader.as_ref())
    }
}
