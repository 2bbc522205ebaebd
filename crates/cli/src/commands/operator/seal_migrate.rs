use clap::Args;
use coffer_client::sys::SealStatus;

use super::unseal_key;
use crate::commands::status::print_status;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// Move the server to the seal that its configuration names now, key by key
///
/// Says what is to be done first where nothing is to be moved yet. Asks for keys until there are enough.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  From key shares to a seal: add its stanza `seal` to the configuration, restart, and
      coffer operator seal-migrate
  From a seal to key shares: write `disabled = \"true\"` into its stanza, restart, and the same
  From a seal to another: add the new stanza, disable the old one, restart, and the same
  A single key from a file:
      coffer operator seal-migrate - < key")]
pub(crate) struct SealMigrate {
    /// A key, or - for standard input; asked for until there are enough when left out
    #[arg(value_name = "KEY")]
    key: Option<String>,
}

impl SealMigrate {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let sys = client.sys();
        let mut seal = sys.seal_status().await.or_failed("reading the seal")?;
        if !seal.migration {
            return Err(Failure::local(nothing_to_move(&seal)));
        }
        cx.ui.warn(&format!(
            "Moving to: {}. {} of the {} present keys are needed. Keep a snapshot of the storage until the server was\n\
             restarted with its new seal once.",
            seal.r#type, seal.t, seal.n
        ));
        loop {
            let key = unseal_key(cx, self.key.as_deref())?;
            seal = sys.unseal(&key, true).await.or_failed("moving")?;
            if !seal.sealed || self.key.is_some() {
                break;
            }
            cx.ui.warn(&format!("{} of {} keys", seal.progress, seal.t));
        }
        let leader = sys.leader().await.ok();
        print_status(cx, &seal, leader.as_ref())
    }
}

fn nothing_to_move(seal: &SealStatus) -> String {
    let how = "change the stanzas `seal` of its configuration and restart it: to move to a seal add its stanza; to move away \
               from one write disabled = \"true\" into it, and leave it there until the server has moved";
    match (seal.initialized, seal.sealed) {
        (false, _) => "the server is not initialized, so there is nothing to move; configure its seals and run `coffer operator init`".to_owned(),
        (true, true) => format!("the configuration of the server names no other seal than the one in use. {how}"),
        (true, false) => format!("the server is unsealed and moves only while it starts. To move it, {how}. Seals can be added and removed without that: `coffer operator seals`"),
    }
}
