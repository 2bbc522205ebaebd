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
  Move to the seal that the configuration names now:
      coffer operator unseal -migrate
  When the seals are gone and there are break-glass shares:
      coffer operator unseal -break-glass
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
    /// The key is a break-glass share, which opens the server without its seals
    #[arg(long, conflicts_with = "migrate")]
    break_glass: bool,
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
                let given = match self.break_glass {
                    true => sys.break_glass(&key).await,
                    false => sys.unseal(&key, self.migrate).await,
                };
                given.or_failed("unsealing")?
            }
        };
        let leader = sys.leader().await.ok();
        print_status(cx, &seal, leader.as_ref())
    }
}
